#include "daemon/http/router.hpp"

#include "tests/catch.hpp"

using namespace kevolve::http;

namespace {

tl::expected<Match, Refusal> find(std::string_view method, std::string_view text) {
  return route(method, parse_target(text).value());
}

}  // namespace

TEST_CASE("a method and a path name an endpoint") {
  CHECK(find("GET", "/healthz")->route->endpoint == Endpoint::health);
  CHECK(find("HEAD", "/healthz")->route->endpoint == Endpoint::health);
  CHECK(find("GET", "/v1/jobs")->route->endpoint == Endpoint::jobs);
  CHECK(find("POST", "/v1/jobs")->route->endpoint == Endpoint::submit);
  const auto pause = find("POST", "/v1/jobs/night%401f2e/pause");
  REQUIRE(pause);
  CHECK(pause->route->endpoint == Endpoint::pause);
  CHECK(pause->id == "night@1f2e");
  CHECK(find("GET", "/v1/candidates/abcd/lineage")->route->endpoint == Endpoint::lineage);
}

TEST_CASE("another path is 404, another method 405 with those that are") {
  for (const char* path :
       {"/", "/v1", "/v1/job", "/v2/jobs", "/v1/jobs/a/b", "/v1/jobs/a/pause/now", "/metrics/x"}) {
    INFO(path);
    const auto none = find("GET", path);
    REQUIRE_FALSE(none);
    CHECK(none.error().status == 404);
  }
  const auto deleting = find("DELETE", "/v1/jobs/a");
  REQUIRE_FALSE(deleting);
  CHECK(deleting.error().status == 405);
  CHECK(deleting.error().allow == "GET, HEAD, OPTIONS");
  CHECK(find("GET", "/v1/drain").error().allow == "POST, OPTIONS");
  const auto options = find("OPTIONS", "/v1/jobs");
  REQUIRE(options);
  CHECK(options->route == nullptr);
  CHECK(options->allow == "GET, HEAD, POST, OPTIONS");
}

TEST_CASE("whatever changes something is no GET, and the reverse") {
  for (const Route& one : routes()) {
    INFO(one.method << " " << one.path);
    CHECK(one.changes == (one.method != "GET"));
    CHECK((one.body == BodyRule::none) == (one.method == "GET"));
  }
}

TEST_CASE("parameters that nobody knows are refused") {
  CHECK(find("GET", "/v1/best?operator=gelu&top=3"));
  const auto unknown = find("GET", "/v1/best?oprator=gelu");
  REQUIRE_FALSE(unknown);
  CHECK(unknown.error().kind == "bad_parameter");
  CHECK(unknown.error().message.find("oprator") != std::string::npos);
  CHECK(unknown.error().message.find("workload") != std::string::npos);
  CHECK_FALSE(find("GET", "/v1/status?x=1"));
}
