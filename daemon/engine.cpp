#include "daemon/engine.hpp"

#include <fmt/format.h>
#include <signal.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <chrono>
#include <set>

#include "daemon/operator_search.hpp"
#include "daemon/worker_pool.hpp"

namespace kevolve {
namespace asio = boost::asio;
namespace {

using Clock = std::chrono::steady_clock;

/// How often the run looks after what no event tells it.
constexpr std::chrono::milliseconds kTick{200};
/// Past the end of the wall time, replies that are under way, and are paid for, may still arrive.
constexpr double kGraceSeconds = 60;

/// One run of a job.
class Run {
 public:
  Run(const EngineSettings& settings, Archive& archive, IdeaSources& ideas, Observer& observer,
      asio::io_context& io)
      : settings_(settings),
        archive_(archive),
        ideas_(ideas),
        observer_(observer),
        io_(io),
        pool_(io, settings.job.device),
        tick_(io) {}

  asio::awaitable<Result<RunSummary>> execute();
  void interrupt() {
    interrupted_ = true;
    if (exchanges_) exchanges_->stop();
    stop_backends();
    pool_.stop("interrupted");
  }
  void end() {
    ended_ = true;
    tick_.cancel();
  }
  /// Looks after the run until it has ended: passes on news of backends, keeps the clock, stops what waits.
  asio::awaitable<void> attend();
  WorkerPool& pool() { return pool_; }

 private:
  asio::awaitable<Result<void>> search(SearchEnvironment& environment);
  /// The job's and the run's rows, and with them environment_ and exchanges_.
  Result<void> begin(const DeviceInfo& device);
  /// The last round of this series: an unfinished series is completed, a finished one is followed by another.
  Result<int> target_round(const SearchEnvironment& environment);
  [[nodiscard]] Usage used() const;
  [[nodiscard]] std::string spent_budget() const { return spent_limit(settings_.job.budget, used()); }
  [[nodiscard]] double elapsed_seconds() const {
    return std::chrono::duration<double>(Clock::now() - started_).count();
  }
  void pass_on_news();
  void stop_backends() {
    for (ModelSource& source : ideas_.models) source.backend->stop();
  }

  const EngineSettings& settings_;
  Archive& archive_;
  IdeaSources& ideas_;
  Observer& observer_;
  asio::io_context& io_;
  WorkerPool pool_;
  Clock::time_point started_ = Clock::now();
  bool interrupted_ = false, ended_ = false;
  std::vector<OperatorSearch> searches_;
  std::optional<SearchEnvironment> environment_;
  std::optional<Exchanges> exchanges_;
  Usage before_;                ///< by earlier runs of the present budget
  double paused_seconds_ = 0;   ///< nothing could go on but for an outage
  std::set<std::string> away_;  ///< endpoints in an outage
  asio::steady_timer tick_;
};

Usage Run::used() const {
  Usage usage = exchanges_ ? exchanges_->used() : before_;
  usage.evaluations = before_.evaluations + (environment_ ? environment_->evaluations : 0);
  usage.wall_seconds = before_.wall_seconds + elapsed_seconds() - paused_seconds_;
  return usage;
}

void Run::pass_on_news() {
  using Kind = BackendNews::Item::Kind;
  for (const BackendNews::Item& item : ideas_.news.take()) {
    if (item.kind == Kind::outage_began) {
      away_.insert(item.endpoint);
      observer_.warned(fmt::format("{} is away: {}. Its requests wait, unspent, until it answers again.",
                                   item.endpoint, item.text));
    } else if (item.kind == Kind::outage_ended) {
      away_.erase(item.endpoint);
      observer_.warned(fmt::format("{} answers again, after {}", item.endpoint, item.text));
    } else {
      observer_.noted(item.text);
    }
  }
}

asio::awaitable<void> Run::attend() {
  Clock::time_point last = Clock::now();
  while (!ended_) {
    boost::system::error_code ignored;
    tick_.expires_after(kTick);
    co_await tick_.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
    pass_on_news();
    const double passed =
        std::chrono::duration<double>(Clock::now() - std::exchange(last, Clock::now())).count();
    if (!exchanges_) continue;
    if (!away_.empty() && exchanges_->under_way() > 0 && pool_.in_flight() == 0) paused_seconds_ += passed;
    if (spent_budget().empty()) continue;
    exchanges_->stop();
    const auto& limit = settings_.job.budget.wall_seconds;
    const bool late = limit && used().wall_seconds > *limit + kGraceSeconds;
    for (ModelSource& source : ideas_.models) {
      if (late || source.name != "llm") source.backend->stop();  // a person may never reply
    }
  }
}

Result<void> Run::begin(const DeviceInfo& device) {
  const Result<JobRecord> job = archive_.begin_job(settings_.job.name, to_json(settings_.job));
  if (!job) return failure(job.error());
  const Result<DeviceId> device_id = archive_.enter_device(device);
  if (!device_id) return failure(device_id.error());
  const Json versions{{"kevolve", settings_.version}, {"worker", pool_.workers().front()->hello().version}};
  const Result<RunId> run =
      archive_.begin_run({job->id, device, std::to_string(settings_.job.seed), versions});
  if (!run) return failure(run.error());
  const Result<Spending> spent = archive_.spending(job->id);
  if (!spent) return failure(spent.error());
  before_ = {spent->evaluations, spent->requests, spent->input_tokens + spent->output_tokens, spent->usd,
             spent->wall_seconds};
  exchanges_.emplace(io_, archive_, observer_, settings_.job.budget, before_);
  environment_.emplace(SearchEnvironment{io_, archive_, pool_, ideas_, *exchanges_, observer_, settings_.job,
                                         job->id, *run, device, *device_id, 0,
                                         [this] { return !interrupted_ && spent_budget().empty(); }});
  return {};
}

Result<int> Run::target_round(const SearchEnvironment& environment) {
  const auto rounds = archive_.rounds(environment.job_id);
  if (!rounds) return failure(rounds.error());
  const auto present = archive_.rounds_of_present_series(environment.job_id);
  if (!present) return failure(present.error());
  std::set<RoundId> unfinished_series;
  for (const RoundRecord& round : *present) unfinished_series.insert(round.id);
  int finished = 0;
  for (const RoundRecord& round : *rounds) {
    if (round.state == RoundState::finished && !unfinished_series.contains(round.id))
      finished = std::max(finished, round.number);
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
    const auto ended = [&](const OperatorSearch& search) {
      return search.stopped() || search.last_round() >= *target;
    };
    int least = *target;  // those that an interruption left behind go first
    for (const OperatorSearch& search : searches_) {
      if (!ended(search)) least = std::min(least, search.last_round());
    }
    for (OperatorSearch& search : searches_) {
      if (ended(search) || search.last_round() > least || !environment.may_evaluate()) continue;
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
  if (const Result<void> begun = begin(*device); !begun) co_return failure(begun.error());
  observer_.run_started(job, *device);
  const Result<void> searched = co_await search(*environment_);

  RunSummary summary{job.name, *device, {}, environment_->evaluations, elapsed_seconds(), "all rounds done"};
  for (const OperatorSearch& search : searches_) summary.operators.push_back(search.summary());
  summary.used = used();
  summary.exchanges = exchanges_->answered();
  if (const std::string spent = spent_budget(); !spent.empty()) summary.ended_by = spent;
  if (interrupted_) summary.ended_by = "interrupted";
  stop_backends();
  pass_on_news();
  pool_.stop("the run has ended");
  const RunState state = !searched      ? RunState::failed
                         : interrupted_ ? RunState::interrupted
                                        : RunState::finished;
  const Result<void> run_ended = archive_.end_run(environment_->run_id, state);
  const Result<void> job_ended =
      interrupted_ ? Result<void>{}
                   : archive_.end_job(environment_->job_id, searched ? JobState::finished : JobState::failed);
  if (!searched) co_return failure(searched.error());
  if (!run_ended) co_return failure(run_ended.error());
  if (!job_ended) co_return failure(job_ended.error());
  observer_.run_ended(summary);
  co_return summary;
}

}  // namespace

Result<RunSummary> run_job(const EngineSettings& settings, Archive& archive, IdeaSources& ideas,
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
    run.end();
    run.pool().stop("the run has ended");
  });
  asio::co_spawn(io, run.attend(), asio::detached);
  io.run();
  return summary;
}

}  // namespace kevolve
