// kevolve show ID: everything the archive knows of one candidate.

#include <fmt/format.h>

#include <memory>

#include "archive/archive.hpp"
#include "core/text/words.hpp"
#include "daemon/cli/commands.hpp"
#include "daemon/cli/text.hpp"

namespace kevolve::cli {
namespace {

struct ShowOptions {
  std::string id;
  std::filesystem::path archive;
  bool json = false, no_source = false;
};

/// The figures that most advice rests on; --json has all.
void print_profile(const Profile& profile) {
  if (!profile.measured()) {
    for (const std::string& line : wrapped("not profiled: " + profile.source, 100))
      fmt::print("    {}\n", line);
    return;
  }
  std::string figures;
  for (const char* metric : {"dram_pct", "l2_pct", "fma_pct", "tensor_pct", "inst_pct", "occupancy_pct",
                             "sm_active_pct", "l2_hit_pct", "l1_hit_pct"}) {
    const auto found = profile.metrics.find(metric);
    if (found != profile.metrics.end()) figures += fmt::format("  {} {:.1f}", metric, found->second);
  }
  fmt::print("    profile: {}\n", name(profile.regime));
  for (const std::string& line : wrapped(figures, 100)) fmt::print("      {}\n", line);
  for (const std::string& sentence : profile.advice) {
    const char* mark = "-";
    for (const std::string& line : wrapped(sentence, 96)) {
      fmt::print("      {} {}\n", mark, line);
      mark = " ";
    }
  }
}

void print_evaluation(const archive::EvaluationRecord& record) {
  const Evaluation& evaluation = record.evaluation;
  fmt::print("{}  {} on {} ({}), workload {}: {}\n", archive::to_iso8601(record.evaluated_at),
             name(record.purpose), evaluation.device.name, evaluation.device.model, record.workload,
             evaluation.verdict.passed() ? "passed"
                                         : fmt::format("stopped at {}: {}", name(evaluation.verdict.gate),
                                                       name(evaluation.verdict.outcome)));
  if (!evaluation.verdict.evidence.empty()) fmt::print("    {}\n", evaluation.verdict.evidence);
  for (const Measurement& m : evaluation.measurements) {
    fmt::print("    {:<10} {:>12} [{}, {}]  {} samples, {}{}\n", m.subject, in_time(m.median_us),
               in_time(m.low_us), in_time(m.high_us), m.samples_us.size(), m.mode,
               m.backend.empty() ? "" : ", by " + m.backend);
  }
  if (!evaluation.measurements.empty() && !record.yardstick.empty()) {
    fmt::print("    {:.3f} x over {}, at least {:.3f} x\n", evaluation.speedup, record.yardstick,
               evaluation.speedup_low);
  }
  if (evaluation.profile) print_profile(*evaluation.profile);
}

void print_standing(const archive::StandingRecord& standing,
                    const std::vector<archive::EvaluationRecord>& evaluations) {
  if (!standing.refuted) {
    fmt::print("stands: {} on {}, {}: {:.3f} x over {} ({})\n", standing.workload, standing.device_info.name,
               name(standing.precision), standing.speedup, standing.yardstick, name(standing.figure));
    return;
  }
  fmt::print("DOES NOT HOLD: {} on {}, {}", standing.workload, standing.device_info.name,
             name(standing.precision));
  for (const archive::EvaluationRecord& record : evaluations) {
    if (record.id == standing.evaluation)
      fmt::print(", by the judgement of {}", archive::to_iso8601(record.evaluated_at));
  }
  fmt::print("\n");
}

int show(const ShowOptions& options) {
  Result<archive::Archive> archive = archive::Archive::open(options.archive, archive::OpenMode::read_only);
  if (!archive) return complain(archive.error(), kOperational);
  const Result<archive::CandidateDetail> detail = archive->show(options.id);
  if (!detail) return complain(detail.error(), kNotFound);
  if (options.json) {
    print_json(to_json(*detail));
    return kOk;
  }
  const archive::CandidateRecord& candidate = detail->candidate;
  fmt::print("{} candidate #{} {}\n", detail->operator_name, candidate.id.value, candidate.hash);
  fmt::print("idea ({} {}):\n", detail->idea.source, detail->idea.key);
  for (const std::string& line : wrapped(detail->idea.text, 100)) fmt::print("    {}\n", line);
  if (!candidate.tunables.empty()) fmt::print("tunables: {}\n", in_tunables(candidate.tunables));
  for (const archive::StandingRecord& standing : detail->standings)
    print_standing(standing, detail->evaluations);
  for (const archive::EvaluationRecord& record : detail->evaluations) print_evaluation(record);
  if (!options.no_source) fmt::print("\n{}", candidate.source);
  return kOk;
}

}  // namespace

Command add_show(CLI::App& app) {
  auto options = std::make_shared<ShowOptions>();
  CLI::App* sub = app.add_subcommand("show", "One candidate: source, idea, verdict, times");
  sub->add_option("id", options->id, "#NUMBER, or a candidate's hash or the beginning of it")->required();
  sub->add_flag("--no-source", options->no_source, "Leave the source out");
  sub->add_flag("--json", options->json, "For scripts");
  add_archive_option(*sub, options->archive);
  return [options] { return show(*options); };
}

}  // namespace kevolve::cli
