#include "daemon/service/settings.hpp"

#include "tests/catch.hpp"

namespace kevolve {
using namespace service;
namespace {

using Catch::Matchers::ContainsSubstring;

Result<DaemonSettings> parsed(const std::string& text) {
  const auto document = parse_json(text, "kevolved.json");
  REQUIRE(document);
  return parse_daemon_settings(*document, "/etc/kevolve", "kevolved.json");
}

std::string error_of(const std::string& text) {
  const auto settings = parsed(text);
  REQUIRE_FALSE(settings);
  return settings.error().message;
}

TEST_CASE("an empty configuration is one worker of the cpu device, and nothing that listens") {
  const auto settings = parsed("{}");
  REQUIRE(settings);
  REQUIRE(settings->pools.size() == 1);
  CHECK(settings->pools[0].device == "cpu");
  CHECK(settings->pools[0].workers == 1);
  CHECK(settings->max_running == 2);
  CHECK_FALSE(settings->http);
  CHECK_FALSE(settings->job_launchers);
  CHECK(settings->summaries == settings->archive.string() + ".summaries");
}

TEST_CASE("paths are relative to the file, durations are in seconds") {
  const auto settings = parsed(R"({
    "archive": "../data/a.db", "drain_seconds": 5, "worker_cache": "/cache",
    "pools": [{ "name": "gpu", "device": "cuda:0", "workers": 3, "gpus": 8, "launcher": ["ssh", "host"], "idle_seconds": 0,
                "start_seconds": 900 }],
    "http": { "port": 0, "token_file": "token" },
    "notifications": { "events": ["end"], "command": ["notify"], "webhook_file": "hook" } })");
  REQUIRE(settings);
  CHECK(settings->archive == "/etc/data/a.db");
  CHECK(settings->summaries == "/etc/data/a.db.summaries");
  CHECK(settings->worker_cache == "/cache");
  CHECK(settings->drain == std::chrono::seconds(5));
  CHECK(settings->pools[0].gpus == "8");
  CHECK(settings->pools[0].idle == std::chrono::seconds(0));
  CHECK(settings->pools[0].start == std::chrono::minutes(15));
  CHECK(settings->pools[0].launcher == std::vector<std::string>{"ssh", "host"});
  CHECK(settings->http->address == "127.0.0.1");
  CHECK(settings->http->token_file == "/etc/kevolve/token");
  CHECK(settings->notifications.events == std::set<std::string>{"end"});
  CHECK(settings->notifications.webhook_file == "/etc/kevolve/hook");
}

TEST_CASE("what is wrong with a configuration is said") {
  CHECK_THAT(error_of(R"({ "max_running": 0 })"), ContainsSubstring("kevolved.json: max_running"));
  CHECK_THAT(error_of(R"({ "max_runing": 1 })"), ContainsSubstring("did you mean 'max_running'"));
  CHECK_THAT(error_of(R"({ "pools": [{ "name": "a" }] })"), ContainsSubstring("device"));
  CHECK_THAT(error_of(R"({ "pools": [{ "name": "a", "device": "cuda:1", "gpus": "all" }] })"),
             ContainsSubstring("kevolved.json: pools[0]: gpus: device is 'cuda:1'; expected 'cuda:0'"));
  CHECK_THAT(error_of(R"({ "http": { "port": 70000 } })"), ContainsSubstring("http.port"));
  CHECK_THAT(error_of(R"({ "notifications": { "events": ["victory"] } })"), ContainsSubstring("victory"));
  CHECK_THAT(
      error_of(R"({ "pools": [{ "name": "a", "device": "cpu" }, { "name": "a", "device": "cuda:0" }] })"),
      ContainsSubstring("another pool's already"));
  CHECK_THAT(error_of(R"({ "pools": [{ "name": "a", "device": "cpu" }, { "name": "b", "device": "cpu" }] })"),
             ContainsSubstring("one pool for each device"));
}

TEST_CASE("of a changed configuration it is told what counts at once and what needs a restart") {
  const auto before = parsed("{}");
  const auto after = parsed(R"({ "archive": "x.db", "summaries": "s", "max_running": 7, "http": {},
                                 "pools": [{ "name": "gpu", "device": "cuda:0" }] })");
  REQUIRE(before);
  REQUIRE(after);
  const SettingsChange change = compare(*before, *after);
  CHECK(change.changed == std::vector<std::string>{"max_running", "pools", "summaries"});
  CHECK(change.needs_restart == std::vector<std::string>{"archive", "http"});
  CHECK(compare(*after, *after).changed.empty());
}

TEST_CASE("the annotated example is a configuration") {
  const auto settings = load_daemon_settings(KEVOLVE_SOURCE_DIR "/config/kevolved.json");
  if (!settings) FAIL(settings.error().message);
  CHECK(settings->http);
}

}  // namespace
}  // namespace kevolve
