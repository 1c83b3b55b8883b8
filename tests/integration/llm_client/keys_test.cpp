// Where keys go, and where they do not.

#include <unistd.h>

#include <fstream>
#include <sstream>

#include "core/process/command.hpp"
#include "tests/integration/llm_client/fixture.hpp"

namespace kevolve::testing {
using namespace llm;
using namespace process;
namespace {

TEST_CASE("the key is sent in its header and nowhere else") {
  CHECK(Client::of("sent-openai").get());
  CHECK(Client::of("sent-anthropic", {}, {}, "anthropic").get());
  const Json openai = server().log("sent-openai")[0], anthropic = server().log("sent-anthropic")[0];
  CHECK(openai["headers"]["authorization"] == "Bearer " + kKey);
  CHECK_FALSE(openai["headers"].contains("x-api-key"));
  CHECK(anthropic["headers"]["x-api-key"] == kKey);
  CHECK(anthropic["headers"]["anthropic-version"] == "2023-06-01");
  CHECK_FALSE(anthropic["headers"].contains("authorization"));
  CHECK(openai["body"].dump().find(kKey) == std::string::npos);
  CHECK(openai["path"].dump().find(kKey) == std::string::npos);
}

TEST_CASE("an endpoint without a key is sent none, and others' headers are sent") {
  Client client({{"e", endpoint(server().url("bare"), "openai", {{"headers", {{"X-Title", "kevolve"}}}})}},
                {{"m", {{"endpoint", "e"}, {"model", "x"}}}}, {{"m"}}, {{"e", ""}});
  CHECK(client.get());
  const Json headers = server().log("bare")[0]["headers"];
  CHECK_FALSE(headers.contains("authorization"));
  CHECK(headers["x-title"] == "kevolve");
}

TEST_CASE("a server that echoes the key does not get it into an error, whole or in part") {
  for (const char* api : {"openai", "anthropic"}) {
    for (const char* script : {"echo-401:status=401+echo", "echo-403:status=403+echo"}) {
      const std::string error = Client::of(script, {}, {}, api).refusal(ChatError::Kind::refused);
      INFO(error);
      CHECK(error.find("Incorrect API key provided: [key] (also [key] and [key])") != std::string::npos);
      CHECK(error.find(kKey.substr(kKey.size() - 4)) == std::string::npos);
    }
  }
  Client retried = Client::of("echo:status=503+echo,ok");
  CHECK(retried.get("noted"));
  CHECK(retried.told->all().find("[key]") != std::string::npos);
  CHECK(retried.told->all().find(kKey.substr(4, 8)) == std::string::npos);
}

TEST_CASE("a model that writes the key does not get it into its reply") {
  const ChatResult reply = Client::of("ok").get("my key is " + kKey + ", is it not?");
  REQUIRE(reply);
  CHECK(reply->text.find("my key is [key], is it not?") != std::string::npos);
}

TEST_CASE("children inherit no key, and the system does not show it") {
  ::setenv("KEVOLVE_TEST_KEY", kKey.c_str(), 1);
  const auto file = parse_models(
      {{"endpoints",
        {{"e", {{"api", "openai"}, {"url", "http://localhost"}, {"key", {{"env", "KEVOLVE_TEST_KEY"}}}}}}},
       {"models", {{"m", {{"endpoint", "e"}, {"model", "x"}}}}}},
      "models.json");
  REQUIRE(file);
  REQUIRE(take_keys(*file, {"e"}));
  FILE* child = ::popen("env", "r");  // with this process's environment
  REQUIRE(child != nullptr);
  std::string environment;
  char buffer[4096];
  while (std::fgets(buffer, sizeof buffer, child) != nullptr) environment += buffer;
  ::pclose(child);
  CHECK(environment.find("PATH=") != std::string::npos);
  CHECK(environment.find(kKey) == std::string::npos);
}

TEST_CASE("what the process was started with is overwritten, too") {
  // A test of its own process: /proc/self/environ shows what the environment was at the start.
  const auto result =
      run_command({"env", "KEVOLVE_TEST_KEY=" + kKey, KEVOLVE_BIN_DIR "/../tests/take_keys"}, "", {});
  REQUIRE(result);
  INFO(result->err);
  CHECK(result->exit_code == 0);
  CHECK(result->out.find("PATH=") != std::string::npos);
  CHECK(result->out.find("KEVOLVE_TEST_KEY=") != std::string::npos);
  CHECK(result->out.find(kKey.substr(0, 4)) == std::string::npos);
}

}  // namespace
}  // namespace kevolve::testing
