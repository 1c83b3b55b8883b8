#pragma once
// A service's answers as JSON (docs/daemon.md). Pure.

#include <string>

#include "archive/records.hpp"
#include "core/model/job.hpp"
#include "daemon/engine/workers/worker_pool.hpp"
#include "daemon/service/running_jobs.hpp"

namespace kevolve::service {

/// `state`: as the archive has it, but "interrupted" for a job that is `running` there and that nobody runs.
Json job_json(const archive::JobRecord& record, bool active);
Json active_json(const ActiveJob& job);
Json pool_json(const engine::WorkerPool& pool);

}  // namespace kevolve::service
