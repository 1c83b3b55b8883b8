// Many questions at once, and their end.

#include <fstream>

#include "tests/integration/llm_client/fixture.hpp"

namespace kevolve::testing {
using namespace llm;
namespace {

int threads() {
  std::ifstream status("/proc/self/status");
  for (std::string word; status >> word;) {
    if (word == "Threads:") {
      int count = 0;
      status >> count;
      return count;
    }
  }
  return 0;
}

TEST_CASE("64 requests are under way at once, on one thread, each answered once") {
  const int before = threads();
  Client client = Client::of("crowd:wait=300", {{"concurrency", 64}});
  std::vector<std::future<ChatResult>> answers;
  const auto begin = std::chrono::steady_clock::now();
  for (int i = 0; i < 192; ++i) answers.push_back(client.ask("number " + std::to_string(i)));
  std::this_thread::sleep_for(std::chrono::milliseconds(100));
  CHECK(threads() == before + 1);
  for (int i = 0; i < 192; ++i) {
    REQUIRE(answers[i].wait_for(std::chrono::seconds(30)) == std::future_status::ready);
    const ChatResult result = answers[i].get();
    REQUIRE(result);
    CHECK(result->text.find("number " + std::to_string(i)) != std::string::npos);
  }
  // One after the other they would take 58 s.
  CHECK(std::chrono::steady_clock::now() - begin < std::chrono::seconds(20));
  std::map<std::string, int> asked;
  for (const Json& entry : server().log("crowd")) ++asked[entry["prompt"].get<std::string>()];
  CHECK(asked.size() == 192);
  for (const auto& [prompt, times] : asked) CHECK(times == 1);
}

TEST_CASE("an endpoint's concurrency and requests per minute are kept") {
  Client client = Client::of("calm:wait=200", {{"concurrency", 2}, {"requests_per_minute", 5}});
  std::vector<std::future<ChatResult>> answers;
  for (int i = 0; i < 8; ++i) answers.push_back(client.ask("calm " + std::to_string(i)));
  std::this_thread::sleep_for(std::chrono::milliseconds(100));
  CHECK(server().log("calm").size() <= 2);
  for (int i = 0; i < 5; ++i)
    REQUIRE(answers[i].wait_for(std::chrono::seconds(20)) == std::future_status::ready);
  std::this_thread::sleep_for(std::chrono::milliseconds(500));
  CHECK(server().log("calm").size() == 5);
}

TEST_CASE("connections are used again") {
  const FaultServer fresh;
  Client client = Client::at(endpoint(fresh.url("ok")));
  for (int i = 0; i < 5; ++i) REQUIRE(client.get("again " + std::to_string(i)));
  CHECK(fresh.connections() <= 2);  // the question about it is one of them
}

TEST_CASE("stop answers all that waits within a second, and refuses what comes later") {
  Client client = Client::of("stopped:hang", {{"concurrency", 32}});
  std::vector<std::future<ChatResult>> answers;
  for (int i = 0; i < 100; ++i) answers.push_back(client.ask("stop " + std::to_string(i)));
  std::this_thread::sleep_for(std::chrono::milliseconds(200));
  const auto begin = std::chrono::steady_clock::now();
  client.backend->stop();
  answers.push_back(client.ask("too late"));
  for (auto& each : answers) {
    REQUIRE(each.wait_for(std::chrono::seconds(5)) == std::future_status::ready);
    const ChatResult result = each.get();
    REQUIRE_FALSE(result);
    CHECK(result.error().kind == ChatError::Kind::cancelled);
  }
  CHECK(std::chrono::steady_clock::now() - begin < std::chrono::seconds(1));
}

TEST_CASE("a backend that is destroyed answers first") {
  std::future<ChatResult> answer;
  {
    Client client = Client::of("destroyed:hang");
    answer = client.ask("hello");
  }
  REQUIRE(answer.wait_for(std::chrono::seconds(0)) == std::future_status::ready);
  CHECK(answer.get().error().kind == ChatError::Kind::cancelled);
}

}  // namespace
}  // namespace kevolve::testing
