#include "daemon/engine/report/summary.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>

#include "core/model/common_scale.hpp"
#include "core/model/job.hpp"
#include "core/model/subjects.hpp"
#include "core/text/words.hpp"

namespace kevolve::engine {
namespace {

std::string shown(double us) {
  return in_time(us, Letters::unicode);
}

/// A table's cell or a list's line: no line ends, no bars, at most about `most` bytes.
std::string cell(std::string_view text, std::size_t most = 300) {
  std::string escaped;
  for (const char c : one_line(text, most)) {
    if (c == '|') escaped += '\\';
    escaped += c;
  }
  return escaped;
}

std::string in_duration(double seconds) {
  const auto whole = static_cast<std::int64_t>(seconds);
  if (whole >= 3600) return fmt::format("{} h {:02} min", whole / 3600, whole / 60 % 60);
  if (whole >= 60) return fmt::format("{} min {:02} s", whole / 60, whole % 60);
  return fmt::format("{:.1f} s", seconds);
}

/// Something has become champion in place of the naive seed.
bool found(const OperatorSummary& s) {
  return s.round > 0;
}

bool won(const OperatorSummary& s) {
  return found(s) && s.speedup > 1;
}

std::string head(const JobSummary& report) {
  std::string text = fmt::format("# {}: {}\n\n", report.job.name, name(report.job.state));
  if (!report.job.reason.empty()) text += fmt::format("Ended by: {}.\n\n", cell(report.job.reason, 2000));
  std::size_t wins = 0;
  for (const OperatorSummary& s : report.operators) wins += won(s) ? 1 : 0;
  if (!report.operators.empty())
    text += fmt::format(
        "**{} of {} operators have a kernel that beats {}.** ", wins, report.operators.size(),
        report.operators.front().yardstick == subjects::kNaive ? "the naive one" : "PyTorch (eager)");
  text += fmt::format("{} candidates judged, {} passed", report.funnel.evaluated, report.funnel.passed());
  const int waiting = report.funnel.proposed + report.funnel.evaluating;
  if (waiting > 0) text += fmt::format(", {} not judged yet", waiting);
  text += ".\n\n";
  if (report.device)
    text += fmt::format("Device: {} ({}).  \n", report.device->name, cell(report.device->model));
  text += fmt::format("Since {}; this was written after {}.\n", archive::to_iso8601(report.job.created_at),
                      archive::to_iso8601(report.job.changed_at));
  return text;
}

std::string table_of_times(const JobSummary& report) {
  if (report.operators.empty()) return "";
  std::string text =
      "\n## Times\n\n| operator | naive | PyTorch | compile | best | speed-up | at least | limit |\n"
      "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |\n";
  for (const OperatorSummary& s : report.operators) {
    text += fmt::format("| {} | {} | {} | {} | **{}** | {:.2f} × {} | {:.2f} × | {} |\n", s.label,
                        shown(s.naive_us), shown(s.eager_us), shown(s.compile_us), shown(s.best_us),
                        s.speedup, s.yardstick, s.speedup_low, shown(s.floor_us));
  }
  return text +
         fmt::format(
             "\nThe speed-up is a median of interleaved pairs, \"at least\" its 2.5 % bound; the limit "
             "is what the device's memory and arithmetic allow. {}\n",
             kCommonScaleNote);
}

std::string development(const JobSummary& report, const OperatorSummary& s) {
  const CommonScale scale = CommonScale::of(s.best_us, s.speedup);
  std::vector<std::string> steps;
  for (const archive::RoundBest& best : report.rounds) {
    if (best.operator_name != s.name || best.round.workload != s.workload) continue;
    steps.push_back(best.speedup > 0 ? fmt::format("{}: {} ({:.2f} ×)", best.round.number,
                                                   shown(scale.us(best.speedup)), best.speedup)
                                     : fmt::format("{}: none passed", best.round.number));
  }
  if (steps.empty()) return "";
  return fmt::format("Best candidate of each round — {}.\n\n", fmt::join(steps, "; "));
}

std::string about_operator(const JobSummary& report, const OperatorSummary& s) {
  std::string text = fmt::format("\n## {}\n\n", s.label);
  if (found(s)) {
    text +=
        fmt::format("Best: `{}` of round {}, idea `{}`", s.candidate_hash.substr(0, 12), s.round, s.idea_key);
    if (!s.tunables.empty()) text += fmt::format(", {}", in_tunables(s.tunables));
    text += fmt::format(".\n\n> {}\n\n", cell(s.idea, 2000));
  } else {
    text += "The naive kernel is still the best.\n\n";
  }
  text += development(report, s);
  if (!s.note.empty()) text += fmt::format("It stopped: {}.\n\n", cell(s.note, 1000));
  std::string failures;
  for (const JobSummary::Failure& f : report.failures) {
    if (f.operator_name != s.name) continue;
    failures += fmt::format("- {} × {} at gate {}; the newest, `{}`: {}\n", f.count, name(f.outcome),
                            name(f.gate), f.example.substr(0, 12), cell(f.evidence));
  }
  if (!failures.empty()) text += "What failed, and why:\n\n" + failures;
  return text;
}

std::string spending(const JobSummary& report) {
  const auto of = [](auto limit, const std::string& unit) {
    return limit ? fmt::format(" of {}{}", *limit, unit) : std::string();
  };
  const search::Usage& used = report.used;
  const JobBudget& budget = report.budget;
  std::string text = "\n## Spent\n\n";
  text += fmt::format("- {}{} of run time\n", in_duration(used.wall_seconds),
                      budget.wall_seconds ? " of " + in_duration(*budget.wall_seconds) : "");
  text += fmt::format("- {}{} evaluations\n", used.evaluations, of(budget.evaluations, ""));
  if (used.requests > 0 || budget.requests)
    text += fmt::format("- {}{} requests to models, {}{} tokens, {:.2f}{} USD\n", used.requests,
                        of(budget.requests, ""), used.tokens, of(budget.tokens, ""), used.usd,
                        of(budget.usd, ""));
  for (const archive::CostRecord& cost : report.costs) {
    text += fmt::format(
        "- {} ({}), over all runs: {} exchanges, {:.2f} USD, {} candidates, {} verified, {} wins\n",
        cost.model, cost.source, cost.exchanges, cost.spent.usd, cost.candidates, cost.verified, cost.wins);
  }
  return text;
}

std::string troubles(const JobSummary& report) {
  if (report.troubles.empty()) return "\n## Troubles\n\nNone.\n";
  std::string text = "\n## Troubles\n\n";
  for (const std::string& trouble : report.troubles) text += fmt::format("- {}\n", cell(trouble));
  return text;
}

/// A word for a shell.
std::string quoted(const std::string& text) {
  const bool plain = !text.empty() && text.find_first_not_of(
                                          "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                          "0123456789_-./") == std::string::npos;
  if (plain) return text;
  std::string word = "'";
  for (const char c : text) word += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return word + "'";
}

std::string next_steps(const JobSummary& report) {
  const std::string archive = " --archive " + quoted(report.archive.string());
  std::string text = "\n## What to do next\n\n```\n";
  for (const OperatorSummary& s : report.operators) {
    if (!won(s)) continue;
    text += fmt::format("kevolve best {} --workload {} --source{}   # the kernel itself\n", s.name,
                        s.workload, archive);
    text +=
        fmt::format("kevolve show {}{}   # all that was measured\n", s.candidate_hash.substr(0, 12), archive);
  }
  text += fmt::format("kevolve report {}{}\n", report.job.name, archive);
  if (!report.failures.empty()) text += fmt::format("kevolve failures --examples 5{}\n", archive);
  switch (report.job.state) {
    case archive::JobState::finished:
      text += fmt::format("kevolve resume {}{}   # another series of rounds, seeded by these kernels\n",
                          report.job.name, archive);
      break;
    case archive::JobState::cancelled:
    case archive::JobState::paused:
    case archive::JobState::failed:
    case archive::JobState::queued:
    case archive::JobState::running:
      text += fmt::format("kevolve resume {}{}   # continues where it was\n", report.job.name, archive);
  }
  return text + "```\n";
}

}  // namespace

std::string summary_markdown(const JobSummary& report) {
  std::string text = head(report) + table_of_times(report);
  for (const OperatorSummary& s : report.operators) text += about_operator(report, s);
  return text + spending(report) + troubles(report) + next_steps(report);
}

Result<JobSummary> gather_summary(archive::Archive& archive, const std::string& job) {
  JobSummary report;
  TRY(const auto record, archive.job(job));
  if (!record) return failure(fmt::format("the archive has no job '{}'", job));
  report.job = *record;
  report.archive = std::filesystem::absolute(archive.path()).lexically_normal();
  if (const auto document = parse_job(report.job.document, job); document) report.budget = document->budget;
  TRY(report.rounds, archive.round_bests(report.job.id));
  TRY(report.funnel, archive.funnel(report.job.id));
  TRY(report.costs, archive.costs(report.job.id));
  TRY(const auto failures, archive.job_failures(report.job.id));
  for (const archive::FailureGroup& group : failures) {
    const archive::FailureGroup::Example& newest = group.examples.front();
    report.failures.push_back({group.operator_name, group.gate, group.outcome, group.count,
                               newest.candidate_hash, newest.evidence});
  }
  return report;
}

void add_run(JobSummary& report, const RunSummary& run) {
  if (!run.device.name.empty()) report.device = run.device;
  report.operators = run.operators;
  report.used = run.used;
  report.troubles = run.troubles;
}

Result<void> write_summary(const JobSummary& report, const std::filesystem::path& file) {
  std::error_code error;
  if (file.has_parent_path()) std::filesystem::create_directories(file.parent_path(), error);
  const std::filesystem::path beside = file.string() + ".new";
  {
    std::ofstream out(beside, std::ios::binary | std::ios::trunc);
    out << summary_markdown(report);
    out.flush();
    if (!out)
      return failure(
          fmt::format("cannot write the summary {}: check its folder and the disk", file.string()));
  }
  std::filesystem::rename(beside, file, error);
  if (error) return failure(fmt::format("cannot write the summary {}: {}", file.string(), error.message()));
  return {};
}

}  // namespace kevolve::engine
