#include "daemon/engine.hpp"

#include <fmt/format.h>
#include <signal.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <chrono>

#include "daemon/operator_search.hpp"
#include "daemon/worker_pool.hpp"

namespace kevolve {
namespace asio = boost::asio;
namespace {

using Clock = std::chrono::steady_clock;

/// One run of a job.
class Run {
 public:
  Run(const EngineSettings& settings, Archive& archive, IdeaSource& ideas, Observer& observer,
      asio::io_context& io)
      : settings_(settings),
        archive_(archive),
        ideas_(ideas),
        observer_(observer),
        io_(io),
        pool_(io, settings.job.device) {}

  asio::awaitable<Result<RunSummary>> execute();
  void interrupt() {
    interrupted_ = true;
    pool_.stop("interrupted");
  }
  WorkerPool& pool() { return pool_; }

 private:
  asio::awaitable<Result<void>> search(SearchEnvironment& environment);
  Result<SearchEnvironment> begin(const DeviceInfo& device);
  /// The last round of this series: an unfinished series is completed, a finished one is followed by another.
  Result<int> target_round(const SearchEnvironment& environment);
  [[nodiscard]] std::string spent_budget(int evaluations) const;
  [[nodiscard]] double elapsed_seconds() const {
    return std::chrono::duration<double>(Clock::now() - started_).count();
  }

  const EngineSettings& settings_;
  Archive& archive_;
  IdeaSource& ideas_;
  Observer& observer_;
  asio::io_context& io_;
  WorkerPool pool_;
  Clock::time_point started_ = Clock::now();
  bool interrupted_ = false;
  std::vector<OperatorSearch> searches_;
};

std::string Run::spent_budget(int evaluations) const {
  const Job& job = settings_.job;
  if (job.budget.evaluations && evaluations >= *job.budget.evaluations) {
    return fmt::format("budget: {} evaluations spent", evaluations);
  }
  if (job.budget.wall_seconds && elapsed_seconds() >= *job.budget.wall_seconds) {
    return fmt::format("budget: {:.0f} s of wall time spent", elapsed_seconds());
  }
  return {};
}

Result<SearchEnvironment> Run::begin(const DeviceInfo& device) {
  const Result<JobRecord> job = archive_.begin_job(settings_.job.name, to_json(settings_.job));
  if (!job) return failure(job.error());
  const Result<DeviceId> device_id = archive_.enter_device(device);
  if (!device_id) return failure(device_id.error());
  const Json versions{{"kevolve", settings_.version}, {"worker", pool_.workers().front()->hello().version}};
  const Result<RunId> run =
      archive_.begin_run({job->id, device, std::to_string(settings_.job.seed), versions});
  if (!run) return failure(run.error());
  return SearchEnvironment{io_,     archive_, pool_,  ideas_,     observer_, settings_.job,
                           job->id, *run,     device, *device_id, 0,         {}};
}

Result<int> Run::target_round(const SearchEnvironment& environment) {
  const auto rounds = archive_.rounds(environment.job_id);
  if (!rounds) return failure(rounds.error());
  int finished = 0;
  for (const RoundRecord& round : *rounds) {
    if (round.state == RoundState::finished) finished = std::max(finished, round.number);
  }
  const int series = settings_.job.policy.rounds;
  return (finished / series + 1) * series;
}

asio::awaitable<Result<void>> Run::search(SearchEnvironment& environment) {
  const Result<int> target = target_round(environment);
  if (!target) co_return failure(target.error());
  for (std::size_t i = 0; i < settings_.operators.size(); ++i) {
    searches_.emplace_back(environment, settings_.operators[i], settings_.job.operators[i].workload);
  }
  for (OperatorSearch& search : searches_) {
    if (!environment.may_evaluate()) co_return Result<void>{};
    if (const Result<void> seeded = co_await search.seed(); !seeded) {
      if (interrupted_) co_return Result<void>{};
      co_return failure(seeded.error());
    }
  }
  bool active = true;
  while (active && environment.may_evaluate()) {
    active = false;
    for (OperatorSearch& search : searches_) {
      if (search.stopped() || search.last_round() >= *target || !environment.may_evaluate()) continue;
      if (const Result<void> done = co_await search.round(); !done) {
        if (interrupted_) co_return Result<void>{};
        co_return failure(done.error());
      }
      active = true;
    }
  }
  co_return Result<void>{};
}

asio::awaitable<Result<RunSummary>> Run::execute() {
  const Job& job = settings_.job;
  const Result<void> started = co_await pool_.start(settings_.worker, job.workers);
  if (!started) co_return failure(started.error());
  const Result<DeviceInfo> device = pool_.device(job.device);
  if (!device) co_return failure(device.error().in("job " + job.name + ": device"));
  Result<SearchEnvironment> environment = begin(*device);
  if (!environment) co_return failure(environment.error());
  environment->may_evaluate = [this, env = &*environment] {
    return !interrupted_ && spent_budget(env->evaluations).empty();
  };
  observer_.run_started(job, *device);
  const Result<void> searched = co_await search(*environment);

  RunSummary summary{job.name, *device, {}, environment->evaluations, elapsed_seconds(), "all rounds done"};
  for (const OperatorSearch& search : searches_) summary.operators.push_back(search.summary());
  if (const std::string spent = spent_budget(environment->evaluations); !spent.empty())
    summary.ended_by = spent;
  if (interrupted_) summary.ended_by = "interrupted";
  pool_.stop("the run has ended");
  const RunState state = !searched      ? RunState::failed
                         : interrupted_ ? RunState::interrupted
                                        : RunState::finished;
  const Result<void> run_ended = archive_.end_run(environment->run_id, state);
  const Result<void> job_ended =
      interrupted_ ? Result<void>{}
                   : archive_.end_job(environment->job_id, searched ? JobState::finished : JobState::failed);
  if (!searched) co_return failure(searched.error());
  if (!run_ended) co_return failure(run_ended.error());
  if (!job_ended) co_return failure(job_ended.error());
  observer_.run_ended(summary);
  co_return summary;
}

}  // namespace

Result<RunSummary> run_job(const EngineSettings& settings, Archive& archive, IdeaSource& ideas,
                           Observer& observer) {
  ::signal(SIGPIPE, SIG_IGN);  // a dead worker is noticed by its end of file
  asio::io_context io(1);
  Run run(settings, archive, ideas, observer, io);
  asio::signal_set signals(io, SIGINT, SIGTERM);
  signals.async_wait([&](const boost::system::error_code& error, int) {
    if (!error) run.interrupt();
  });
  Result<RunSummary> summary = failure("the run did not start");
  asio::co_spawn(io, run.execute(), [&](const std::exception_ptr& exception, Result<RunSummary> result) {
    summary = exception ? failure("internal error: an exception crossed the engine") : std::move(result);
    signals.cancel();
    run.pool().stop("the run has ended");
  });
  io.run();
  return summary;
}

}  // namespace kevolve
