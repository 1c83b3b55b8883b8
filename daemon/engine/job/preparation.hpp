#pragma once
// Preparation: what a job needs beyond its document: its operators, checked, and a worker's command line.
// Nothing is started. admission.hpp is the way from a document to a job that may start.

#include <filesystem>
#include <string>
#include <vector>

#include "core/model/job.hpp"
#include "core/model/operator.hpp"
#include "daemon/engine/workers/worker_client.hpp"

namespace kevolve::engine {

struct PreparedJob {
  Job job;
  std::vector<Operator> operators;  ///< one for each of job.operators, in the same order
};

/// `where` starts every error: the job's file, or its name.
Result<PreparedJob> prepare_job(Job job, const std::string& where);

/// `launcher`, then the worker beside this program, for its `gpus` if any are named, with `arguments`.
WorkerCommand worker_command(const std::vector<std::string>& launcher, const std::string& gpus,
                             const std::filesystem::path& log,
                             const std::vector<std::string>& arguments = {});

/// Where workers of an archive log: beside it.
std::filesystem::path worker_log(const std::filesystem::path& archive);

}  // namespace kevolve::engine
