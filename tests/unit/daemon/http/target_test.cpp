#include "daemon/http/target.hpp"
#include "core/text/words.hpp"

#include "tests/catch.hpp"

using namespace kevolve::http;

namespace {

bool refused(std::string_view text) {
  const auto target = parse_target(text);
  if (target) return false;
  CHECK(target.error().status == 400);
  CHECK(target.error().kind == "bad_path");
  CHECK_FALSE(target.error().message.empty());
  return true;
}

}  // namespace

TEST_CASE("a target is its decoded segments and parameters") {
  const auto target = parse_target("/v1/candidates/%2317?a=1%262&b=x+y&c&d=");
  REQUIRE(target);
  CHECK(target->segments == std::vector<std::string>{"v1", "candidates", "#17"});
  CHECK(target->query.at("a") == "1&2");
  CHECK(target->query.at("b") == "x y");
  CHECK(target->query.at("c").empty());
  CHECK(target->query.at("d").empty());
  CHECK(parse_target("/")->segments.empty());
  CHECK(parse_target("/a?")->query.empty());
  CHECK(parse_target("/a+b")->segments.front() == "a+b");
  CHECK(parse_target("/%C3%A4")->segments.front() == "ä");
  CHECK(parse_target("/a?x=%2e%2e/")->query.at("x") == "../");  // a value is no path
}

TEST_CASE("what could be another path is refused") {
  for (const char* text : {"",     "v1",   "*",       "http://h/v1", "//",     "/a//b",    "/a/",
                           "/.",   "/..",  "/a/../b", "/%2e%2e",     "/%2E.",  "/a%2Fb",   "/a%5Cb",
                           "/%00", "/%0a", "/%7f",    "/%",          "/%1",    "/%g0",     "/%c3",
                           "/%ff", "/a b", "/a#b",    "/\xc3\xa4",   "/a?b=%", "/a?b=%00", "/a?b=1&b=2"}) {
    INFO(text);
    CHECK(refused(text));
  }
  std::string many = "/a?";
  for (int i = 0; i < 40; ++i) many += "p" + std::to_string(i) + "=&";
  CHECK(refused(many));
}

TEST_CASE("what is encoded comes back") {
  std::string all;
  for (char c = ' '; c < 0x7f; ++c) {
    if (c != '/' && c != '\\') all += c;
  }
  CHECK(parse_target("/" + percent_encoded(all))->segments.front() == all);
  CHECK(parse_target("/a?x=" + percent_encoded(all))->query.at("x") == all);
  CHECK(percent_encoded("a-Z_0.~") == "a-Z_0.~");
}
