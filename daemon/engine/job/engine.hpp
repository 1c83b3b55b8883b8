#pragma once
// Engine: one job in one process, for `kevolve run`: the same JobRun as in a service (daemon/service), with
// its own io_context and its own pool of workers.

#include "daemon/engine/job/job_run.hpp"

namespace kevolve::engine {

struct EngineSettings {
  PreparedJob prepared;
  WorkerCommand worker;
  std::string version;  ///< of this program, archived with the run
};

/// Blocks until the job ends. SIGINT and SIGTERM end it early, with all state saved: `ended_by` is then
/// "interrupted".
Result<RunSummary> run_job(const EngineSettings& settings, archive::Archive& archive, IdeaSources& ideas,
                           Observer& observer);

/// What happens to workers, in a sentence for Observer::warned(); "" for what nobody needs to know.
std::string in_words(const PoolNews& news);

}  // namespace kevolve::engine
