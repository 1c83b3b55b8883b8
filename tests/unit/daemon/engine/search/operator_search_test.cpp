#include "daemon/engine/search/operator_search.hpp"

#include "daemon/engine/ideas/playbook_source.hpp"
#include "tests/simulated_worker/simulation.hpp"
#include "tests/unit/daemon/engine/fixture.hpp"

namespace kevolve::testing {
using namespace engine;
using namespace gates;
namespace {

using Catch::Matchers::ContainsSubstring;

/// Whole searches with a simulated worker and the playbook.
struct WholeSearch : SearchFixture {
  WholeSearch() {
    job.policy.rounds = 9;
    job.policy.plateau_rounds = 2;
    PoolSettings settings;
    settings.name = "sim";
    settings.device = "cpu";
    settings.command.argv = {KEVOLVE_BIN_DIR "/simulated-worker"};
    pool = std::make_shared<WorkerPool>(io, settings, [](const PoolNews&) {});
    share = pool->join("night", 1);
    sources.list.push_back(std::make_unique<PlaybookSource>(1));
    const DeviceInfo simulated = simulated_device("cpu", "simulated");
    environment.emplace(SearchEnvironment{
        io, archive, *share, sources, exchanges, heard, allowance, RunIdentity{job, job_id, run}, simulated,
        must(archive.enter_device(simulated)), [](const std::string&) { return failure("none"); }});
  }
  ~WholeSearch() {
    share.reset();
    pool->stop("done");
    io.restart();
    io.run_for(std::chrono::seconds(5));
  }
  Result<void> run_to_end(OperatorSearch& whole, int rounds) {
    const auto all = [&]() -> asio::awaitable<Result<void>> {
      CO_TRY_DO(co_await whole.seed());
      while (!whole.stopped() && whole.rounds_done() < rounds && allowance.may_evaluate()) {
        CO_TRY_DO(co_await whole.round());
      }
      co_return Result<void>{};
    };
    Result<void> result = failure("it did not end");
    asio::co_spawn(io, all(), [&](const std::exception_ptr& thrown, Result<void> value) {
      result = thrown ? failure("it threw") : std::move(value);
      io.stop();
    });
    io.restart();
    io.run_for(std::chrono::seconds(30));
    return result;
  }

  IdeaSources sources;
  std::shared_ptr<WorkerPool> pool;
  std::shared_ptr<WorkerShare> share;
  std::optional<SearchEnvironment> environment;
};

TEST_CASE("a search goes from its seed to a reason to stop") {
  WholeSearch f;
  OperatorSearch whole(*f.environment, f.op, "small");
  must(f.run_to_end(whole, 9));
  CHECK(whole.stopped());
  const OperatorSummary summary = whole.summary();
  CHECK(summary.naive_us == Approx(1000).epsilon(0.01));
  CHECK(summary.rounds == whole.rounds_done());
  CHECK(summary.evaluations > 3);
  CHECK_FALSE(summary.note.empty());
  CHECK(f.heard.stopped == summary.note);
}

TEST_CASE("a search that was stopped after each evaluation ends like one that was not") {
  WholeSearch undisturbed;
  OperatorSearch whole(*undisturbed.environment, undisturbed.op, "small");
  must(undisturbed.run_to_end(whole, 3));

  WholeSearch f;
  std::string champion;
  int rounds = 0;
  for (int i = 0; i < 60 && rounds < 3; ++i) {
    OperatorSearch part(*f.environment, f.op, "small");
    f.limit = f.allowance.taken() + 1;
    must(f.run_to_end(part, 3));
    champion = part.summary().candidate_hash;
    rounds = part.stopped() ? 3 : part.rounds_done();
  }
  CHECK(rounds == 3);
  CHECK(champion == whole.summary().candidate_hash);
}

TEST_CASE("a naive kernel that does not parse ends the search with its file's name") {
  WholeSearch f;
  f.write("naive", "no header");
  OperatorSearch whole(*f.environment, f.op, "small");
  CHECK_THAT(error_of(f.run_to_end(whole, 1)), ContainsSubstring("naive.cu"));
}

}  // namespace
}  // namespace kevolve::testing
