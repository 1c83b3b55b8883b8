#include "llm_client/replies/lenient_json.hpp"

#include "core/text/json.hpp"
#include "tests/catch.hpp"

using namespace kevolve;
using namespace kevolve::llm;

namespace {

std::string strict(const std::string& text) {
  const auto json = lenient_json(text, 0);
  return json ? json->strict : "none";
}

}  // namespace

TEST_CASE("strict JSON stays as it is") {
  for (const std::string text :
       {R"({"a": [1, 2.5e-3, -4], "b": {"c": "x\"\\\/\u00e9"}, "d": null})", "[]", "{ }", "[\n]"}) {
    CHECK(strict(text) == text);
  }
}

TEST_CASE("what has one meaning is made strict") {
  CHECK(strict("[1, 2,]") == "[1, 2]");
  CHECK(strict("{\"a\": 1, // one\n}") == "{\"a\": 1 \n}");
  CHECK(strict("[/* a\n b */ 1]") == "[\n 1]");
  CHECK(strict("[True, False, None]") == "[true, false, null]");
  CHECK(strict("[\"a\nb\tc\"]") == "[\"a\\nb\\tc\"]");
  CHECK(strict("[\"a*/b\"]") == "[\"a*\\/b\"]");
  CHECK(strict(R"(["it\'s", "\d+"])") == R"(["it's", "\\d+"])");
}

TEST_CASE("the end is behind the closing bracket") {
  const std::string text = "x [1, [2]] y";
  const auto json = lenient_json(text, 2);
  REQUIRE(json);
  CHECK(json->end == 10);
  CHECK(json->strict == "[1, [2]]");
}

TEST_CASE("brackets that do not close in their order, and other text, are no JSON") {
  for (const std::string text : {"[", "{\"a\": 1", "[1}", "[\"a]", "[/* x]", "[a; b]", "x", "", "[1, 2)"})
    CHECK(strict(text) == "none");
}

TEST_CASE("two commas are left for the strict parser to refuse") {
  CHECK_FALSE(parse_json(strict("[1,,2]"), ""));
}
