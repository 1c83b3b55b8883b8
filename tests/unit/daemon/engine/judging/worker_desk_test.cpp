#include "daemon/engine/judging/worker_desk.hpp"

#include <signal.h>

#include "core/model/subjects.hpp"
#include "daemon/engine/judging/requests.hpp"
#include "daemon/engine/workers/task_group.hpp"
#include "tests/simulated_worker/simulation.hpp"
#include "tests/unit/daemon/engine/fixture.hpp"

namespace kevolve::testing {
using namespace archive;
using namespace engine;
namespace {

using Catch::Matchers::ContainsSubstring;

std::shared_ptr<WorkerPool> simulated_pool(asio::io_context& io, const std::vector<std::string>& options) {
  ::signal(SIGPIPE, SIG_IGN);
  PoolSettings settings;
  settings.name = "sim";
  settings.device = "cpu";
  settings.command.argv = {KEVOLVE_BIN_DIR "/simulated-worker"};
  settings.command.argv.insert(settings.command.argv.end(), options.begin(), options.end());
  settings.first_back_off = settings.longest_back_off = std::chrono::milliseconds(5);
  return std::make_shared<WorkerPool>(io, settings, [](const PoolNews&) {});
}

/// A desk with one simulated worker.
struct DeskFixture : SearchFixture {
  explicit DeskFixture(const std::vector<std::string>& options = {}) : pool(simulated_pool(io, options)) {
    search.problem.device = simulated_device("cpu", "simulated");
    search.problem.device_id = must(archive.enter_device(search.problem.device));
  }
  ~DeskFixture() {
    share.reset();
    pool->stop("done");
    io.restart();
    io.run_for(std::chrono::seconds(5));
  }
  /// A worker keeps the io_context busy: runs until the coroutine ends, no longer.
  template <class T>
  Result<T> finish_pool(asio::awaitable<Result<T>> work) {
    Result<T> result = failure("the coroutine did not end");
    asio::co_spawn(io, std::move(work), [&](const std::exception_ptr& thrown, Result<T> value) {
      result = thrown ? failure("the coroutine threw") : std::move(value);
      io.stop();
    });
    io.restart();
    io.run_for(std::chrono::seconds(20));
    return result;
  }
  /// A candidate's row; equal numbers are the same content under ideas of their own.
  CandidateRecord add(int number) {
    const IdeaId idea = must(archive.add_idea({search.problem.op_id, round.id, "playbook", "wide", "Wide."}));
    const NewCandidate row{entry(op, "wide").source, {{"BLOCK", 64}, {"ITEMS", number}}, {}};
    return must(archive.candidate(must(archive.add_candidates(idea, {row})).front()));
  }
  std::optional<Judged> judge(const CandidateRecord& candidate) {
    return must(finish_pool(real.judge(candidate, 1)));
  }
  std::int64_t evaluations() {
    return must(archive.select("SELECT count(*) FROM evaluations", {})).rows.at(0).at(0).get<std::int64_t>();
  }

  std::shared_ptr<WorkerPool> pool;
  std::shared_ptr<WorkerShare> share = pool->join("night", 1);
  RoundRecord round = begin_round();
  WorkerDesk real{io, search, *share};
};

TEST_CASE("a candidate is judged by a worker, archived, and counted") {
  DeskFixture f;
  const int before = f.allowance.taken();
  const CandidateRecord row = f.add(2);
  const auto judged = f.judge(row);
  REQUIRE(judged);
  CHECK(judged->candidate.id == row.id);
  CHECK(judged->idea_key == "wide");
  CHECK(judged->score == judged->evaluation.speedup);
  CHECK(judged->evaluation.measurement(subjects::kNaive) != nullptr);
  CHECK(must(f.archive.candidate(row.id)).evaluation == judged->evaluation_id);
  CHECK(f.allowance.taken() == before + 1);
  CHECK(f.search.standing.counts.judged == 1);
}

TEST_CASE("a candidate that has its evaluation keeps the first one, whatever retimings said") {
  DeskFixture f;
  const auto first = f.judge(f.add(2));
  REQUIRE(first);
  const auto again = must(f.finish_pool(f.real.retime(first->candidate, true)));
  REQUIRE(again);
  CHECK(again->evaluation.measurement(subjects::kCompile) != nullptr);
  const std::int64_t rows = f.evaluations();
  const auto known = f.judge(must(f.archive.candidate(first->candidate.id)));
  REQUIRE(known);
  CHECK(known->evaluation_id == first->evaluation_id);
  CHECK(known->idea_key == "wide");
  CHECK(f.evaluations() == rows);
}

TEST_CASE("an identical candidate gets the evaluation of its twin") {
  DeskFixture f;
  const auto first = f.judge(f.add(2));
  const CandidateRecord twin = f.add(2);
  const int before = f.allowance.taken();
  const auto judged = f.judge(twin);
  REQUIRE((first && judged));
  CHECK(judged->evaluation_id == first->evaluation_id);
  CHECK(must(f.archive.candidate(twin.id)).evaluation == first->evaluation_id);
  CHECK(f.allowance.taken() == before);
}

TEST_CASE("twins in flight are judged once") {
  DeskFixture f;
  const std::vector<CandidateRecord> twins = {f.add(2), f.add(2), f.add(4), f.add(2)};
  const std::int64_t before = f.evaluations();
  std::vector<EvaluationId> ids(twins.size());
  const auto judge_into = [&](std::size_t i) -> asio::awaitable<Result<void>> {
    CO_TRY(const auto judged, co_await f.real.judge(twins[i], 1));
    if (judged) ids[i] = judged->evaluation_id;
    co_return Result<void>{};
  };
  const auto all = [&]() -> asio::awaitable<Result<bool>> {
    TaskGroup tasks(f.io.get_executor());
    for (std::size_t i = 0; i < twins.size(); ++i) tasks.spawn(judge_into(i));
    CO_TRY_DO(co_await tasks.wait());
    co_return true;
  };
  CHECK(must(f.finish_pool(all())));
  CHECK(f.evaluations() == before + 2);
  CHECK(ids[0].value != 0);
  CHECK(ids[1] == ids[0]);
  CHECK(ids[3] == ids[0]);
  CHECK(ids[2] != ids[0]);
}

TEST_CASE("a request that fails for no fault of its candidate is sent again, then given up") {
  DeskFixture f({"--error", "1"});
  const int before = f.allowance.taken();
  const CandidateRecord row = f.add(2);
  CHECK_FALSE(f.judge(row));
  CHECK(f.allowance.taken() == before);
  CHECK_FALSE(must(f.archive.candidate(row.id)).evaluation.has_value());
  REQUIRE(f.heard.warnings.size() == 1);
  CHECK_THAT(f.heard.warnings[0], ContainsSubstring("was not judged: "));
  CHECK(f.pool->workers().at(0).answered == 6);
  CHECK_FALSE(must(f.finish_pool(f.real.retime(row, false))));
  CHECK_THAT(f.heard.warnings.back(), ContainsSubstring("timing a contender again"));
  CHECK_FALSE(f.finish_pool(f.real.judge_seed(row)));
}

TEST_CASE("nothing is judged once the budget is spent") {
  DeskFixture f;
  const CandidateRecord row = f.add(2);
  f.open = false;
  CHECK_FALSE(f.judge(row));
  CHECK(f.pool->workers().at(0).answered == 0);
  CHECK(f.heard.warnings.empty());
}

TEST_CASE("the naive kernel is judged beside PyTorch, at 1 x against itself") {
  DeskFixture f;
  const CandidateRecord naive = must(f.archive.candidate(f.search.standing.naive.id));
  const Evaluation evaluation = must(f.finish_pool(f.real.judge_seed(naive)));
  CHECK(evaluation.speedup == 1);
  CHECK(evaluation.measurement(subjects::kEager) != nullptr);
  CHECK(evaluation.measurement(subjects::kCompile) != nullptr);
}

TEST_CASE("a contender of a GPU is looked at on the cpu device, where races show") {
  DeskFixture f({"--device", "cpu", "--device", "cuda:0"});
  f.search.problem.device = simulated_device("cuda:0", "simulated");
  int held = 0, warned = 0;
  for (int items = 1; items <= 16; items *= 2) {
    const CandidateRecord row = f.add(items);
    const Verdict verdict = simulated_verdict(row.hash, row.tunables, Gate::correctness);
    const bool races = verdict.outcome == Outcome::race || verdict.outcome == Outcome::wrong_result ||
                       verdict.outcome == Outcome::illegal_access || verdict.outcome == Outcome::deadlock;
    const auto look = [&]() -> asio::awaitable<Result<bool>> {
      co_return co_await f.real.shows_no_race(row);
    };
    const bool holds = must(f.finish_pool(look()));
    CHECK(holds == !races);
    (holds ? held : warned) += 1;
  }
  CHECK(held > 0);
  CHECK(static_cast<int>(f.heard.warnings.size()) == warned);
}

// ---------------------------------------------------------------------------------------- requests

TEST_CASE("what a worker is asked depends on who leads, and on the device") {
  SearchFixture f;
  CandidateRecord row;
  row.id = {77};
  row.source = "the source";
  row.tunables = {{"BLOCK", 64}};
  EvaluateRequest request = first_request(f.search, row);
  CHECK(request.yardstick == "naive");
  CHECK(request.baselines.empty());
  REQUIRE(request.compare_with.size() == 1);
  CHECK(request.compare_with[0].name == "naive");
  CHECK(request.last_gate == Gate::timing);
  CHECK_FALSE(race_request(f.search, row));

  f.search.standing.champion.id = {5};
  f.search.standing.champion.source = "the champion";
  REQUIRE(first_request(f.search, row).compare_with.size() == 2);
  CHECK(first_request(f.search, row).compare_with[1].name == "incumbent");
  row.id = {5};
  CHECK(first_request(f.search, row).compare_with.size() == 1);  // not beside itself
  row.id = f.search.standing.naive.id;
  CHECK(seed_request(f.search, row).yardstick.empty());
  CHECK(seed_request(f.search, row).baselines == std::vector<std::string>{"eager", "compile"});

  row.id = {77};
  f.search.problem.device.name = "cuda:0";
  request = first_request(f.search, row);
  CHECK(request.yardstick == "eager");
  CHECK(request.baselines == std::vector<std::string>{"eager"});
  REQUIRE(request.compare_with.size() == 1);
  CHECK(request.compare_with[0].name == "incumbent");
  CHECK(retiming_request(f.search, row, false).last_gate == Gate::timing);
  CHECK(retiming_request(f.search, row, true).last_gate == Gate::profile);
  CHECK(retiming_request(f.search, row, true).fresh_draws);
  row.exchange = ExchangeId{3};
  CHECK(first_request(f.search, row).last_gate == Gate::profile);  // its model is to improve it
  const auto race = race_request(f.search, row);
  REQUIRE(race);
  CHECK(race->device == "cpu");
  CHECK(race->workload == "small");
  CHECK(race->last_gate == Gate::correctness);
  CHECK(race->compare_with.empty());
}

}  // namespace
}  // namespace kevolve::testing
