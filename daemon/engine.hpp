#pragma once
// Engine: runs one job to its end, or until it is interrupted. It owns the search's state; what the next
// round needs is in the archive's rows, never only in memory, so a job that was killed at any moment
// continues from them.
//
// One thread (the caller's) runs everything: an Asio io_context with coroutines. Compilers, kernels and idea
// sources that block are elsewhere.

#include <atomic>
#include <filesystem>
#include <memory>
#include <vector>

#include "archive/archive.hpp"
#include "core/model/job.hpp"
#include "daemon/idea_sources.hpp"
#include "daemon/observer.hpp"
#include "daemon/worker_client.hpp"

namespace kevolve {

struct EngineSettings {
  Job job;
  std::vector<Operator> operators;  ///< one for each of job.operators, in the same order
  WorkerCommand worker;
  std::string version;  ///< of this program, archived with the run
};

/// Blocks until the job ends. SIGINT and SIGTERM end it early, with all state saved: `ended_by` is
/// "interrupted". Budgets go on from where an interrupted run of the same job left them.
Result<RunSummary> run_job(const EngineSettings& settings, Archive& archive, IdeaSources& ideas,
                           Observer& observer);

}  // namespace kevolve
