#include "daemon/engine/job/job_run.hpp"

#include <fmt/format.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace kevolve {
namespace asio = boost::asio;
namespace {

/// How often the run looks after what no event tells it.
constexpr std::chrono::milliseconds kTick{200};
/// Past the end of the wall time, or of a gentle stop, replies that are under way, and are paid for, may
/// still arrive.
constexpr double kGraceSeconds = 60;

}  // namespace

JobRun::JobRun(asio::io_context& io, PreparedJob prepared, std::string version, Archive& archive,
               IdeaSources& ideas, std::shared_ptr<WorkerShare> workers, Observer& observer)
    : io_(io),
      prepared_(std::move(prepared)),
      version_(std::move(version)),
      archive_(archive),
      ideas_(ideas),
      workers_(std::move(workers)),
      observer_(observer),
      tick_(io) {}

double JobRun::elapsed_seconds() const {
  return std::chrono::duration<double>(Clock::now() - started_).count();
}

void JobRun::stop_backends(bool all) {
  for (ModelSource& source : ideas_.models) {
    if (all || source.name != "llm") source.backend->stop();  // a person may never reply
  }
}

void JobRun::stop(Stop how) {
  if (stopped_ == Stop::now) return;
  if (!stopped_) stopped_at_ = Clock::now();
  stopped_ = how;
  if (exchanges_) exchanges_->stop();
  stop_backends(how == Stop::now);
  how == Stop::now ? workers_->abandon("interrupted") : workers_->close("interrupted");
}

Usage JobRun::used() const {
  Usage usage = exchanges_ ? exchanges_->used() : before_;
  usage.evaluations = before_.evaluations + (environment_ ? environment_->evaluations : 0);
  usage.wall_seconds = before_.wall_seconds + elapsed_seconds() - paused_seconds_;
  return usage;
}

std::vector<OperatorSummary> JobRun::operators() const {
  std::vector<OperatorSummary> summaries;
  for (const OperatorSearch& search : searches_) summaries.push_back(search.summary());
  return summaries;
}

void JobRun::pass_on_news() {
  using Kind = BackendNews::Item::Kind;
  for (const BackendNews::Item& item : ideas_.news.take()) {
    if (item.kind == Kind::outage_began) {
      away_.insert(item.endpoint);
      observer_.troubled(fmt::format("{} is away: {}. Its requests wait, unspent, until it answers again.",
                                     item.endpoint, item.text));
    } else if (item.kind == Kind::outage_ended) {
      away_.erase(item.endpoint);
      observer_.warned(fmt::format("{} answers again, after {}", item.endpoint, item.text));
    } else {
      observer_.noted(item.text);
    }
  }
}

asio::awaitable<void> JobRun::attend(std::shared_ptr<JobRun> self) {
  Clock::time_point last = Clock::now();
  while (!self->ended_) {
    boost::system::error_code ignored;
    self->tick_.expires_after(kTick);
    co_await self->tick_.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
    if (self->ended_) break;
    self->look_after(std::chrono::duration<double>(Clock::now() - std::exchange(last, Clock::now())).count());
  }
}

void JobRun::look_after(double passed_seconds) {
  pass_on_news();
  if (stopped_ == Stop::gently &&
      std::chrono::duration<double>(Clock::now() - stopped_at_).count() > kGraceSeconds)
    stop_backends(true);
  if (!exchanges_) return;
  const bool judged = workers_->in_flight() + workers_->waiting() > 0;
  const bool no_model = !away_.empty() && exchanges_->under_way() > 0 && !judged;
  const bool no_worker = workers_->pool().ready() == 0 && judged && exchanges_->under_way() == 0;
  if (no_model || no_worker) paused_seconds_ += passed_seconds;
  if (spent_budget().empty()) return;
  exchanges_->stop();
  const auto& limit = prepared_.job.budget.wall_seconds;
  stop_backends(limit && used().wall_seconds > *limit + kGraceSeconds);
}

Result<void> JobRun::begin(const DeviceInfo& device) {
  const Job& document = prepared_.job;
  const Result<JobRecord> job = archive_.begin_job(document.name, to_json(document));
  if (!job) return failure(job.error());
  const Result<DeviceId> device_id = archive_.enter_device(device);
  if (!device_id) return failure(device_id.error());
  const Json versions{{"kevolve", version_}, {"worker", workers_->pool().version()}};
  const Result<RunId> run = archive_.begin_run({job->id, device, std::to_string(document.seed), versions});
  if (!run) return failure(run.error());
  const Result<Spending> spent = archive_.spending(job->id);
  if (!spent) return failure(spent.error());
  before_ = {spent->evaluations, spent->requests, spent->input_tokens + spent->output_tokens, spent->usd,
             spent->wall_seconds};
  exchanges_.emplace(io_, archive_, observer_, document.budget, before_);
  environment_.emplace(SearchEnvironment{io_, archive_, *workers_, ideas_, *exchanges_, observer_, document,
                                         job->id, *run, job->series_began_at, device, *device_id, 0,
                                         [this] { return !stopped_ && spent_budget().empty(); }});
  return {};
}

asio::awaitable<Result<void>> JobRun::search(SearchEnvironment& environment) {
  for (std::size_t i = 0; i < prepared_.operators.size(); ++i) {
    searches_.emplace_back(environment, prepared_.operators[i], prepared_.job.operators[i].workload);
  }
  for (OperatorSearch& search : searches_) {
    if (!environment.may_evaluate()) co_return Result<void>{};
    if (const Result<void> seeded = co_await search.seed(); !seeded) {
      if (stopped_) co_return Result<void>{};
      co_return failure(seeded.error());
    }
  }
  // Round-robin, also over runs: the operator that has done the fewest rounds of this series is next.
  while (environment.may_evaluate()) {
    OperatorSearch* next = nullptr;
    for (OperatorSearch& search : searches_) {
      if (search.stopped() || search.rounds_done() >= prepared_.job.policy.rounds) continue;
      if (next == nullptr || search.rounds_done() < next->rounds_done()) next = &search;
    }
    if (next == nullptr) break;
    if (const Result<void> done = co_await next->round(); !done) {
      if (stopped_) co_return Result<void>{};
      co_return failure(done.error());
    }
  }
  co_return Result<void>{};
}

asio::awaitable<Result<RunSummary>> JobRun::execute() {
  const auto self = shared_from_this();
  asio::co_spawn(io_, attend(self), asio::detached);
  Result<RunSummary> summary = failure("the run did not start");
  const Result<DeviceInfo> device = co_await workers_->device();
  if (!device) {
    summary = failure(device.error());
  } else if (const Result<void> begun = begin(*device); !begun) {
    summary = failure(begun.error());
  } else {
    observer_.run_started(prepared_.job, *device);
    summary = co_await conclude(co_await search(*environment_));
  }
  ended_ = true;
  tick_.cancel();
  stop_backends(true);
  co_return summary;
}

asio::awaitable<Result<RunSummary>> JobRun::conclude(Result<void> searched) {
  RunSummary summary{prepared_.job.name,  environment_->device, operators(), environment_->evaluations,
                     elapsed_seconds(),   "all rounds done",    used(),      exchanges_->answered(),
                     observer_.troubles()};
  if (const std::string spent = spent_budget(); !spent.empty()) summary.ended_by = spent;
  if (stopped_) summary.ended_by = "interrupted";
  stop_backends(true);
  pass_on_news();
  const RunState state = !searched ? RunState::failed : stopped_ ? RunState::interrupted : RunState::finished;
  // Together: a run that ended without its job would be taken for the end of another series.
  Result<Transaction> transaction = archive_.begin();
  if (!transaction) co_return failure(transaction.error());
  const Result<void> run_ended = archive_.end_run(environment_->run_id, state);
  Result<void> job_ended;
  if (!searched) {
    job_ended = archive_.end_job(environment_->job_id, JobState::failed, searched.error().message);
  } else if (!stopped_) {
    job_ended = archive_.end_job(environment_->job_id, JobState::finished, summary.ended_by);
  }
  const Result<void> saved = !run_ended ? run_ended : !job_ended ? job_ended : transaction->commit();
  if (!searched) co_return failure(searched.error());
  if (!saved) co_return failure(saved.error());
  observer_.run_ended(summary);
  co_return summary;
}

}  // namespace kevolve
