// kevolve status [JOB]: how jobs stand, from the running kevolved, or from the archive when there is none.

#include <fmt/format.h>

#include <map>
#include <memory>

#include "archive/archive.hpp"
#include "daemon/cli/commands.hpp"
#include "daemon/cli/service_link.hpp"
#include "daemon/cli/text.hpp"

namespace kevolve::cli {
namespace {

struct StatusOptions : ServiceOptions {
  std::string job;  ///< "": all
};

/// The same shape from either: {"service": its status or null, "jobs": […]}.
http::CallResult<Json> from_service(http::Client& client, const std::string& job) {
  http::CallResult<Json> status = client.get("/v1/status");
  if (!status) return status;
  http::CallResult<Json> jobs = client.get(job.empty() ? "/v1/jobs" : job_path(job));
  if (!jobs) return jobs;
  const bool list = job.empty() && jobs->is_object() && jobs->contains("jobs");
  return Json{{"service", *status}, {"jobs", list ? (*jobs)["jobs"] : Json::array({*jobs})}};
}

http::CallResult<Json> from_archive(const StatusOptions& options) {
  const auto fail = [](int status, const std::string& message) {
    return tl::unexpected<http::CallFailure>(http::CallFailure{status, "archive", message});
  };
  Result<archive::Archive> archive = archive::Archive::open(options.archive, archive::OpenMode::read_only);
  if (!archive) return fail(0, archive.error().message);
  const Result<std::vector<archive::JobRecord>> records = archive->jobs();
  if (!records) return fail(0, records.error().message);
  Json jobs = Json::array();
  for (const archive::JobRecord& record : *records) {
    if (options.job.empty() || record.name == options.job)
      jobs.push_back({{"name", record.name}, {"state", name(record.state)}, {"version", record.version}});
  }
  if (jobs.empty() && !options.job.empty())
    return fail(404, fmt::format("the archive {} has no job '{}'", options.archive.string(), options.job));
  return Json{{"service", nullptr}, {"jobs", std::move(jobs)}};
}

void print(const Json& status, const StatusOptions& options) {
  const Json& service = status["service"];
  if (service.is_null()) {
    fmt::print("no kevolved runs with {}; from the archive:\n", options.archive.string());
  } else {
    std::map<std::string, std::string> states;
    if (service.contains("jobs") && service["jobs"].is_object()) {
      for (const auto& [state, count] : service["jobs"].items()) {
        if (count != 0) states[state] = count.dump();
      }
    }
    std::string jobs;
    for (const auto& [state, count] : states)
      jobs += fmt::format("{}{} {}", jobs.empty() ? "" : ", ", state, count);
    fmt::print("kevolved {}{}, up {} s; jobs: {}\n", text_of(service, "version"),
               text_of(service, "draining") == "true" ? ", draining" : "", text_of(service, "uptime_seconds"),
               jobs.empty() ? "none" : jobs);
  }
  std::vector<std::vector<std::string>> rows;
  for (const Json& job : status["jobs"]) {
    const Json active = job.value("active", Json());
    rows.push_back({text_of(job, "name"), text_of(job, "state"), text_of(job, "priority"),
                    text_of(job, "device"), text_of(active, "evaluations"), text_of(job, "reason")});
  }
  if (rows.empty()) fmt::print("no jobs\n");
  if (!rows.empty())
    fmt::print("\n{}", table({"job", "state", "priority", "device", "evaluations", "why"}, rows));
}

int status(const StatusOptions& options) {
  Result<std::optional<http::Client>> client = find_service(options);
  if (!client) return complain(client.error(), kUsage);
  http::CallResult<Json> found = *client ? from_service(**client, options.job) : from_archive(options);
  // A service that is about to begin or to end leaves its file without answering.
  if (!found && *client && found.error().status == 0 && options.service.empty()) {
    fmt::print(stderr, "kevolve: {}\n", found.error().message);
    found = from_archive(options);
  }
  if (!found) return complain(found.error());
  if (options.json)
    print_json(*found);
  else
    print(*found, options);
  return kOk;
}

}  // namespace

Command add_status(CLI::App& app) {
  auto options = std::make_shared<StatusOptions>();
  CLI::App* sub =
      app.add_subcommand("status", "How jobs stand: from the running kevolved, else from the archive");
  sub->add_option("job", options->job, "Only this job");
  add_service_options(*sub, *options);
  return [options] { return status(*options); };
}

}  // namespace kevolve::cli
