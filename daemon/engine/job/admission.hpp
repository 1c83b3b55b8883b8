#pragma once
// Admission: from a job's document to a job that may start, or to the reason for its author why not. The one
// way for `kevolve run`, `kevolve resume` and a service. It opens nothing and starts nothing: a job that is
// admitted and never runs leaves no trace.

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "daemon/engine/job/preparation.hpp"
#include "llm_client/http/keys.hpp"

namespace kevolve::engine {

/// What a service lets jobs ask of it.
struct ServiceLimits {
  std::optional<std::filesystem::path> archive;  ///< that it writes; nothing: a job may name any
  bool job_launchers = false;
  std::vector<std::string> devices;  ///< of its pools
};

struct AdmissionRules {
  std::filesystem::path models;            ///< for jobs that name no models file
  const llm::TakenKeys* keys = nullptr;    ///< nullptr: keys are still in the environment
  const ServiceLimits* service = nullptr;  ///< nullptr: a run of its own
};

/// `where` starts every error: the job's file, or its name.
Result<PreparedJob> admit_job(const Json& document, const std::string& where, const AdmissionRules& rules);
Result<PreparedJob> admit_job(Job job, const std::string& where, const AdmissionRules& rules);

}  // namespace kevolve::engine
