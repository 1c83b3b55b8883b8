#include "daemon/http/bodies.hpp"

#include "tests/catch.hpp"

using namespace kevolve;
using namespace kevolve::service;
using namespace kevolve::http;

namespace {

Match match(std::string_view method, std::string_view target) {
  return route(method, parse_target(target).value()).value();
}

}  // namespace

TEST_CASE("requests name their verb, their job and their body") {
  const auto submit = service_request(match("POST", "/v1/jobs"),
                                      R"({"job": {"name": "day", "operators": ["gelu"]}, "priority": -2})");
  REQUIRE(submit);
  CHECK(submit->verb == ServiceVerb::submit);
  CHECK(submit->body.at("job").at("name") == "day");
  CHECK(submit->body.at("priority") == -2);
  const auto commented =
      service_request(match("POST", "/v1/jobs"),
                      "{\"job\": {\"name\": \"day\", // a job file may say why\n\"operators\": [\"gelu\"]}}");
  CHECK(commented);
  const std::pair<const char*, ServiceVerb> verbs[] = {
      {"pause", ServiceVerb::pause}, {"resume", ServiceVerb::resume}, {"cancel", ServiceVerb::cancel}};
  for (const auto& [word, verb] : verbs) {
    const auto request = service_request(match("POST", std::string("/v1/jobs/night/") + word), "");
    REQUIRE(request);
    CHECK(request->verb == verb);
    CHECK(request->job == "night");
    CHECK(request->body == Json::object());
  }
  CHECK(service_request(match("PUT", "/v1/jobs/a/priority"), R"({"priority": 5})")->verb ==
        ServiceVerb::prioritise);
  CHECK(service_request(match("POST", "/v1/drain"), "{}")->verb == ServiceVerb::drain);
  CHECK(service_request(match("POST", "/v1/reload"), "")->verb == ServiceVerb::reload);
  CHECK(service_request(match("GET", "/v1/jobs"), "")->verb == ServiceVerb::jobs);
  CHECK(service_request(match("GET", "/v1/jobs/x"), "")->verb == ServiceVerb::job);
  CHECK(service_request(match("GET", "/v1/workers"), "")->verb == ServiceVerb::workers);
  CHECK(service_request(match("GET", "/v1/status"), "")->verb == ServiceVerb::status);
}

TEST_CASE("a field that is wrong is named") {
  const auto complaint = [](std::string_view target, std::string_view body) {
    const auto request = service_request(match(target.ends_with("priority") ? "PUT" : "POST", target), body);
    REQUIRE_FALSE(request);
    CHECK(request.error().status == 400);
    return request.error().message;
  };
  const auto names = [](const std::string& text, std::string_view part) {
    INFO(text);
    CHECK(text.find(part) != std::string::npos);
  };
  names(complaint("/v1/jobs", R"({"job": {"name": "d", "operators": []}})"), "body.job");
  names(complaint("/v1/jobs", R"({"job": {"name": "d", "operators": ["gelu"], "seed": "x"}})"), "seed");
  names(complaint("/v1/jobs", R"({"jobs": {}})"), "job");
  names(complaint("/v1/jobs", R"({"job": null})"), "body.job");
  names(complaint("/v1/jobs", R"({"job": {"name": "d", "operators": ["gelu"]}, "priority": 1.5})"),
        "priority");
  names(complaint("/v1/jobs", R"({"job": {}, "job": {}})"), "job");
  names(complaint("/v1/jobs/a/priority", "{}"), "priority");
  names(complaint("/v1/jobs/a/priority", "7"), "7");
  names(complaint("/v1/jobs/a/priority", R"({"priority": 99999999999999999999})"), "priority");
  names(complaint("/v1/drain", R"({"now": 1})"), "now");
  names(complaint("/v1/drain", "nonsense"), "line 1");
}

TEST_CASE("parameters of best become its question") {
  const auto question = best_question(
      match("GET", "/v1/best?operator=gelu&workload=N%3D5&precision=tf32&against=eager&top=7&device=cpu"));
  REQUIRE(question);
  CHECK(question->operator_name == "gelu");
  CHECK(question->workload == "N=5");
  CHECK(question->precision == PrecisionClass::tf32);
  CHECK(question->yardstick == "eager");
  CHECK(question->device == "cpu");
  CHECK(question->top == 7);
  CHECK(best_question(match("GET", "/v1/best?operator=gelu"))->top == 1);
  for (const char* query :
       {"", "?operator=", "?operator=g&top=0", "?operator=g&top=1001", "?operator=g&top=-1",
        "?operator=g&top=2%20", "?operator=g&against=x", "?operator=g&precision=x"}) {
    INFO(query);
    CHECK_FALSE(best_question(match("GET", std::string("/v1/best") + query)));
  }
}
