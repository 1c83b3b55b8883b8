#include "core/model/worker_protocol.hpp"

#include "tests/catch.hpp"
#include "tests/unit/core/model/fixtures.hpp"

namespace kevolve {
namespace {

EvaluateRequest full_request() {
  EvaluateRequest request;
  request.id = "42";
  request.device = "cuda:0";
  request.operator_document = fixture::operator_document();
  request.workload = "small";
  request.source = "line one\nline \"two\"\t\\ ü";
  request.tunables = {{"BLOCK", 32}, {"LOW", -5}};
  request.last_gate = Gate::correctness;
  request.compare_with = {{"naive", "code", {{"BLOCK", 64}}}};
  request.baselines = {"compile", "sdpa"};
  request.timing = {3, 7, 0.25};
  return request;
}

TEST_CASE("an evaluate request survives the line") {
  const std::string line = to_line(WorkerRequest(full_request()));
  CHECK(line.find('\n') == std::string::npos);
  const auto read = request_from_line(line);
  INFO((read ? "" : read.error().message));
  REQUIRE(read);
  const auto& request = std::get<EvaluateRequest>(*read);
  CHECK(request.id == "42");
  CHECK(request.device == "cuda:0");
  CHECK(request.operator_document == fixture::operator_document());
  CHECK(request.source == full_request().source);
  CHECK(request.tunables == full_request().tunables);
  CHECK(request.last_gate == Gate::correctness);
  CHECK(request.compare_with.at(0).tunables.at("BLOCK") == 64);
  CHECK(request.baselines == std::vector<std::string>{"compile", "sdpa"});
  CHECK(request.timing.max_samples == 7);
  CHECK(request.timing.max_seconds == 0.25);
  CHECK(to_line(*read) == line);
}

TEST_CASE("a request written by hand needs only what has no default") {
  const auto read =
      request_from_line(R"({"type":"evaluate","id":"1","operator":{},"workload":"small","source":""})");
  REQUIRE(read);
  const auto& request = std::get<EvaluateRequest>(*read);
  CHECK(request.device == "cpu");
  CHECK(request.last_gate == Gate::timing);
  CHECK(request.baselines == std::vector<std::string>{"eager"});
  CHECK(request.timing.min_samples == 10);
}

TEST_CASE("all other messages survive the line") {
  const auto admit = request_from_line(to_line(WorkerRequest(AdmitRequest{"7", {{"name", "x"}}, "small"})));
  REQUIRE(admit);
  CHECK(std::get<AdmitRequest>(*admit).operator_document["name"] == "x");

  DeviceInfo device;
  device.name = "cpu";
  const auto hello = reply_from_line(to_line(WorkerReply(Hello{1, "0.1.0", {device}})));
  REQUIRE(hello);
  CHECK(std::get<Hello>(*hello).devices.at(0).name == "cpu");
  CHECK(std::get<Hello>(*hello).version == "0.1.0");
  CHECK(std::get<Hello>(*hello).parallel == 1);

  const auto several = reply_from_line(to_line(WorkerReply(Hello{1, "0.1.0", {device}, 8})));
  REQUIRE(several);
  CHECK(std::get<Hello>(*several).parallel == 8);

  EvaluationReply reply{"9", {}};
  reply.evaluation.verdict = {Outcome::crash, Gate::correctness, "Signal 11."};
  const auto evaluation = reply_from_line(to_line(WorkerReply(reply)));
  REQUIRE(evaluation);
  CHECK(std::get<EvaluationReply>(*evaluation).evaluation.verdict.outcome == Outcome::crash);

  const auto admission = reply_from_line(to_line(WorkerReply(AdmissionReply{"1", true, "fit"})));
  REQUIRE(admission);
  CHECK(std::get<AdmissionReply>(*admission).admitted);

  const auto error = reply_from_line(to_line(WorkerReply(ErrorReply{"2", "no bwrap"})));
  REQUIRE(error);
  CHECK(std::get<ErrorReply>(*error).message == "no bwrap");
}

TEST_CASE("one candidate at a time goes without saying; none at all cannot be") {
  CHECK(to_line(WorkerReply(Hello{1, "0.1.0", {}})).find("parallel") == std::string::npos);
  const auto none =
      reply_from_line(R"({"type":"hello","protocol":1,"version":"x","devices":[],"parallel":0})");
  REQUIRE_FALSE(none);
  CHECK(none.error().message == "reply.parallel: found 0; expected a number from 1 to 256");
}

TEST_CASE("a hello tells the traits of its devices; without them the device's name decides") {
  DeviceInfo device;
  device.name = "hip:0";
  device.architecture = "gfx942";
  device.told_traits = DeviceTraits{"naive", 7, true, false, false, "amd"};
  const std::string line = to_line(WorkerReply(Hello{1, "0.1.0", {device}}));
  auto hello = reply_from_line(line);
  REQUIRE(hello);
  const DeviceTraits told = std::get<Hello>(*hello).devices.at(0).traits();
  CHECK(told.yardstick == "naive");
  CHECK(told.requests_ahead == 7);
  CHECK(told.shows_races);
  CHECK_FALSE(told.has_counters);
  CHECK_FALSE(told.on_host);
  CHECK(told.guide == "amd");

  Json json = *parse_json(line, "line");
  json["devices"][0]["traits"]["yardstick"] = "compile";
  hello = reply_from_line(json.dump());
  REQUIRE_FALSE(hello);
  CHECK(hello.error().message.find("expected \"naive\" or \"eager\"") != std::string::npos);

  json["devices"][0].erase("traits");
  hello = reply_from_line(json.dump());
  REQUIRE(hello);
  const DeviceTraits by_name = std::get<Hello>(*hello).devices.at(0).traits();
  CHECK(by_name.yardstick == "eager");
  CHECK(by_name.requests_ahead == 32);
  CHECK(by_name.guide == "gfx942");
}

TEST_CASE("traits are no part of evaluations, archived rows and keys") {
  DeviceInfo device;
  device.name = "cpu";
  const std::string key = device.key(), row = to_json(device).dump();
  device.told_traits = gpu_traits("sm_90a");
  CHECK(device.key() == key);
  CHECK(to_json(device).dump() == row);
  device.told_traits.reset();
  CHECK(device.traits().shows_races);
  CHECK(device.traits().guide == "cpu");
}

TEST_CASE("a line that is no request keeps its id where one can be found") {
  CHECK(id_in(R"({"type": "evaluate", "id": "half"})") == "half");
  CHECK(id_in(R"({"id": 7})").empty());
  CHECK(id_in("not json").empty());
  CHECK(id_in("[1]").empty());
}

TEST_CASE("bytes that are not UTF-8 do not break a line") {
  const auto reply = reply_from_line(to_line(WorkerReply(ErrorReply{"1", "log: \xff\xfe end"})));
  REQUIRE(reply);
  CHECK(std::get<ErrorReply>(*reply).message == "log: \xEF\xBF\xBD\xEF\xBF\xBD end");
}

std::string request_error(const Json& json) {
  const auto request = request_from_line(json.dump());
  REQUIRE_FALSE(request);
  return request.error().message;
}

TEST_CASE("a broken line says what is wrong with it") {
  CHECK(request_from_line("{\"type\":").error().message.find("request: line 1, column 9: syntax error") == 0);
  CHECK(request_error(3) == "request: found 3; expected an object");
  CHECK(request_error({{"id", "1"}}) == "request: missing key 'type'");
  CHECK(request_error({{"type", "evalute"}}) ==
        "request.type: unknown type 'evalute'; did you mean 'evaluate'? known types: admit, evaluate");
  CHECK(reply_from_line(R"({"type":"goodbye"})").error().message ==
        "reply.type: unknown type 'goodbye'; known types: admission, error, evaluation, hello");

  const Json good = *parse_json(to_line(WorkerRequest(full_request())), "line");
  const auto changed = [&](const char* key, const Json& value) {
    Json json = good;
    json[key] = value;
    return request_error(json);
  };
  CHECK(changed("last_gate", "compiled") ==
        "request.last_gate: found \"compiled\"; expected policy, compile, inspect, correctness, timing or "
        "profile");
  CHECK(changed("tunables", {{"BLOCK", "32"}}) ==
        "request.tunables: found {\"BLOCK\":\"32\"}; expected an object of numbers");
  CHECK(changed("operator", "layernorm") ==
        "request.operator: found \"layernorm\"; expected the operator's document, inline");
  CHECK(changed("timing", {{"min_samples", 9}, {"max_samples", 8}}) ==
        "request.timing: min_samples 9 and max_samples 8; expected 1 <= min_samples <= max_samples");
  CHECK(changed("timing", {{"max_seconds", 0}}) ==
        "request.timing.max_seconds: found 0; expected a number above 0, at most 86400");
  CHECK(changed("sorce", "x").find("request: unknown key 'sorce'; did you mean 'source'?") == 0);
  CHECK(changed("compare_with", {{{"name", "naive"}}}) == "request.compare_with[0]: missing key 'source'");
}

}  // namespace
}  // namespace kevolve
