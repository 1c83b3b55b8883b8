#include "daemon/engine/job/job_run.hpp"

#include <fmt/format.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "daemon/engine/job/places.hpp"

namespace kevolve::engine {
namespace asio = boost::asio;
namespace {

/// How often the run looks after what no event tells it.
constexpr std::chrono::milliseconds kTick{200};
/// Past the end of the wall time, or of a gentle stop, replies that are on their way, and are paid for, may
/// still arrive.
constexpr double kGraceSeconds = 60;

double seconds_since(std::chrono::steady_clock::time_point then) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - then).count();
}

}  // namespace

JobRun::JobRun(asio::io_context& io, Parts parts, Observer& observer)
    : io_(io),
      parts_(std::move(parts)),
      observer_(observer),
      allowance_([this] { return !stopped_ && spent_budget().empty(); }),
      tick_(io) {}

void JobRun::stop_backends(bool all) {
  parts_.ideas.stop(all ? IdeaSource::Stop::now : IdeaSource::Stop::gently);
}

void JobRun::stop(Stop how) {
  if (stopped_ && stopped_->how == Stop::now) return;
  stopped_ = {how, stopped_ ? stopped_->since : Clock::now()};
  if (exchanges_) exchanges_->stop();
  stop_backends(how == Stop::now);
  how == Stop::now ? parts_.workers->abandon("interrupted") : parts_.workers->close("interrupted");
}

search::Usage JobRun::used() const {
  return clock_.used(exchanges_ ? exchanges_->used() : clock_.before(), evaluations());
}

std::vector<OperatorSummary> JobRun::operators() const {
  std::vector<OperatorSummary> summaries;
  for (const OperatorSearch& search : searches_) summaries.push_back(search.summary());
  return summaries;
}

asio::awaitable<void> JobRun::attend(std::shared_ptr<JobRun> self) {
  Clock::time_point last = Clock::now();
  while (!self->ended_) {
    boost::system::error_code ignored;
    self->tick_.expires_after(kTick);
    co_await self->tick_.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
    if (self->ended_) break;
    self->look_after(seconds_since(std::exchange(last, Clock::now())));
  }
}

void JobRun::look_after(double passed_seconds) {
  outages_.pass_on(parts_.ideas.news.take(), observer_);
  if (stopped_ && stopped_->how == Stop::gently && seconds_since(stopped_->since) > kGraceSeconds)
    stop_backends(true);
  if (!exchanges_) return;
  const WorkerShare& workers = *parts_.workers;
  const bool judged = workers.in_flight() + workers.waiting() > 0;
  const bool no_model = !away().empty() && exchanges_->under_way() > 0 && !judged;
  const bool no_worker = workers.pool().ready() == 0 && judged && exchanges_->under_way() == 0;
  if (no_model || no_worker) clock_.pause(passed_seconds);
  if (spent_budget().empty()) return;
  exchanges_->stop();
  const auto& limit = parts_.prepared.job.budget.wall_seconds;
  stop_backends(limit && used().wall_seconds > *limit + kGraceSeconds);
}

Result<void> JobRun::begin(const DeviceInfo& device) {
  const Job& document = parts_.prepared.job;
  archive::Archive& archive = parts_.archive;
  TRY(const archive::JobRecord job, archive.begin_job(document.name, to_json(document)));
  TRY(const DeviceId device_id, archive.enter_device(device));
  const Json versions{{"kevolve", parts_.version}, {"worker", parts_.workers->pool().version()}};
  TRY(const RunId run, archive.begin_run({job.id, device, std::to_string(document.seed), versions}));
  TRY(const archive::Spending spent, archive.spending(job.id));
  const search::Usage before{spent.evaluations, spent.requests, spent.input_tokens + spent.output_tokens,
                             spent.usd, spent.wall_seconds};
  clock_.carry_over(before);
  exchanges_.emplace(io_, archive, observer_, document.budget, before);
  environment_.emplace(SearchEnvironment{io_, archive, *parts_.workers, parts_.ideas, *exchanges_, observer_,
                                         allowance_, RunIdentity{document, job.id, run}, device, device_id,
                                         find_operator});
  return {};
}

asio::awaitable<Result<void>> JobRun::search(SearchEnvironment& environment) {
  const PreparedJob& prepared = parts_.prepared;
  for (std::size_t i = 0; i < prepared.operators.size(); ++i) {
    searches_.emplace_back(environment, prepared.operators[i], prepared.job.operators[i].workload);
  }
  for (OperatorSearch& search : searches_) {
    if (!allowance_.may_evaluate()) co_return Result<void>{};
    if (const Result<void> seeded = co_await search.seed(); !seeded) {
      if (stopped_) co_return Result<void>{};
      co_return failure(seeded.error());
    }
  }
  // Round-robin, also over runs: the operator that has done the fewest rounds of this series is next.
  while (allowance_.may_evaluate()) {
    OperatorSearch* next = nullptr;
    for (OperatorSearch& search : searches_) {
      if (search.stopped() || search.rounds_done() >= prepared.job.policy.rounds) continue;
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
  const Result<DeviceInfo> device = co_await parts_.workers->device();
  if (!device) {
    summary = failure(device.error());
  } else if (const Result<void> begun = begin(*device); !begun) {
    summary = failure(begun.error());
  } else {
    observer_.run_started(parts_.prepared.job, *device);
    summary = conclude(co_await search(*environment_));
  }
  ended_ = true;
  tick_.cancel();
  stop_backends(true);
  co_return summary;
}

Result<RunSummary> JobRun::conclude(const Result<void>& searched) {
  RunSummary summary{parts_.prepared.job.name, environment_->device, operators(), evaluations(),
                     clock_.elapsed_seconds(), "all rounds done",    used(),      exchanges_->answered(),
                     observer_.troubles()};
  if (const std::string spent = spent_budget(); !spent.empty()) summary.ended_by = spent;
  if (stopped_) summary.ended_by = "interrupted";
  stop_backends(true);
  outages_.pass_on(parts_.ideas.news.take(), observer_);
  const Result<void> written = write_end(searched, summary.ended_by);
  if (!searched) return failure(searched.error());
  if (!written) return failure(written.error());
  observer_.run_ended(summary);
  return summary;
}

/// Run and job in one transaction: a run that ended without its job would be taken for the end of another
/// series.
Result<void> JobRun::write_end(const Result<void>& searched, const std::string& ended_by) {
  const archive::RunState state = !searched  ? archive::RunState::failed
                                  : stopped_ ? archive::RunState::interrupted
                                             : archive::RunState::finished;
  TRY(archive::Transaction transaction, parts_.archive.begin());
  TRY_DO(parts_.archive.end_run(environment_->run.run_id, state));
  if (!searched) {
    TRY_DO(parts_.archive.end_job(environment_->run.job_id, archive::JobState::failed,
                                  searched.error().message));
  } else if (!stopped_) {
    TRY_DO(parts_.archive.end_job(environment_->run.job_id, archive::JobState::finished, ended_by));
  }
  return transaction.commit();
}

}  // namespace kevolve::engine
