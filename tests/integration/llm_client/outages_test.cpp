// Endpoints that go away: requests wait unspent, or go elsewhere.

#include "tests/integration/llm_client/fixture.hpp"

namespace kevolve::testing {
using namespace llm;
namespace {

TEST_CASE("an outage spends no retries, and is told when it begins and ends") {
  server().set_script("away", "reset");
  Client client = Client::of("away", {{"max_retries", 1}, {"concurrency", 8}});
  std::vector<std::future<ChatResult>> waiting;
  for (int i = 0; i < 20; ++i) waiting.push_back(client.ask("wait " + std::to_string(i)));
  while (client.told->outages() == 0) std::this_thread::sleep_for(std::chrono::milliseconds(5));
  std::this_thread::sleep_for(std::chrono::milliseconds(600));  // several probes
  for (auto& each : waiting) CHECK(each.wait_for(std::chrono::seconds(0)) == std::future_status::timeout);
  const std::size_t probes = server().log("away").size();
  CHECK(probes < 30);
  server().set_script("away", "ok");
  for (auto& each : waiting) {
    REQUIRE(each.wait_for(std::chrono::seconds(20)) == std::future_status::ready);
    CHECK(each.get());
  }
  CHECK(client.told->began.size() == 1);
  CHECK(client.told->began[0].find("e: not reachable") == 0);
  CHECK(client.told->ended == std::vector<std::string>{"e"});
}

TEST_CASE("a lone request outlives an outage of any status that may pass") {
  for (const char* fault : {"status=503", "status=529", "status=429", "empty"}) {
    INFO(fault);
    const std::string name = std::string("all-alone-") + fault;
    std::string script = name + ":";
    for (int i = 0; i < 6; ++i) script += std::string(fault) + ",";
    Client client = Client::at(endpoint(server().url(script + "ok"), "openai", {{"max_retries", 1}}));
    const ChatResult reply = client.get();
    if (!reply) FAIL(reply.error().message);
    CHECK(reply->attempts == 7);
    CHECK(client.told->began.size() == 1);
    CHECK(client.told->ended.size() == 1);
  }
}

TEST_CASE("a port that nobody listens at is an outage, and can be stopped") {
  Client client = Client::at(endpoint(fmt::format("http://127.0.0.1:{}/v1", unused_port())));
  auto answer = client.ask("anybody?");
  while (client.told->outages() == 0) std::this_thread::sleep_for(std::chrono::milliseconds(5));
  client.backend->stop();
  REQUIRE(answer.wait_for(std::chrono::seconds(5)) == std::future_status::ready);
  CHECK(answer.get().error().kind == ChatError::Kind::cancelled);
}

TEST_CASE("while one endpoint is out, another's model is asked") {
  server().set_script("gone", "reset");
  const Json endpoints = {{"a", endpoint(server().url("gone"), "openai", {{"max_retries", 1}})},
                          {"b", endpoint(server().url("here"))}};
  const Json models = {{"ma", {{"endpoint", "a"}, {"model", "x"}}},
                       {"mb", {{"endpoint", "b"}, {"model", "y"}}}};
  Client client(endpoints, models, {{"ma", 1}, {"mb", 1}});
  for (std::uint64_t seed = 0; seed < 12; ++seed) {
    const ChatResult reply = client.get("seed " + std::to_string(seed), seed);
    REQUIRE(reply);
    CHECK(reply->model == "mb");
  }
  CHECK(client.told->all().find("mb is asked instead, while endpoint a is out") != std::string::npos);
  server().set_script("gone", "ok");
  int by_a = 0;
  for (std::uint64_t seed = 0; seed < 40; ++seed) {
    const ChatResult reply = client.get("later " + std::to_string(seed), seed);
    REQUIRE(reply);
    if (reply->model == "ma") ++by_a;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  CHECK(by_a > 5);
}

}  // namespace
}  // namespace kevolve::testing
