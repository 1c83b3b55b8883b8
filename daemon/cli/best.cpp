// kevolve best OPERATOR: the best verified kernel of an operator, from the archive alone.

#include <fmt/format.h>

#include <cmath>
#include <memory>

#include "core/model/common_scale.hpp"
#include "core/model/subjects.hpp"
#include "core/text/words.hpp"
#include "daemon/answers/best.hpp"
#include "daemon/cli/commands.hpp"
#include "daemon/cli/text.hpp"

namespace kevolve::cli {
namespace {

struct BestOptions {
  std::string op, workload, device, precision, against;
  std::filesystem::path archive;
  int top = 1;
  bool json = false, source = false;
};

void print_baselines(const std::vector<std::pair<std::string, double>>& baselines, double median_us) {
  if (baselines.empty()) return;
  fmt::print("  PyTorch");
  for (const auto& [name, us] : baselines)
    fmt::print("   {} {} ({:.2f} x)", name, in_time(us), us / median_us);
  fmt::print("\n");
}

void print_kernel(const answers::BestKernel& best) {
  const archive::RankedKernel& kernel = best.kernel;
  fmt::print("{} {}  {}  {}\n", kernel.operator_name, kernel.workload, kernel.device_info.model,
             name(kernel.precision));
  fmt::print("  #{} {}   {} [{}, {}]   {:.2f} x over {} ({}, at least {:.2f} x)\n", kernel.rank,
             kernel.candidate_hash.substr(0, 12), in_time(kernel.median_us), in_time(kernel.low_us),
             in_time(kernel.high_us), kernel.speedup, kernel.yardstick, in_time(kernel.yardstick_us),
             kernel.speedup_low);
  fmt::print("  figures from {}\n",
             kernel.figure == archive::Figure::retimed ? "fresh runs after the search" : "the search itself");
  for (const std::string& line : wrapped(best.own_idea, 96)) fmt::print("    {}\n", line);
  if (kernel.idea_key.starts_with("tune:")) {
    for (const std::string& line : wrapped("Found by: " + kernel.idea_text, 96)) fmt::print("    {}\n", line);
  }
  if (!kernel.tunables.empty()) fmt::print("    {}\n", in_tunables(kernel.tunables));
  if (kernel.round_number) fmt::print("    job {}, round {}\n", kernel.job, *kernel.round_number);
  print_baselines(best.baselines_us, kernel.median_us);
}

int best(const BestOptions& options) {
  answers::BestQuestion question{options.op, options.workload, options.device, options.against,
                                 {},         options.top};
  if (!options.precision.empty()) {
    question.precision = precision_from_name(options.precision);
    if (!question.precision) {
      return complain(
          {fmt::format("--precision {}: expected exact, strict_fp32, compensated, tf32, fp16 or bf16",
                       options.precision)},
          kUsage);
    }
  }
  Result<archive::Archive> archive = archive::Archive::open(options.archive, archive::OpenMode::read_only);
  if (!archive) return complain(archive.error(), kOperational);
  const Result<answers::BestAnswer> answer = answers::answer_best(*archive, question);
  if (!answer) return complain(answer.error(), kOperational);
  if (answer->nearest) {
    fmt::print(stderr,
               "kevolve: '{}' was never searched; the nearest searched workload is '{}' (sizes differ by a "
               "factor of {:.3g} in all)\n",
               options.workload, answer->nearest->workload, std::exp(answer->nearest->distance));
  }
  if (answer->kernels.empty()) return complain({answers::nothing_best(*archive, question)}, kNotFound);
  if (options.source) {
    fmt::print("{}", answer->kernels.front().source);
  } else if (options.json) {
    print_json(to_json(*answer));
  } else {
    for (const answers::BestKernel& best : answer->kernels) print_kernel(best);
    for (const std::string& line : wrapped(kCommonScaleNote, 100)) fmt::print("{}\n", line);
  }
  return kOk;
}

}  // namespace

Command add_best(CLI::App& app) {
  auto options = std::make_shared<BestOptions>();
  CLI::App* sub = app.add_subcommand("best", "The best verified kernel of an operator");
  sub->add_option("operator", options->op, "Operator, for example layernorm")->required();
  sub->add_option(
      "--workload", options->workload,
      "Only this workload, by name or as AXIS=SIZE,…; never searched: the nearest that was (default: each)");
  sub->add_option("--against", options->against,
                  "Only speed-ups over this: naive, eager or compile (default: each)")
      ->check(CLI::IsMember(
          std::vector<std::string>(subjects::kYardsticks.begin(), subjects::kYardsticks.end())));
  sub->add_option("--device", options->device, "Only this device, by name, model or key (default: each)");
  sub->add_option("--precision", options->precision, "Only this precision class (default: each)");
  sub->add_option("--top", options->top, "How many of each workload, device and precision class")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  sub->add_flag("--source", options->source, "Print the best kernel's source and nothing else");
  sub->add_flag("--json", options->json, "For scripts: a list of kernels");
  add_archive_option(*sub, options->archive);
  return [options] { return best(*options); };
}

}  // namespace kevolve::cli
