#include "daemon/service/job_service.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/post.hpp>

#include "core/text/schema.hpp"
#include "daemon/service/job_json.hpp"

namespace kevolve::service {
namespace asio = boost::asio;
namespace {

using Kind = ServiceFailure;
using Intent = ActiveJob::Intent;

tl::unexpected<ServiceError> refuse(Kind kind, std::string message) {
  return tl::unexpected(ServiceError{kind, std::move(message)});
}

tl::unexpected<ServiceError> broken(const Error& error) {
  return refuse(Kind::internal, error.message);
}

Result<int> priority_of(const Json& value) {
  if (!value.is_number_integer() || value < search::kLowestPriority || value > search::kHighestPriority) {
    return failure(fmt::format("priority: {} is not a priority; expected an integer from {} to {}",
                               value.dump(), search::kLowestPriority, search::kHighestPriority));
  }
  return value.get<int>();
}

/// Only these keys, and all that are required.
Result<void> check_body(const Json& body, const std::vector<std::string>& known,
                        const std::string& required = "") {
  if (!body.is_object()) return failure("the body is not a JSON object");
  for (const auto& [key, value] : body.items()) {
    if (std::find(known.begin(), known.end(), key) != known.end()) continue;
    return failure(known.empty() ? fmt::format("{}: unknown key; expected an empty object", key)
                                 : fmt::format("{}: unknown key; expected: {}", key, fmt::join(known, ", ")));
  }
  if (!required.empty() && !body.contains(required))
    return failure(fmt::format("{}: it is missing", required));
  return {};
}

}  // namespace

JobService::JobService(Parts parts, DaemonSettings settings)
    : parts_(std::move(parts)),
      jobs_(parts_, std::move(settings)),
      started_at_(std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now())) {}

void JobService::ask(ServiceRequest request, std::function<void(ServiceReply)> reply) {
  asio::post(parts_.io, [this, request = std::move(request), reply = std::move(reply)] {
    reply(jobs_.ended() ? ServiceReply(refuse(Kind::draining, "the service has ended")) : answer(request));
  });
}

ServiceReply JobService::answer(const ServiceRequest& request) {
  using Verb = ServiceVerb;
  switch (request.verb) {
    case Verb::submit:
      return submit(request.body);
    case Verb::jobs:
      return list_jobs();
    case Verb::workers:
      return workers();
    case Verb::status:
      return status();
    case Verb::drain:
      drain();
      return Json{{"draining", true}};
    case Verb::reload:
      return reload_now();
    default:
      break;
  }
  const auto found = parts_.archive.job(request.job);
  if (!found) return broken(found.error());
  if (!*found) return refuse(Kind::not_found, fmt::format("there is no job '{}'", request.job));
  const archive::JobRecord& job = **found;
  if (request.verb == Verb::job) {
    Json json = describe(job);
    json["document"] = job.document;
    return json;
  }
  if (request.verb == Verb::prioritise) return prioritise(job, request.body);
  if (const auto empty = check_body(request.body, {}); !empty)
    return refuse(Kind::invalid, empty.error().message);
  if (request.verb == Verb::pause) return pause(job);
  if (request.verb == Verb::cancel) return cancel(job);
  return resume(job);
}

// --------------------------------------------------------------------------------------------- answers

Json JobService::describe(const archive::JobRecord& job) {
  const ActiveJob* active = jobs_.find(job.name);
  Json json = job_json(job, active != nullptr);
  if (active != nullptr) json["active"] = active_json(*active);
  return json;
}

ServiceReply JobService::list_jobs() {
  auto jobs = parts_.archive.jobs();
  if (!jobs) return broken(jobs.error());
  std::stable_sort(jobs->begin(), jobs->end(), [](const archive::JobRecord& a, const archive::JobRecord& b) {
    return a.changed_at > b.changed_at;
  });
  Json list = Json::array();
  for (const archive::JobRecord& job : *jobs) list.push_back(describe(job));
  return Json{{"jobs", std::move(list)}};
}

ServiceReply JobService::workers() const {
  Json pools = Json::array();
  for (const auto& pool : jobs_.pools().all()) pools.push_back(pool_json(*pool));
  return Json{{"pools", std::move(pools)}};
}

ServiceReply JobService::status() {
  const auto jobs = parts_.archive.jobs();
  if (!jobs) return broken(jobs.error());
  std::map<std::string, int> states{{"queued", 0},   {"running", 0}, {"paused", 0},   {"interrupted", 0},
                                    {"finished", 0}, {"failed", 0},  {"cancelled", 0}};
  for (const archive::JobRecord& job : *jobs)
    ++states[job_json(job, jobs_.find(job.name) != nullptr)["state"]];
  const auto now = std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now());
  return Json{{"version", parts_.version},
              {"started_at", archive::to_iso8601(started_at_)},
              {"uptime_seconds", static_cast<double>((now - started_at_).count()) / 1000},
              {"draining", draining()},
              {"archive", std::filesystem::absolute(jobs_.settings().archive).string()},
              {"max_running", jobs_.settings().max_running},
              {"jobs", Json(states)},
              {"last_event", parts_.events.id(parts_.events.last())}};
}

// ---------------------------------------------------------------------------------------------- demands

Result<engine::PreparedJob> JobService::check(const Json& document, const std::string& where) const {
  engine::ServiceLimits limits = jobs_.limits();
  limits.archive = jobs_.settings().archive;
  return engine::admit_job(document, where, {jobs_.settings().models, &parts_.keys, &limits});
}

ServiceReply JobService::enqueue(const engine::PreparedJob& prepared, std::optional<int> priority,
                                 std::string_view event) {
  const auto job = parts_.archive.submit_job(prepared.job.name, to_json(prepared.job), priority);
  if (!job) return broken(job.error());
  jobs_.sink().put(event, job->name, {{"priority", job->priority}, {"version", job->version}});
  jobs_.start_next();
  const auto now = parts_.archive.job(job->name);
  if (!now || !*now) return broken(now ? Error{"the job has vanished"} : now.error());
  return describe(**now);
}

ServiceReply JobService::submit(const Json& body) {
  if (draining()) return refuse(Kind::draining, "the service is about to end and takes no more jobs");
  if (const auto known = check_body(body, {"job", "priority"}, "job"); !known)
    return refuse(Kind::invalid, known.error().message);
  std::optional<int> priority;
  if (body.contains("priority")) {
    const Result<int> given = priority_of(body["priority"]);
    if (!given) return refuse(Kind::invalid, given.error().message);
    priority = *given;
  }
  const Result<engine::PreparedJob> prepared = check(body["job"], "job");
  if (!prepared) return refuse(Kind::invalid, prepared.error().message);
  if (jobs_.find(prepared->job.name) != nullptr) {
    return refuse(Kind::conflict,
                  fmt::format("job '{}' is running; pause or cancel it first, or give this one another name",
                              prepared->job.name));
  }
  return enqueue(*prepared, priority, "job_submitted");
}

ServiceReply JobService::pause(const archive::JobRecord& job) {
  if (ActiveJob* active = jobs_.find(job.name); active != nullptr) {
    if (active->intent != Intent::none)
      return refuse(Kind::conflict, fmt::format("job '{}' is being stopped already", job.name));
    active->stop(Intent::pause, engine::JobRun::Stop::gently);
    return describe(job);
  }
  if (job.state != archive::JobState::queued) {
    return refuse(Kind::conflict,
                  fmt::format("job '{}' is {}; only one that is queued or running can be paused", job.name,
                              job_json(job, false)["state"].get<std::string>()));
  }
  if (const auto done = parts_.archive.end_job(job.id, archive::JobState::paused, "by request"); !done)
    return broken(done.error());
  jobs_.sink().put("job_paused", job.name, {{"reason", "by request"}});
  return describe(**parts_.archive.job(job.name));
}

ServiceReply JobService::resume(const archive::JobRecord& job) {
  if (draining()) return refuse(Kind::draining, "the service is about to end");
  if (const ActiveJob* active = jobs_.find(job.name); active != nullptr) {
    return refuse(Kind::conflict, active->intent == Intent::none
                                      ? fmt::format("job '{}' is running", job.name)
                                      : fmt::format("job '{}' is still being stopped; ask again", job.name));
  }
  if (job.state == archive::JobState::queued)
    return refuse(Kind::conflict, fmt::format("job '{}' is queued", job.name));
  const auto prepared = check(job.document, fmt::format("job '{}'", job.name));
  if (!prepared) return refuse(Kind::conflict, prepared.error().message);
  return enqueue(*prepared, std::nullopt, "job_resumed");
}

ServiceReply JobService::cancel(const archive::JobRecord& job) {
  if (ActiveJob* active = jobs_.find(job.name); active != nullptr) {
    if (active->intent == Intent::cancel)
      return refuse(Kind::conflict, fmt::format("job '{}' is being cancelled already", job.name));
    active->stop(Intent::cancel, engine::JobRun::Stop::gently);
    return describe(job);
  }
  if (job.state == archive::JobState::finished || job.state == archive::JobState::cancelled) {
    return refuse(Kind::conflict, fmt::format("job '{}' is {} already", job.name, name(job.state)));
  }
  if (const auto done = parts_.archive.end_job(job.id, archive::JobState::cancelled, "by request"); !done)
    return broken(done.error());
  jobs_.sink().put("job_ended", job.name, {{"state", "cancelled"}, {"reason", "by request"}});
  return describe(**parts_.archive.job(job.name));
}

ServiceReply JobService::prioritise(const archive::JobRecord& job, const Json& body) {
  if (const auto known = check_body(body, {"priority"}, "priority"); !known)
    return refuse(Kind::invalid, known.error().message);
  const Result<int> priority = priority_of(body["priority"]);
  if (!priority) return refuse(Kind::invalid, priority.error().message);
  if (const auto done = parts_.archive.prioritise_job(job.id, *priority); !done) return broken(done.error());
  if (ActiveJob* active = jobs_.find(job.name); active != nullptr)
    active->run->reweigh(search::weight_of_priority(*priority));
  jobs_.sink().put("job_prioritised", job.name, {{"priority", *priority}});
  return describe(**parts_.archive.job(job.name));
}

ServiceReply JobService::reload_now() {
  const Result<DaemonSettings> settings = parts_.load();
  if (!settings) {
    jobs_.sink().put("reload_failed", "", {{"text", settings.error().message}});
    return refuse(Kind::invalid, settings.error().message);
  }
  const SettingsChange change = reload(*settings);
  return Json{{"changed", change.changed}, {"needs_restart", change.needs_restart}};
}

SettingsChange JobService::reload(const DaemonSettings& settings) {
  const DaemonSettings& before = jobs_.settings();
  const SettingsChange change = compare(before, settings);
  DaemonSettings next = settings;
  next.archive = before.archive;
  next.http = before.http;
  next.models = before.models;
  jobs_.configure(std::move(next));
  jobs_.sink().put("reloaded", "", {{"changed", change.changed}, {"needs_restart", change.needs_restart}});
  jobs_.start_next();
  return change;
}

}  // namespace kevolve::service
