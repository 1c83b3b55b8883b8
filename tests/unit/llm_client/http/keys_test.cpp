#include "llm_client/http/keys.hpp"

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "tests/catch.hpp"

namespace kevolve {
using namespace llm;
namespace {

const std::string kKey = "sk-proj-Zq8vT3mW7rB1nK5xL9cD2fH6jP4s";

ModelsFile file_with(const Json& key) {
  const Json document = {
      {"endpoints", {{"e", {{"api", "openai"}, {"url", "http://localhost/v1"}, {"key", key}}}}},
      {"models", {{"m", {{"endpoint", "e"}, {"model", "x"}}}}}};
  const auto file = parse_models(document, "models.json");
  REQUIRE(file);
  return *file;
}

Result<KeyRing> from_env(const char* value) {
  if (value != nullptr) ::setenv("KEVOLVE_TEST_KEY", value, 1);
  return take_keys(file_with({{"env", "KEVOLVE_TEST_KEY"}}), {"e"});
}

TEST_CASE("a key is taken out of the environment") {
  const auto keys = from_env(("  " + kKey + "\n").c_str());
  REQUIRE(keys);
  CHECK(keys->at("e") == kKey);
  CHECK(std::getenv("KEVOLVE_TEST_KEY") == nullptr);
}

TEST_CASE("keys of endpoints that are not in use are not missed, and removed all the same") {
  ::setenv("KEVOLVE_TEST_KEY", kKey.c_str(), 1);
  const auto keys = take_keys(file_with({{"env", "KEVOLVE_TEST_KEY"}}), {});
  REQUIRE(keys);
  CHECK(keys->empty());
  CHECK(std::getenv("KEVOLVE_TEST_KEY") == nullptr);
}

TEST_CASE("a key that is none is refused without being shown") {
  const std::string expected = "endpoint e: the environment variable KEVOLVE_TEST_KEY ";
  CHECK(from_env(nullptr).error().message.find(expected + "is not set") == 0);
  CHECK(from_env(" \t").error().message == expected + "is empty; expected the key");
  for (const char* bad : {"abc def", "secret\nX-Evil: 1", "secret\x01", "s\xC3\xA9"}) {
    const auto keys = from_env(bad);
    REQUIRE_FALSE(keys);
    CHECK(keys.error().message.find(expected + "holds blanks, control characters") == 0);
    CHECK(keys.error().message.find(bad) == std::string::npos);
  }
}

TEST_CASE("a key is read from a file") {
  const auto path = std::filesystem::temp_directory_path() / ("kevolve-key-" + std::to_string(::getpid()));
  std::ofstream(path) << kKey << "\n";
  const auto keys = take_keys(file_with({{"file", path.string()}}), {"e"});
  std::filesystem::remove(path);
  REQUIRE(keys);
  CHECK(keys->at("e") == kKey);
  CHECK(take_keys(file_with({{"file", path.string()}}), {"e"}).error().message.find(path.string()) !=
        std::string::npos);
}

TEST_CASE(
    "keys that a service took at its start are given to the URL that they were taken for, again and again") {
  const ModelsFile file = file_with({{"env", "KEVOLVE_TEST_KEY"}});
  ::setenv("KEVOLVE_TEST_KEY", kKey.c_str(), 1);
  const TakenKeys taken = TakenKeys::take(file);
  CHECK(std::getenv("KEVOLVE_TEST_KEY") == nullptr);
  for (int i = 0; i < 2; ++i) {
    const auto keys = look_up_keys(file, {"e"}, taken);
    REQUIRE(keys);
    CHECK(keys->at("e") == kKey);
  }
  ModelsFile elsewhere = file;
  elsewhere.endpoints.at("e").url = "http://somebody.else/v1";
  const auto refused = look_up_keys(elsewhere, {"e"}, taken);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().message.find("KEVOLVE_TEST_KEY") != std::string::npos);
  CHECK(refused.error().message.find(kKey) == std::string::npos);
  // The environment of a running service is not read again.
  ::setenv("KEVOLVE_TEST_KEY", kKey.c_str(), 1);
  CHECK_FALSE(look_up_keys(file, {"e"}, TakenKeys()));
  ::unsetenv("KEVOLVE_TEST_KEY");
}

TEST_CASE("no form of a key stays in a text") {
  const Redactor redact({{"e", kKey}, {"none", ""}});
  CHECK(redact("key " + kKey + ".") == "key [key].");
  CHECK(redact("Incorrect API key: sk-proj-********jP4s, see") == "Incorrect API key: [key], see");
  CHECK(redact("part " + kKey.substr(5, 12) + " of it") == "part [key] of it");
  CHECK(redact("nothing of it: sk-pro and jP4s") == "nothing of it: sk-pro and jP4s");
  CHECK(redact("") == "");
  // printf 'user:KEY' | base64, at each of the three offsets
  for (const std::string text : {"c2stcHJvai1acTh2VDNtVzdyQjFuSzV4TDljRDJmSDZqUDRz",
                                 "OnNrLXByb2otWnE4dlQzbVc3ckIxbks1eEw5Y0QyZkg2alA0cw==",
                                 "YTpzay1wcm9qLVpxOHZUM21XN3JCMW5LNXhMOWNEMmZINmpQNHM="}) {
    CHECK(redact("Basic " + text).find(text.substr(12, 12)) == std::string::npos);
  }
}

TEST_CASE("what a model wrote is changed for a whole key only, and not for a key that is a word") {
  const Redactor redact({{"e", kKey}, {"local", "EMPTY"}});
  CHECK(redact.whole_keys("EMPTY " + kKey + " " + kKey.substr(0, 20)) == "EMPTY [key] " + kKey.substr(0, 20));
  CHECK(redact.whole_keys("/*** a comment ***/") == "/*** a comment ***/");
  CHECK(redact("EMPTY") == "[key]");
}

}  // namespace
}  // namespace kevolve
