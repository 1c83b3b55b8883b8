#include "daemon/service/job_json.hpp"

#include "core/model/device_traits.hpp"
#include "daemon/engine/report/run_json.hpp"

namespace kevolve::service {

Json job_json(const archive::JobRecord& record, bool active) {
  const bool interrupted = record.state == archive::JobState::running && !active;
  return {{"name", record.name},
          {"state", interrupted ? std::string_view("interrupted") : name(record.state)},
          {"reason", record.reason},
          {"priority", record.priority},
          {"version", record.version},
          {"device", record.document.value("device", std::string(kCpuDevice))},
          {"operators", record.document.value("operators", Json::array())},
          {"created_at", archive::to_iso8601(record.created_at)},
          {"submitted_at", record.submitted_at ? Json(archive::to_iso8601(*record.submitted_at)) : Json()},
          {"changed_at", archive::to_iso8601(record.changed_at)},
          {"active", nullptr}};
}

Json active_json(const ActiveJob& job) {
  constexpr std::string_view kIntents[] = {"", "pause", "cancel", "drain"};
  const engine::JobRun& run = *job.run;
  const engine::WorkerShare& share = run.workers();
  Json operators = Json::array();
  for (const engine::OperatorSummary& summary : run.operators()) operators.push_back(to_json(summary));
  return {{"stopping", kIntents[static_cast<std::size_t>(job.intent)]},
          {"pool", share.pool().settings().name},
          {"waits_for_worker", share.pool().ready() == 0 ? share.pool().trouble() : std::string()},
          {"waiting", share.waiting()},
          {"in_flight", share.in_flight()},
          {"servers_away", run.away()},
          {"evaluations", run.evaluations()},
          {"budget_used", engine::to_json(run.used())},
          {"troubles", run.troubles()},
          {"operators", std::move(operators)}};
}

Json pool_json(const engine::WorkerPool& pool) {
  Json workers = Json::array(), jobs = Json::array();
  for (const engine::WorkerStatus& worker : pool.workers()) {
    workers.push_back({{"state", worker.state},
                       {"process", worker.process > 0 ? Json(worker.process) : Json()},
                       {"in_flight", worker.in_flight},
                       {"answered", worker.answered},
                       {"losses", worker.losses},
                       {"last_loss", worker.why}});
  }
  for (const engine::WorkerShare* share : pool.shares()) {
    jobs.push_back({{"job", share->job()},
                    {"weight", share->weight()},
                    {"waiting", share->waiting()},
                    {"in_flight", share->in_flight()}});
  }
  return {{"name", pool.settings().name},
          {"device", pool.settings().device},
          {"model", pool.device() ? Json(pool.device()->model) : Json()},
          {"version", pool.version()},
          {"trouble", pool.trouble()},
          {"workers", std::move(workers)},
          {"jobs", std::move(jobs)}};
}

}  // namespace kevolve::service
