#include "daemon/service/job_service.hpp"

#include "tests/unit/daemon/engine/folder.hpp"

namespace kevolve {
using namespace archive;
using namespace service;
namespace {

namespace asio = boost::asio;
namespace fs = std::filesystem;
using testing::number_of_threads;
using testing::TestFolder;

/// A service that starts no job: all stay in the queue.
class IdleService {
 public:
  IdleService() {
    auto archive = Archive::open(folder.file("a.db"), OpenMode::read_write);
    REQUIRE(archive);
    archive_.emplace(std::move(*archive));
    auto settings = parse_daemon_settings({{"archive", "a.db"}}, folder.file(""), "kevolved.json");
    REQUIRE(settings);
    settings->max_running = 0;
    settings->models = folder.write("models.json", R"({
      "endpoints": { "e": { "api": "openai", "url": "http://127.0.0.1:1/v1" } },
      "models": { "m": { "endpoint": "e", "model": "x" } } })");
    service_.emplace(JobService::Parts{io_, *archive_, events_, "test", {}, nullptr, [] {}}, *settings);
    REQUIRE(service_->start());
  }

  ServiceReply ask(ServiceVerb verb, const std::string& job, const Json& body = Json::object()) {
    std::optional<ServiceReply> reply;
    service_->ask({verb, job, body}, [&](ServiceReply answer) { reply = std::move(answer); });
    io_.restart();
    io_.poll();
    REQUIRE(reply);
    return *reply;
  }
  ServiceReply submit(const Json& sources, const Json& more = Json::object()) {
    Json document{{"name", "night"}, {"operators", {"gelu"}}, {"idea_sources", sources}};
    document.update(more);
    return ask(ServiceVerb::submit, "", {{"job", document}});
  }

  TestFolder folder;

 private:
  asio::io_context io_{1};
  std::optional<Archive> archive_;
  EventLog events_;
  std::optional<JobService> service_;
};

TEST_CASE("a job that waits in the queue has made no folder, no file and no thread") {
  IdleService service;
  const long threads = number_of_threads();
  const auto manual = service.submit({{{"kind", "manual"}, {"folder", service.folder.file("prompts")}}},
                                     {{"record", service.folder.file("record.jsonl")}});
  REQUIRE(manual);
  CHECK((*manual)["state"] == "queued");
  CHECK_FALSE(fs::exists(service.folder.file("prompts")));
  CHECK_FALSE(fs::exists(service.folder.file("record.jsonl")));
  REQUIRE(service.submit({{{"kind", "llm"}, {"models", {"m"}}}}));
  CHECK(number_of_threads() == threads);
}

TEST_CASE("a service refuses a job that is wrong, and says where") {
  IdleService service;
  const auto refused = service.submit({{{"kind", "llm"}, {"models", {"other"}}}});
  REQUIRE_FALSE(refused);
  CHECK(refused.error().kind == ServiceFailure::invalid);
  CHECK_THAT(refused.error().message, Catch::Matchers::StartsWith("job: found the model \"other\""));
  CHECK(service.ask(ServiceVerb::job, "night").error().kind == ServiceFailure::not_found);
}

TEST_CASE("a queued job can be paused, resumed and cancelled, and its priority changed") {
  IdleService service;
  REQUIRE(service.submit({{{"kind", "playbook"}}}));
  CHECK((*service.ask(ServiceVerb::prioritise, "night", {{"priority", 3}}))["priority"] == 3);
  CHECK((*service.ask(ServiceVerb::pause, "night"))["state"] == "paused");
  CHECK(service.ask(ServiceVerb::pause, "night").error().kind == ServiceFailure::conflict);
  CHECK((*service.ask(ServiceVerb::resume, "night"))["state"] == "queued");
  CHECK(service.ask(ServiceVerb::resume, "night").error().kind == ServiceFailure::conflict);
  CHECK((*service.ask(ServiceVerb::cancel, "night"))["state"] == "cancelled");
  CHECK((*service.ask(ServiceVerb::status, ""))["jobs"]["cancelled"] == 1);
}

}  // namespace
}  // namespace kevolve
