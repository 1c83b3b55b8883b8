#include "daemon/engine/job/admission.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "daemon/engine/ideas/idea_sources.hpp"

namespace kevolve::engine {
namespace {

std::filesystem::path in_full(const std::filesystem::path& path) {
  return std::filesystem::absolute(path).lexically_normal();
}

Result<void> check_limits(const Job& job, const std::string& where, const ServiceLimits& service) {
  const std::string devices = fmt::format("{}", fmt::join(service.devices, ", "));
  if (service.archive && job.archive && in_full(*job.archive) != in_full(*service.archive)) {
    return failure(fmt::format("{}: archive: this service writes {} only; leave the key out", where,
                               service.archive->string()));
  }
  if (!job.launcher.empty() && !service.job_launchers) {
    return failure(
        fmt::format("{}: launcher: this service does not let jobs name their own ('job_launchers' in its "
                    "configuration); use one of its pools, for the devices: {}",
                    where, devices));
  }
  const auto found = std::find(service.devices.begin(), service.devices.end(), job.device);
  if (job.launcher.empty() && found == service.devices.end()) {
    return failure(
        fmt::format("{}: device: no pool of this service has '{}'; it has: {}", where, job.device, devices));
  }
  return {};
}

}  // namespace

Result<PreparedJob> admit_job(const Json& document, const std::string& where, const AdmissionRules& rules) {
  TRY(Job job, parse_job(document, where));
  return admit_job(std::move(job), where, rules);
}

Result<PreparedJob> admit_job(Job job, const std::string& where, const AdmissionRules& rules) {
  if (rules.service != nullptr) TRY_DO(check_limits(job, where, *rules.service));
  TRY(PreparedJob prepared, prepare_job(std::move(job), where));
  if (const auto ideas = check_idea_sources(prepared.job, rules.models, rules.keys); !ideas)
    return failure(ideas.error().in(where));
  return prepared;
}

}  // namespace kevolve::engine
