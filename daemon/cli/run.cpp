// kevolve run JOB.json: the whole system in one command; kevolve resume: the same of a job in the archive.

#include <fmt/format.h>

#include <memory>

#include "core/model/common_scale.hpp"
#include "core/model/subjects.hpp"
#include "core/text/words.hpp"
#include "daemon/cli/commands.hpp"
#include "daemon/cli/one_worker.hpp"
#include "daemon/cli/progress.hpp"
#include "daemon/cli/service_link.hpp"
#include "daemon/cli/text.hpp"
#include "daemon/engine/ideas/idea_sources.hpp"
#include "daemon/engine/job/admission.hpp"
#include "daemon/engine/job/engine.hpp"
#include "daemon/engine/job/places.hpp"
#include "daemon/engine/report/run_json.hpp"
#include "daemon/engine/report/summary.hpp"
#include "daemon/version.hpp"

namespace kevolve::cli {
namespace {

struct Options {
  std::string job;
  std::filesystem::path archive;
  bool archive_given = false;
  std::filesystem::path summary;  ///< "": none
  bool json = false, lines = false;
};

void print_summary(const engine::RunSummary& summary, const std::filesystem::path& archive) {
  fmt::print("\njob {} on {} ({}): {} evaluations in {:.0f} s; {}\n\n", summary.job, summary.device.name,
             summary.device.model, summary.evaluations, summary.wall_seconds, summary.ended_by);
  std::vector<std::vector<std::string>> rows;
  for (const engine::OperatorSummary& s : summary.operators) {
    rows.push_back(
        {s.label, in_time(s.naive_us), in_time(s.eager_us), s.compile_us > 0 ? in_time(s.compile_us) : "-",
         in_time(s.best_us), fmt::format("{:.2f} x", s.speedup), fmt::format("{:.2f} x", s.speedup_low),
         std::to_string(s.round), std::to_string(s.evaluations), std::to_string(s.passed), s.idea_key});
  }
  fmt::print("{}\n", table({"operator", "naive", "PyTorch", "compile", "best", "speed-up", "at least",
                            "round", "tried", "verified", "idea"},
                           rows));
  for (const engine::OperatorSummary& s : summary.operators) {
    fmt::print("{}  {}\n", s.label, in_tunables(s.tunables));
    for (const std::string& line : wrapped(s.idea, 100)) fmt::print("    {}\n", line);
    if (!s.note.empty()) {
      for (const std::string& line : wrapped("(" + s.note + ")", 100)) fmt::print("    {}\n", line);
    }
  }
  if (summary.exchanges > 0 || summary.used.requests > 0) {
    fmt::print(
        "\nmodels: {} answers in this run; {} requests, {} tokens, {:.2f} USD of the job's present budget\n",
        summary.exchanges, summary.used.requests, summary.used.tokens, summary.used.usd);
  }
  const bool naive = summary.operators.empty() || summary.operators.front().yardstick == subjects::kNaive;
  fmt::print("\nRound 0 is the naive seed. The speed-up is over {}, a median of interleaved pairs.\n",
             naive ? "naive" : "PyTorch (eager)");
  for (const std::string& line : wrapped(kCommonScaleNote, 100)) fmt::print("{}\n", line);
  fmt::print("archive: {}\n", archive.string());
}

int write_report(archive::Archive& archive, const engine::RunSummary& summary,
                 const std::filesystem::path& file) {
  Result<engine::JobSummary> report = engine::gather_summary(archive, summary.job);
  if (!report) return complain(report.error(), kOperational);
  engine::add_run(*report, summary);
  if (const auto written = engine::write_summary(*report, file); !written)
    return complain(written.error(), kOperational);
  return kOk;
}

/// Runs an admitted job on an open archive. `where` names it in errors.
int run_on(archive::Archive& archive, engine::PreparedJob prepared, const std::string& where,
           const Options& options) {
  auto ideas = engine::open_idea_sources(prepared.job, engine::default_models_file());
  if (!ideas) return complain(ideas.error().in(where), kUsage);
  const engine::WorkerCommand worker =
      engine::worker_command(prepared.job.launcher, prepared.job.gpus, engine::worker_log(archive.path()));
  const engine::EngineSettings settings{std::move(prepared), worker, std::string(kVersion)};
  engine::Observer silent;
  const std::unique_ptr<engine::Observer> progress = make_progress(options.lines);
  const Result<engine::RunSummary> summary =
      engine::run_job(settings, archive, **ideas, options.json ? silent : *progress);
  if (!summary) return complain(summary.error(), kOperational);
  if (options.json) {
    print_json(to_json(*summary));
  } else {
    print_summary(*summary, archive.path());
  }
  if (!options.summary.empty()) {
    if (const int written = write_report(archive, *summary, options.summary); written != kOk) return written;
  }
  return summary->ended_by == "interrupted" ? kInterrupted : kOk;
}

int run(const Options& options) {
  const Result<Job> job = load_job(options.job);
  if (!job) return complain(job.error(), kUsage);
  Result<engine::PreparedJob> prepared =
      engine::admit_job(*job, options.job, {.models = engine::default_models_file()});
  if (!prepared) return complain(prepared.error(), kUsage);  // before a file appears
  const std::filesystem::path path =
      !options.archive_given && job->archive ? std::filesystem::path(*job->archive) : options.archive;
  std::error_code error;
  if (path.has_parent_path()) std::filesystem::create_directories(path.parent_path(), error);
  if (error)
    return complain({fmt::format("cannot create the archive's folder {}: {}", path.parent_path().string(),
                                 error.message())},
                    kOperational);
  Result<archive::Archive> archive = archive::Archive::open(path, archive::OpenMode::read_write);
  if (!archive) return complain(archive.error(), kOperational);
  return run_on(*archive, std::move(*prepared), options.job, options);
}

/// The one of that name; without a name the unfinished one that was worked on last.
Result<std::optional<archive::JobRecord>> job_to_resume(archive::Archive& archive, const std::string& name) {
  if (!name.empty()) return archive.job(name);
  const auto jobs = archive.jobs();
  if (!jobs) return failure(jobs.error());
  std::optional<archive::JobRecord> last;
  for (const archive::JobRecord& job : *jobs) {
    if (job.state == archive::JobState::finished || job.state == archive::JobState::cancelled) continue;
    if (!last || job.changed_at >= last->changed_at) last = job;
  }
  return last;
}

int resume(const Options& options) {
  if (!std::filesystem::exists(options.archive))
    return complain({fmt::format("there is no archive '{}'", options.archive.string())}, kNotFound);
  ServiceOptions link;
  link.archive = options.archive;
  Result<std::optional<http::Client>> service = find_service(link);
  if (!service) return complain(service.error(), kUsage);
  if (*service) {
    if (options.job.empty())
      return complain({fmt::format("a service runs with archive '{}': name the job that it is to go on with",
                                   options.archive.string())},
                      kUsage);
    return resume_at_service(**service, options.job, options.json);
  }
  Result<archive::Archive> archive = archive::Archive::open(options.archive, archive::OpenMode::read_write);
  if (!archive) return complain(archive.error(), kOperational);
  const Result<std::optional<archive::JobRecord>> record = job_to_resume(*archive, options.job);
  if (!record) return complain(record.error(), kOperational);
  if (!*record) {
    return complain(
        {options.job.empty() ? "the archive has no unfinished job; name one to search further rounds"
                             : fmt::format("the archive has no job '{}'", options.job)},
        kNotFound);
  }
  const std::string where =
      fmt::format("job '{}' of archive '{}'", (*record)->name, options.archive.string());
  Result<engine::PreparedJob> prepared =
      engine::admit_job((*record)->document, where, {.models = engine::default_models_file()});
  if (!prepared) return complain(prepared.error(), kUsage);
  return run_on(*archive, std::move(*prepared), where, options);
}

void add_run_options(CLI::App& sub, Options& options) {
  sub.add_flag("--lines", options.lines, "One line per event also on a terminal");
  sub.add_flag("--json", options.json, "For scripts: no progress, the summary as JSON at the end");
  sub.add_option("--summary", options.summary,
                 "Write what one would like to read in the morning into this Markdown file at the end");
  add_archive_option(sub, options.archive);
}

}  // namespace

Command add_run(CLI::App& app) {
  auto options = std::make_shared<Options>();
  CLI::App* sub = app.add_subcommand("run", "Run a job: search for faster kernels of its operators");
  sub->add_option("job", options->job, "Job file (docs/job_file.md)")->required();
  add_run_options(*sub, *options);
  sub->footer(
      "Running the same job again continues it: an interrupted round is finished, a finished job gets "
      "further rounds,\n"
      "seeded by what the archive holds. Ctrl-C ends a run with everything saved.");
  return [options, sub] {
    options->archive_given = sub->count("--archive") > 0;
    return run(*options);
  };
}

Command add_resume(CLI::App& app) {
  auto options = std::make_shared<Options>();
  CLI::App* sub = app.add_subcommand("resume", "Go on with a job of the archive, without its file");
  sub->add_option("job", options->job, "Its name; default: the unfinished one that was worked on last");
  add_run_options(*sub, *options);
  sub->footer(
      "If a service owns the archive, it continues the job; otherwise this command does, until the "
      "end.\n"
      "Its relative paths are relative to the present folder. A finished job is searched for a further "
      "series "
      "of rounds.");
  return [options] { return resume(*options); };
}

}  // namespace kevolve::cli
