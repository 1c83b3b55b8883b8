// kevolve run JOB.json: the whole system in one command.

#include <fmt/format.h>

#include <memory>

#include "daemon/cli/commands.hpp"
#include "daemon/cli/one_worker.hpp"
#include "daemon/cli/progress.hpp"
#include "daemon/cli/text.hpp"
#include "daemon/cli/version.hpp"
#include "daemon/engine.hpp"
#include "daemon/idea_sources.hpp"
#include "daemon/places.hpp"
#include "daemon/run_json.hpp"

namespace kevolve::cli {
namespace {

struct Options {
  std::string job;
  std::filesystem::path archive;
  bool archive_given = false;
  bool json = false, lines = false;
};

void print_summary(const RunSummary& summary, const std::filesystem::path& archive) {
  fmt::print("\njob {} on {} ({}): {} evaluations in {:.0f} s; {}\n\n", summary.job, summary.device.name,
             summary.device.model, summary.evaluations, summary.wall_seconds, summary.ended_by);
  std::vector<std::vector<std::string>> rows;
  for (const OperatorSummary& s : summary.operators) {
    rows.push_back(
        {s.label, in_time(s.naive_us), in_time(s.eager_us), s.compile_us > 0 ? in_time(s.compile_us) : "-",
         in_time(s.best_us), fmt::format("{:.2f} x", s.speedup), fmt::format("{:.2f} x", s.speedup_low),
         std::to_string(s.round), std::to_string(s.evaluations), std::to_string(s.passed), s.idea_key});
  }
  fmt::print("{}\n", table({"operator", "naive", "PyTorch", "compile", "best", "speed-up", "at least",
                            "round", "tried", "verified", "idea"},
                           rows));
  for (const OperatorSummary& s : summary.operators) {
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
  const bool naive = summary.operators.empty() || summary.operators.front().yardstick == "naive";
  fmt::print("\nround 0 is the naive seed; speed-up is over {}, medians of interleaved pairs.\narchive: {}\n",
             naive ? "naive" : "PyTorch (eager)", archive.string());
}

int run(const Options& options) {
  Result<Job> job = load_job(options.job);
  if (!job) return complain(job.error(), kUsage);
  Result<PreparedJob> prepared = prepare_job(*job, options.job);
  if (!prepared) return complain(prepared.error(), kUsage);
  const std::filesystem::path path =
      !options.archive_given && job->archive ? std::filesystem::path(*job->archive) : options.archive;
  std::error_code error;
  if (path.has_parent_path()) std::filesystem::create_directories(path.parent_path(), error);
  if (error)
    return complain({fmt::format("cannot create the archive's folder {}: {}", path.parent_path().string(),
                                 error.message())},
                    kOperational);
  Result<Archive> archive = Archive::open(path, OpenMode::read_write);
  if (!archive) return complain(archive.error(), kOperational);
  const EngineSettings settings{std::move(*prepared), worker_command(job->launcher, worker_log(path)),
                                std::string(kVersion)};

  auto ideas = open_idea_sources(*job, default_models_file());
  if (!ideas) return complain(ideas.error().in(options.job), kUsage);
  Observer silent;
  const std::unique_ptr<Observer> progress = make_progress(options.lines);
  const Result<RunSummary> summary = run_job(settings, *archive, **ideas, options.json ? silent : *progress);
  if (!summary) return complain(summary.error(), kOperational);
  if (options.json) {
    print_json(to_json(*summary));
  } else {
    print_summary(*summary, path);
  }
  return summary->ended_by == "interrupted" ? kInterrupted : kOk;
}

}  // namespace

Command add_run(CLI::App& app) {
  auto options = std::make_shared<Options>();
  CLI::App* sub = app.add_subcommand("run", "Run a job: search for faster kernels of its operators");
  sub->add_option("job", options->job, "Job file (docs/job_file.md)")->required();
  sub->add_flag("--lines", options->lines, "One line per event also on a terminal");
  sub->add_flag("--json", options->json, "For scripts: no progress, the summary as JSON at the end");
  add_archive_option(*sub, options->archive);
  sub->footer(
      "Running the same job again continues it: an interrupted round is finished, a finished job gets "
      "further rounds,\n"
      "seeded by what the archive holds. Ctrl-C ends a run with everything saved.");
  return [options, sub] {
    options->archive_given = sub->count("--archive") > 0;
    return run(*options);
  };
}

}  // namespace kevolve::cli
