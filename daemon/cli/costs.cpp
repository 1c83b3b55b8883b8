// kevolve costs: what models cost, and what came of it.

#include <fmt/format.h>

#include <memory>

#include "archive/archive.hpp"
#include "daemon/cli/commands.hpp"
#include "daemon/cli/text.hpp"

namespace kevolve::cli {
namespace {

struct CostsOptions {
  std::string job;
  std::filesystem::path archive;
  bool json = false;
};

std::string in_usd(double usd) {
  return usd == 0 ? "0" : usd < 0.1 ? fmt::format("{:.4f}", usd) : fmt::format("{:.2f}", usd);
}

/// Of one verified kernel, one win; "-" when there is none.
std::string usd_each(const archive::CostRecord& cost, std::int64_t things) {
  return things == 0 ? "-" : in_usd(cost.spent.usd / static_cast<double>(things));
}

std::vector<std::string> row(const archive::CostRecord& cost) {
  const archive::Spending& spent = cost.spent;
  return {cost.job,
          cost.source,
          cost.model.empty() ? "(no reply)" : cost.model,
          fmt::format("{}", cost.exchanges),
          fmt::format("{}", spent.requests),
          fmt::format("{}", spent.input_tokens),
          fmt::format("{}", spent.cached_tokens),
          fmt::format("{}", spent.output_tokens),
          fmt::format("{}", spent.reasoning_tokens),
          spent.unpriced > 0 ? in_usd(spent.usd) + " + ?" : in_usd(spent.usd),
          fmt::format("{}", cost.candidates),
          fmt::format("{}", cost.verified),
          fmt::format("{}", cost.wins),
          usd_each(cost, cost.verified),
          usd_each(cost, cost.wins)};
}

int costs(const CostsOptions& options) {
  Result<archive::Archive> archive = archive::Archive::open(options.archive, archive::OpenMode::read_only);
  if (!archive) return complain(archive.error(), kOperational);
  std::optional<JobId> id;
  if (!options.job.empty()) {
    const auto job = archive->job(options.job);
    if (!job) return complain(job.error(), kOperational);
    if (!*job) return complain({fmt::format("the archive has no job '{}'", options.job)}, kNotFound);
    id = (*job)->id;
  }
  const Result<std::vector<archive::CostRecord>> found = archive->costs(id);
  if (!found) return complain(found.error(), kOperational);
  if (options.json) {
    Json list = Json::array();
    for (const archive::CostRecord& cost : *found) list.push_back(to_json(cost));
    print_json(list);
    return kOk;
  }
  if (found->empty()) {
    fmt::print("no exchanges with models in {}\n", options.archive.string());
    return kOk;
  }
  std::vector<std::vector<std::string>> rows;
  bool unpriced = false;
  for (const archive::CostRecord& cost : *found) {
    rows.push_back(row(cost));
    unpriced = unpriced || cost.spent.unpriced > 0;
  }
  fmt::print("{}\n", table({"job", "source", "model", "exchanges", "requests", "tokens in", "of them cached",
                            "tokens out", "of them reasoning", "USD", "candidates", "verified", "wins",
                            "USD/verified", "USD/win"},
                           rows));
  fmt::print(
      "\nverified: passed all gates; a win became champion. A model's kernels count with their tunings.\n");
  if (unpriced) fmt::print("+ ?: some exchanges are of models without a price in the models file.\n");
  return kOk;
}

}  // namespace

Command add_costs(CLI::App& app) {
  auto options = std::make_shared<CostsOptions>();
  CLI::App* sub = app.add_subcommand("costs", "What models cost, by job and model, and what came of it");
  sub->add_option("--job", options->job, "Only this job");
  sub->add_flag("--json", options->json, "As JSON");
  add_archive_option(*sub, options->archive);
  return [options] { return costs(*options); };
}

}  // namespace kevolve::cli
