#include "daemon/service/running_jobs.hpp"

#include <fmt/format.h>
#include <malloc.h>

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>

#include "daemon/engine/job/engine.hpp"
#include "daemon/engine/report/run_json.hpp"
#include "daemon/engine/report/summary.hpp"

namespace kevolve::service {
namespace asio = boost::asio;
namespace {

/// A pool has no worker, and waits this long for the next start: somebody may want to know.
constexpr double kTroublingSeconds = 2;

}  // namespace

void ActiveJob::stop(Intent why, engine::JobRun::Stop how) {
  intent = why;
  run->stop(how);
}

RunningJobs::RunningJobs(ServiceParts& parts, DaemonSettings settings)
    : parts_(parts),
      settings_(std::move(settings)),
      sink_(parts_.events),
      notifier_([this](std::string what) {
        asio::post(parts_.io, [this, what = std::move(what)] { sink_.put("warned", "", {{"text", what}}); });
      }),
      pools_(parts_.io, [this](const engine::PoolNews& news) { hear(news); }),
      drain_limit_(parts_.io) {
  pools_.configure(settings_);
  notifier_.configure(settings_.notifications);
}

void RunningJobs::configure(DaemonSettings settings) {
  settings_ = std::move(settings);
  pools_.configure(settings_);
  notifier_.configure(settings_.notifications);
}

ActiveJob* RunningJobs::find(const std::string& name) {
  const auto found = active_.find(name);
  return found == active_.end() ? nullptr : &found->second;
}

engine::ServiceLimits RunningJobs::limits() const {
  return {.archive = {}, .job_launchers = settings_.job_launchers, .devices = pools_.devices()};
}

Result<void> RunningJobs::start() {
  TRY(const auto jobs, parts_.archive.jobs());
  int taken_up = 0;
  for (const archive::JobRecord& job : jobs) {
    if (!job.submitted_at ||
        (job.state != archive::JobState::running && job.state != archive::JobState::queued))
      continue;
    ++taken_up;
    if (job.state == archive::JobState::queued) continue;
    TRY_DO(parts_.archive.end_job(job.id, archive::JobState::queued, "the service was started again"));
  }
  sink_.put("service_started", "",
            {{"version", parts_.version}, {"archive", settings_.archive.string()}, {"jobs", taken_up}});
  start_next();
  return {};
}

/// The highest priority, then the longest wait.
Result<std::optional<archive::JobRecord>> RunningJobs::next() const {
  TRY(const auto jobs, parts_.archive.jobs());
  const archive::JobRecord* next = nullptr;
  for (const archive::JobRecord& job : jobs) {
    if (job.state != archive::JobState::queued || !job.submitted_at || active_.contains(job.name)) continue;
    if (next == nullptr || job.priority > next->priority ||
        (job.priority == next->priority && *job.submitted_at < *next->submitted_at))
      next = &job;
  }
  return next == nullptr ? std::nullopt : std::optional(*next);
}

void RunningJobs::start_next() {
  while (!draining_ && static_cast<int>(active_.size()) < settings_.max_running) {
    const auto job = next();
    if (!job) sink_.put("warned", "", {{"text", job.error().message}});
    if (!job || !*job) return;
    const std::string& name = (*job)->name;
    const Result<void> begun = begin(**job);
    if (begun) continue;
    active_.erase(name);
    const std::string& why = begun.error().message;
    sink_.put("job_ended", name, {{"state", "failed"}, {"reason", why}});
    notifier_.tell("end", name, {{"state", "failed"}, {"reason", why}});
    if (const auto done = parts_.archive.end_job((*job)->id, archive::JobState::failed, why); !done) {
      sink_.put("warned", name, {{"text", done.error().message}});
      return;  // the next turn of the loop would try the same job again, without end
    }
  }
}

Result<void> RunningJobs::begin(const archive::JobRecord& record) {
  const std::string where = fmt::format("job '{}'", record.name);
  const engine::ServiceLimits service = limits();
  TRY(engine::PreparedJob prepared,
      engine::admit_job(record.document, where, {settings_.models, &parts_.keys, &service}));
  const Job& job = prepared.job;
  auto ideas = engine::open_idea_sources(job, settings_.models, &parts_.keys);
  if (!ideas) return failure(ideas.error().in(where));
  const auto pool = job.launcher.empty() ? pools_.for_device(job.device) : pools_.own(job);
  ActiveJob& active = active_[record.name];
  active.record = record;
  active.ideas = std::move(*ideas);
  active.observer = std::make_unique<ServiceObserver>(
      record.name, sink_,
      [this, name = record.name](auto kind, Json data) { notifier_.tell(kind, name, std::move(data)); });
  active.run = std::make_shared<engine::JobRun>(
      parts_.io,
      engine::JobRun::Parts{std::move(prepared), parts_.version, parts_.archive, *active.ideas,
                            pool->join(record.name, search::weight_of_priority(record.priority))},
      *active.observer);
  // From now on the archive says that it runs, also before a worker is there.
  TRY_DO(parts_.archive.end_job(record.id, archive::JobState::running));
  asio::co_spawn(
      parts_.io, active.run->execute(),
      [this, name = record.name](const std::exception_ptr& thrown, Result<engine::RunSummary> result) {
        if (thrown) result = failure("internal error: an exception crossed a run");
        asio::post(parts_.io, [this, name, result = std::move(result)]() mutable { end(name, result); });
      });
  return {};
}

void RunningJobs::end(const std::string& name, const Result<engine::RunSummary>& result) {
  const auto found = active_.find(name);
  if (found == active_.end()) return;
  ActiveJob job = std::move(found->second);
  active_.erase(found);
  conclude(job, result);
  summarise(job, result);
  job.run.reset();
  ::malloc_trim(0);  // gives the system back what the job's rounds read of the archive
  pools_.tidy();
  start_next();
  end_if_drained();
}

/// Sets the job's state where its run could not: somebody stopped it, or it never began.
void RunningJobs::conclude(ActiveJob& job, const Result<engine::RunSummary>& result) {
  const bool broke = !result && job.run->began();  // also while it was being stopped
  const bool stopped =
      job.intent != ActiveJob::Intent::none && !broke && (!result || result->ended_by == "interrupted");
  archive::JobState state = archive::JobState::finished;
  std::string reason;
  if (stopped) {
    state = job.intent == ActiveJob::Intent::pause    ? archive::JobState::paused
            : job.intent == ActiveJob::Intent::cancel ? archive::JobState::cancelled
                                                      : archive::JobState::queued;
    reason = job.intent == ActiveJob::Intent::drain ? "the service was ended" : "by request";
  } else {
    state = result ? archive::JobState::finished : archive::JobState::failed;
    reason = result ? result->ended_by : result.error().message;
  }
  if (const auto done = parts_.archive.end_job(job.record.id, state, reason); !done)
    sink_.put("warned", job.record.name, {{"text", done.error().message}});
  Json data{{"state", archive::name(state)}, {"reason", reason}, {"evaluations", job.run->evaluations()}};
  const bool paused = state == archive::JobState::paused || state == archive::JobState::queued;
  sink_.put(paused ? "job_paused" : "job_ended", job.record.name, data);
  if (!paused && state != archive::JobState::cancelled) {
    Json operators = Json::array();
    for (const engine::OperatorSummary& summary : job.run->operators()) operators.push_back(to_json(summary));
    data["operators"] = std::move(operators);
    data["summary"] = (settings_.summaries / (job.record.name + ".md")).string();
    notifier_.tell("end", job.record.name, std::move(data));
  }
}

void RunningJobs::summarise(const ActiveJob& job, const Result<engine::RunSummary>& result) {
  Result<engine::JobSummary> report = engine::gather_summary(parts_.archive, job.record.name);
  if (report) {
    if (result) {
      engine::add_run(*report, *result);
    } else {
      report->operators = job.run->operators();
      report->used = job.run->used();
      report->troubles = job.run->troubles();
    }
    const auto written = engine::write_summary(*report, settings_.summaries / (job.record.name + ".md"));
    if (!written) report = failure(written.error());
  }
  if (!report) sink_.put("warned", job.record.name, {{"text", report.error().message}});
}

void RunningJobs::hear(const engine::PoolNews& news) {
  using Kind = engine::PoolNews::Kind;
  std::string_view type = "worker_started";
  if (news.kind == Kind::started && news.again) type = "worker_replaced";
  if (news.kind == Kind::lost) type = "worker_lost";
  if (news.kind == Kind::refused) type = "worker_refused";
  if (news.kind == Kind::idle) type = "workers_idle";
  Json data{{"pool", news.pool}};
  if (news.worker > 0) data["worker"] = news.worker;
  data["text"] = news.text;
  if (news.next_try_seconds > 0) data["next_try_seconds"] = news.next_try_seconds;
  sink_.put(type, "", data);
  if (news.kind != Kind::lost && news.kind != Kind::refused) return;
  for (const auto& pool : pools_.all()) {
    if (pool->settings().name != news.pool) continue;
    for (const engine::WorkerShare* share : pool->shares()) {
      if (const auto found = active_.find(share->job()); found != active_.end())
        found->second.run->note_trouble(engine::in_words(news));
    }
    // Once, when the delay passes the limit: it doubles from failure to failure.
    if (pool->ready() == 0 && news.next_try_seconds >= kTroublingSeconds &&
        news.next_try_seconds < 2 * kTroublingSeconds)
      notifier_.tell("trouble", "", std::move(data));
  }
}

// -------------------------------------------------------------------------------------------- its end

void RunningJobs::drain() {
  if (draining_) return;
  draining_ = true;
  sink_.put("draining", "", {{"jobs", active_.size()}, {"limit_seconds", settings_.drain.count()}});
  for (auto& [name, job] : active_) {
    if (job.intent == ActiveJob::Intent::none)
      job.stop(ActiveJob::Intent::drain, engine::JobRun::Stop::gently);
  }
  drain_limit_.expires_after(settings_.drain);
  drain_limit_.async_wait([this](const boost::system::error_code& error) {
    if (!error) stop_now();
  });
  end_if_drained();
}

void RunningJobs::stop_now() {
  draining_ = true;
  for (auto& [name, job] : active_) {
    job.stop(job.intent == ActiveJob::Intent::none ? ActiveJob::Intent::drain : job.intent,
             engine::JobRun::Stop::now);
  }
  end_if_drained();
}

void RunningJobs::end_if_drained() {
  if (!draining_ || !active_.empty() || std::exchange(ended_, true)) return;
  drain_limit_.cancel();
  pools_.stop("the service ends");
  notifier_.flush(std::chrono::seconds(5));
  sink_.put("service_ended", "", Json::object());
  parts_.ended();
}

}  // namespace kevolve::service
