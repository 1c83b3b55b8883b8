// What is asked of a running kevolved: kevolve submit, pause, resume, cancel, priority, workers, drain.

#include <fmt/format.h>

#include <memory>

#include "core/model/job.hpp"
#include "daemon/cli/commands.hpp"
#include "daemon/cli/service_link.hpp"
#include "daemon/cli/text.hpp"

namespace kevolve::cli {
namespace {

struct JobCommandOptions : ServiceOptions {
  std::string job;  ///< a name; submit: a file
  int priority = 0;
  bool priority_given = false, archive_given = false;
};

int print_job(const http::CallResult<Json>& job, const JobCommandOptions& options) {
  if (!job) return complain(job.error());
  if (options.json) {
    print_json(*job);
  } else {
    const std::string reason = text_of(*job, "reason");
    fmt::print("job {}: {}{}, priority {}\n", text_of(*job, "name"), text_of(*job, "state"),
               reason.empty() ? "" : fmt::format(" ({})", reason), text_of(*job, "priority"));
  }
  return kOk;
}

void make_absolute(std::filesystem::path& path) {
  if (!path.empty()) path = std::filesystem::absolute(path).lexically_normal();
}

/// The service has another working directory, and one archive for all of its jobs.
Json document_for_service(Job job) {
  for (auto* path : {&job.models, &job.prompts, &job.record}) {
    if (*path) make_absolute(**path);
  }
  for (JobIdeaSource& source : job.idea_sources) {
    make_absolute(source.folder);
    make_absolute(source.file);
  }
  job.archive.reset();
  return to_json(job);
}

int submit(JobCommandOptions options) {
  const Result<Job> job = load_job(options.job);
  if (!job) return complain(job.error(), kUsage);
  if (!options.archive_given && job->archive) options.archive = *job->archive;
  Result<http::Client> client = require_service(options);
  if (!client) return complain(client.error(), kOperational);
  Json body = {{"job", document_for_service(*job)}};
  if (options.priority_given) body["priority"] = options.priority;
  return print_job(client->send("POST", "/v1/jobs", body), options);
}

/// One of the verbs that a job has.
int ask_of_job(const JobCommandOptions& options, std::string_view method, std::string_view verb,
               const Json& body) {
  Result<http::Client> client = require_service(options);
  if (!client) return complain(client.error(), kOperational);
  return print_job(client->send(method, job_path(options.job, verb), body), options);
}

int workers(const JobCommandOptions& options) {
  Result<http::Client> client = require_service(options);
  if (!client) return complain(client.error(), kOperational);
  const http::CallResult<Json> found = client->get("/v1/workers");
  if (!found) return complain(found.error());
  if (options.json) {
    print_json(*found);
    return kOk;
  }
  std::vector<std::vector<std::string>> rows;
  const Json none = Json::array();
  const auto list = [&none](const Json& object, const char* key) -> const Json& {
    const bool there = object.is_object() && object.contains(key) && object[key].is_array();
    return there ? object[key] : none;
  };
  for (const Json& pool : list(*found, "pools")) {
    int number = 0;
    for (const Json& worker : list(pool, "workers")) {
      rows.push_back({text_of(pool, "name"), text_of(pool, "device"), std::to_string(++number),
                      text_of(worker, "state"), text_of(worker, "in_flight"), text_of(worker, "answered"),
                      text_of(worker, "losses"), text_of(worker, "last_loss")});
    }
  }
  if (rows.empty()) fmt::print("no workers\n");
  if (!rows.empty())
    fmt::print("{}",
               table({"pool", "device", "worker", "state", "in flight", "answered", "losses", "last of them"},
                     rows));
  return kOk;
}

int drain(const JobCommandOptions& options) {
  Result<http::Client> client = require_service(options);
  if (!client) return complain(client.error(), kOperational);
  const http::CallResult<Json> said = client->send("POST", "/v1/drain", Json::object());
  if (!said) return complain(said.error());
  if (options.json)
    print_json(*said);
  else
    fmt::print("kevolved begins nothing new and stops after running work has finished\n");
  return kOk;
}

CLI::App* add_job_command(CLI::App& app, const char* name, const char* help, JobCommandOptions& options) {
  CLI::App* sub = app.add_subcommand(name, help);
  sub->add_option("job", options.job, "The job's name")->required();
  add_service_options(*sub, options);
  return sub;
}

}  // namespace

Command add_submit(CLI::App& app) {
  auto options = std::make_shared<JobCommandOptions>();
  CLI::App* sub = app.add_subcommand("submit", "Give a job to the running kevolved");
  sub->add_option("job", options->job, "Job file (docs/job_file.md)")->required();
  sub->add_option("--priority", options->priority,
                  "The higher, the more of the workers (default: 0, or as it was)")
      ->check(CLI::Range(-5, 5));
  add_service_options(*sub, *options);
  return [options, sub] {
    options->priority_given = sub->count("--priority") > 0;
    options->archive_given = sub->count("--archive") > 0;
    return submit(*options);
  };
}

Command add_pause(CLI::App& app) {
  auto options = std::make_shared<JobCommandOptions>();
  add_job_command(app, "pause", "Pause a job of the running kevolved", *options);
  return [options] { return ask_of_job(*options, "POST", "/pause", Json::object()); };
}

int resume_at_service(http::Client& client, const std::string& job, bool json) {
  JobCommandOptions options;
  options.json = json;
  return print_job(client.send("POST", job_path(job, "/resume"), Json::object()), options);
}

Command add_cancel(CLI::App& app) {
  auto options = std::make_shared<JobCommandOptions>();
  add_job_command(app, "cancel", "End a job of the running kevolved for good", *options);
  return [options] { return ask_of_job(*options, "POST", "/cancel", Json::object()); };
}

Command add_priority(CLI::App& app) {
  auto options = std::make_shared<JobCommandOptions>();
  CLI::App* sub = add_job_command(app, "priority", "Change how much of the workers a job gets", *options);
  sub->add_option("priority", options->priority, "The higher, the more")
      ->required()
      ->check(CLI::Range(-5, 5));
  return [options] { return ask_of_job(*options, "PUT", "/priority", {{"priority", options->priority}}); };
}

Command add_workers(CLI::App& app) {
  auto options = std::make_shared<JobCommandOptions>();
  CLI::App* sub = app.add_subcommand("workers", "Workers of the running kevolved, and what each does");
  add_service_options(*sub, *options);
  return [options] { return workers(*options); };
}

Command add_drain(CLI::App& app) {
  auto options = std::make_shared<JobCommandOptions>();
  CLI::App* sub = app.add_subcommand("drain", "Stop the running kevolved after running work has finished");
  add_service_options(*sub, *options);
  return [options] { return drain(*options); };
}

}  // namespace kevolve::cli
