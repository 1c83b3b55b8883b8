#include "daemon/engine/job/job_run.hpp"

#include <signal.h>

#include <boost/asio/co_spawn.hpp>

#include "tests/unit/daemon/engine/folder.hpp"

namespace kevolve {
using namespace archive;
using namespace engine;
namespace {

namespace asio = boost::asio;
using Catch::Matchers::ContainsSubstring;
using testing::TestFolder;

Json short_job() {
  return {{"name", "night"},
          {"operators", {"gelu"}},
          {"policy", {{"rounds", 2}, {"plateau_rounds", 50}}},
          {"timing", {{"min_samples", 3}, {"max_samples", 5}}}};
}

/// Remembers what happened, and calls `act` for each event.
class Listener final : public Observer {
 public:
  void heard(const RunEvent& event) override {
    started += std::holds_alternative<events::RunStarted>(event);
    evaluated += std::holds_alternative<events::Evaluated>(event);
    ended += std::holds_alternative<events::RunEnded>(event);
    if (act) act(event);
  }
  std::function<void(const RunEvent&)> act;
  int started = 0, evaluated = 0, ended = 0;
};

/// An archive in a folder, and one run after the other in it, each with a pool of one simulated worker.
class Bench {
 public:
  Result<RunSummary> run(const Json& document, const std::vector<std::string>& worker_options = {}) {
    ::signal(SIGPIPE, SIG_IGN);
    TRY(Job job, parse_job(document, "job"));
    TRY(PreparedJob prepared, prepare_job(std::move(job), "job"));
    TRY(Archive archive, Archive::open(folder_.file("a.db"), OpenMode::read_write));
    TRY(const auto ideas, open_idea_sources(prepared.job, ""));
    asio::io_context io(1);
    PoolSettings settings;
    settings.device = "cpu";
    settings.command.argv = {KEVOLVE_BIN_DIR "/simulated-worker"};
    settings.command.argv.insert(settings.command.argv.end(), worker_options.begin(), worker_options.end());
    settings.patience = 1;
    const auto pool = std::make_shared<WorkerPool>(io, settings, nullptr);
    const auto job_run = std::make_shared<JobRun>(
        io, JobRun::Parts{std::move(prepared), "test", archive, *ideas, pool->join("night", 1)}, listener);
    current = job_run.get();
    Result<RunSummary> summary = failure("it did not end");
    asio::co_spawn(io, job_run->execute(), [&](const std::exception_ptr&, Result<RunSummary> result) {
      summary = std::move(result);
      pool->stop("the test is over");
    });
    io.run_for(std::chrono::seconds(60));
    return summary;
  }
  [[nodiscard]] JobRecord job() const {
    auto archive = Archive::open(folder_.file("a.db"), OpenMode::read_only);
    REQUIRE(archive);
    const auto job = archive->job("night");
    REQUIRE((job && *job));
    return **job;
  }

  Listener listener;
  JobRun* current = nullptr;

 private:
  TestFolder folder_;
};

TEST_CASE("a run searches all rounds and finishes its job") {
  Bench bench;
  const auto summary = bench.run(short_job());
  REQUIRE(summary);
  CHECK(summary->ended_by == "all rounds done");
  REQUIRE(summary->operators.size() == 1);
  CHECK(summary->operators.front().name == "gelu");
  CHECK(summary->operators.front().rounds == 2);
  CHECK(summary->evaluations > 2);
  CHECK(summary->used.evaluations == summary->evaluations);
  CHECK(bench.job().state == JobState::finished);
  CHECK(bench.job().reason == "all rounds done");
  CHECK(bench.listener.started == 1);
  CHECK(bench.listener.ended == 1);
}

TEST_CASE("a run that is stopped is interrupted; the next one continues its job and its budget") {
  Bench bench;
  bench.listener.act = [&](const RunEvent& event) {
    if (std::holds_alternative<events::Evaluated>(event)) bench.current->stop(JobRun::Stop::now);
  };
  const auto stopped = bench.run(short_job());
  REQUIRE(stopped);
  CHECK(stopped->ended_by == "interrupted");
  CHECK(bench.job().state == JobState::running);  // its caller names the state
  bench.listener.act = nullptr;
  const auto summary = bench.run(short_job());
  REQUIRE(summary);
  CHECK(summary->ended_by == "all rounds done");
  CHECK(summary->used.evaluations == stopped->evaluations + summary->evaluations);
  CHECK(bench.job().state == JobState::finished);
}

TEST_CASE("a run that is stopped gently lets its worker finish what it has") {
  Bench bench;
  int before = 0;
  bench.listener.act = [&](const RunEvent& event) {
    if (!std::holds_alternative<events::Evaluated>(event) || before > 0) return;
    before = bench.listener.evaluated;
    bench.current->stop(JobRun::Stop::gently);
  };
  const auto stopped = bench.run(short_job(), {"--delay-ms", "20"});
  REQUIRE(stopped);
  CHECK(stopped->ended_by == "interrupted");
  CHECK(bench.listener.evaluated > before);
}

TEST_CASE("a run ends when its budget of evaluations is spent") {
  Bench bench;
  Json document = short_job();
  document["policy"]["rounds"] = 20;
  document["budget"] = {{"evaluations", 5}};
  const auto summary = bench.run(document);
  REQUIRE(summary);
  CHECK(summary->ended_by == "budget: 5 evaluations spent");
  CHECK(bench.job().reason == "budget: 5 evaluations spent");
  CHECK(bench.job().state == JobState::finished);
}

TEST_CASE("a run whose worker does not start begins nothing") {
  Bench bench;
  const auto summary = bench.run(short_job(), {"--never-start"});
  REQUIRE_FALSE(summary);
  CHECK_THAT(summary.error().message, ContainsSubstring("did not start"));
  CHECK_FALSE(bench.current == nullptr);
  CHECK(bench.listener.started == 0);
}

}  // namespace
}  // namespace kevolve
