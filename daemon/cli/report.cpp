// kevolve report JOB: what became of a job: funnel, champions, best over rounds, costs.

#include <fmt/format.h>

#include <memory>

#include "core/model/common_scale.hpp"
#include "core/text/words.hpp"
#include "daemon/answers/report.hpp"
#include "daemon/cli/commands.hpp"
#include "daemon/cli/text.hpp"

namespace kevolve::cli {
namespace {

struct ReportOptions {
  std::string job;
  std::filesystem::path archive;
  bool json = false;
};

void print(const answers::JobReport& found) {
  const archive::Funnel& funnel = found.funnel;
  fmt::print("job {} ({}): {} candidates judged, {} waiting, {} passed\n", found.job.name,
             name(found.job.state), funnel.evaluated, funnel.proposed + funnel.evaluating, funnel.passed());
  std::vector<std::vector<std::string>> rows;
  for (const archive::Funnel::Stop& stop : funnel.stops)
    rows.push_back(
        {std::string(name(stop.gate)), std::string(name(stop.outcome)), fmt::format("{}", stop.candidates)});
  if (!rows.empty()) fmt::print("\n{}", table({"last gate", "outcome", "candidates"}, rows));
  rows.clear();
  for (const archive::JobChampion& c : found.champions) {
    rows.push_back({c.operator_name, c.workload, std::string(name(c.precision)),
                    fmt::format("{:.2f} x", c.speedup), c.candidate_hash.substr(0, 12),
                    fmt::format("{}", c.changes), c.refuted ? "refuted since" : ""});
  }
  if (!rows.empty())
    fmt::print("\n{}",
               table({"champion of", "workload", "precision", "speed-up", "candidate", "changes", ""}, rows));
  rows.clear();
  for (const archive::RoundBest& best : found.rounds) {
    rows.push_back({best.operator_name, best.round.workload, fmt::format("{}", best.round.number),
                    best.speedup > 0 ? fmt::format("{:.2f} x", best.speedup) : "-", in_time(best.median_us)});
  }
  if (!rows.empty()) {
    fmt::print("\n{}", table({"operator", "workload", "round", "best of it", "time"}, rows));
    for (const std::string& line : wrapped(kCommonScaleNote, 100)) fmt::print("{}\n", line);
  }
  double usd = 0;
  std::int64_t requests = 0;
  for (const archive::CostRecord& cost : found.costs) {
    usd += cost.spent.usd;
    requests += cost.spent.requests;
  }
  if (requests > 0)
    fmt::print("\nmodels: {} requests, {:.4f} USD; 'kevolve costs' has more\n", requests, usd);
}

int report(const ReportOptions& options) {
  Result<archive::Archive> archive = archive::Archive::open(options.archive, archive::OpenMode::read_only);
  if (!archive) return complain(archive.error(), kOperational);
  const Result<std::optional<answers::JobReport>> found = answers::answer_report(*archive, options.job);
  if (!found) return complain(found.error(), kOperational);
  if (!*found) return complain({fmt::format("the archive has no job '{}'", options.job)}, kNotFound);
  if (!options.json) {
    print(**found);
    return kOk;
  }
  print_json(to_json(**found));
  return kOk;
}

}  // namespace

Command add_report(CLI::App& app) {
  auto options = std::make_shared<ReportOptions>();
  CLI::App* sub = app.add_subcommand("report", "What became of a job: funnel, champions, rounds, costs");
  sub->add_option("job", options->job, "The job's name")->required();
  sub->add_flag("--json", options->json, "For scripts");
  add_archive_option(*sub, options->archive);
  return [options] { return report(*options); };
}

}  // namespace kevolve::cli
