// kevolve best OPERATOR: the best verified kernel of an operator, from the archive alone.

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <memory>

#include "archive/archive.hpp"
#include "core/model/candidate.hpp"
#include "daemon/cli/commands.hpp"
#include "daemon/cli/text.hpp"

namespace kevolve::cli {
namespace {

/// Among so many of the fastest of a group the re-timed one is looked for.
constexpr int kSearchedDepth = 256;

struct Options {
  std::string op, workload, device, precision, against;
  std::filesystem::path archive;
  int top = 1;
  bool json = false, source = false;
};

Result<std::string> source_of(Archive& archive, const RankedKernel& kernel) {
  const Result<CandidateDetail> detail = archive.show(kernel.candidate_hash);
  if (!detail) return failure(detail.error());
  return detail->candidate.source;
}

/// What the kernel itself says that it does: an idea of tuning tells only how it was found.
std::string own_idea(const std::string& source) {
  const Result<std::string> text = header_text(source);
  if (!text) return {};
  const Result<Json> header = parse_json(*text, "header");
  return header && header->is_object() ? header->value("idea", "") : std::string();
}

/// What PyTorch took in the evaluation that a kernel's figures come from: subject and median.
Result<std::vector<std::pair<std::string, double>>> baselines_of(Archive& archive,
                                                                 const RankedKernel& kernel) {
  const Result<EvaluationRecord> record = archive.evaluation(kernel.evaluation);
  if (!record) return failure(record.error());
  std::vector<std::pair<std::string, double>> found;
  for (const Measurement& m : record->evaluation.measurements) {
    const bool ours = m.subject == "candidate" || m.subject == "naive" || m.subject == "incumbent";
    if (!ours) found.emplace_back(m.subject, m.median_us);
  }
  return found;
}

void print_baselines(const std::vector<std::pair<std::string, double>>& baselines, double median_us) {
  if (baselines.empty()) return;
  fmt::print("  PyTorch");
  for (const auto& [name, us] : baselines)
    fmt::print("   {} {} ({:.2f} x)", name, in_time(us), us / median_us);
  fmt::print("\n");
}

void print_kernel(const RankedKernel& kernel, const std::string& source) {
  fmt::print("{} {}  {}  {}\n", kernel.operator_name, kernel.workload, kernel.device_info.model,
             name(kernel.precision));
  fmt::print("  #{} {}   {} [{}, {}]   {:.2f} x over {} ({}, at least {:.2f} x)\n", kernel.rank,
             kernel.candidate_hash.substr(0, 12), in_time(kernel.median_us), in_time(kernel.low_us),
             in_time(kernel.high_us), kernel.speedup, kernel.yardstick, in_time(kernel.yardstick_us),
             kernel.speedup_low);
  fmt::print("  figures from {}\n",
             kernel.figure == Figure::retimed ? "fresh runs after the search" : "the search itself");
  for (const std::string& line : wrapped(own_idea(source), 96)) fmt::print("    {}\n", line);
  if (kernel.idea_key.starts_with("tune:")) {
    for (const std::string& line : wrapped("Found by: " + kernel.idea_text, 96)) fmt::print("    {}\n", line);
  }
  if (!kernel.tunables.empty()) fmt::print("    {}\n", in_tunables(kernel.tunables));
  if (kernel.round_number) fmt::print("    job {}, round {}\n", kernel.job, *kernel.round_number);
}

/// A figure taken again in fresh processes counts before a faster one of the search itself, which may have
/// been luck. Keeps the `top` first of each group (`kernels` come group by group, ranked from 1).
std::vector<RankedKernel> prefer_retimed(std::vector<RankedKernel> kernels, int top) {
  std::vector<RankedKernel> chosen;
  for (auto begin = kernels.begin(); begin != kernels.end();) {
    const auto end =
        std::find_if(std::next(begin), kernels.end(), [](const RankedKernel& k) { return k.rank == 1; });
    std::stable_partition(begin, end, [](const RankedKernel& k) { return k.figure == Figure::retimed; });
    const auto count = std::min<std::ptrdiff_t>(top, end - begin);
    for (std::ptrdiff_t i = 0; i < count; ++i) {
      begin[i].rank = static_cast<int>(i) + 1;
      chosen.push_back(std::move(begin[i]));
    }
    begin = end;
  }
  return chosen;
}

/// "ROWS=4096,COLS=1024" as axes; nothing when it is not of that form.
std::optional<Bindings> axes_from(const std::string& text) {
  Bindings axes;
  for (std::size_t at = 0; at <= text.size();) {
    const std::size_t end = std::min(text.find(',', at), text.size());
    const std::size_t equals = text.find('=', at);
    std::int64_t size = 0;
    if (equals >= end) return std::nullopt;
    const auto [stop, error] = std::from_chars(text.data() + equals + 1, text.data() + end, size);
    if (error != std::errc() || stop != text.data() + end || size < 1) return std::nullopt;
    axes[text.substr(at, equals - at)] = size;
    at = end + 1;
  }
  return axes;
}

struct Nearest {
  std::string workload;
  double distance = 0;
};

/// The searched workload nearest to the one asked for; nothing when its axes are unknown, or nothing was
/// searched.
Result<std::optional<Nearest>> nearest_searched(Archive& archive, const Options& options) {
  std::optional<Bindings> axes = axes_from(options.workload);
  if (!axes) {
    const auto known = archive.workload(options.op, options.workload);
    if (!known) return failure(known.error());
    if (!*known) return std::optional<Nearest>();
    axes = (*known)->axes;
  }
  const auto searched = archive.ranked_workloads(options.op);
  if (!searched) return failure(searched.error());
  std::optional<Nearest> nearest;
  for (const Workload& workload : *searched) {
    const double distance = workload_distance(*axes, workload.axes);
    if (!nearest || distance < nearest->distance) nearest = Nearest{workload.name, distance};
  }
  return nearest;
}

int best(const Options& options) {
  RankingQuery query;
  query.operator_name = options.op;
  query.workload = options.workload;
  query.device = options.device;
  query.yardstick = options.against;
  query.top = std::max(options.top, kSearchedDepth);
  if (!options.precision.empty()) {
    query.precision = precision_from_name(options.precision);
    if (!query.precision) {
      return complain(
          {fmt::format("--precision {}: expected exact, strict_fp32, compensated, tf32, fp16 or bf16",
                       options.precision)},
          kUsage);
    }
  }
  Result<Archive> archive = Archive::open(options.archive, OpenMode::read_only);
  if (!archive) return complain(archive.error(), kOperational);
  Result<std::vector<RankedKernel>> kernels = archive->best(query);
  if (!kernels) return complain(kernels.error(), kOperational);
  std::optional<Nearest> nearest;
  if (kernels->empty() && !options.workload.empty()) {
    const auto found = nearest_searched(*archive, options);
    if (!found) return complain(found.error(), kOperational);
    if (*found) {
      nearest = **found;
      query.workload = nearest->workload;
      kernels = archive->best(query);
      if (!kernels) return complain(kernels.error(), kOperational);
      if (!kernels->empty()) {
        fmt::print(
            stderr,
            "kevolve: '{}' was never searched; the nearest searched workload is '{}' (sizes differ by a "
            "factor of {:.3g} in all)\n",
            options.workload, nearest->workload, std::exp(nearest->distance));
      }
    }
  }
  *kernels = prefer_retimed(std::move(*kernels), options.top);
  if (kernels->empty()) {
    const Result<std::vector<std::string>> names = archive->operator_names();
    return complain({fmt::format("{} holds no verified kernel of '{}' that matches; operators in it: {}",
                                 options.archive.string(), options.op,
                                 names ? fmt::format("{}", fmt::join(*names, ", ")) : "")},
                    kNotFound);
  }
  if (options.source) {
    const Result<std::string> source = source_of(*archive, kernels->front());
    if (!source) return complain(source.error(), kOperational);
    fmt::print("{}", *source);
    return kOk;
  }
  Json list = Json::array();
  for (const RankedKernel& kernel : *kernels) {
    const Result<std::string> source = source_of(*archive, kernel);
    if (!source) return complain(source.error(), kOperational);
    const auto baselines = baselines_of(*archive, kernel);
    if (!baselines) return complain(baselines.error(), kOperational);
    if (!options.json) {
      print_kernel(kernel, *source);
      print_baselines(*baselines, kernel.median_us);
      continue;
    }
    Json entry = to_json(kernel);
    if (nearest) entry["nearest_to"] = {{"workload", options.workload}, {"distance", nearest->distance}};
    entry["kernel_idea"] = own_idea(*source);
    entry["baselines_us"] = Json::object();
    for (const auto& [name, us] : *baselines) entry["baselines_us"][name] = us;
    list.push_back(std::move(entry));
  }
  if (options.json) print_json(list);
  return kOk;
}

}  // namespace

Command add_best(CLI::App& app) {
  auto options = std::make_shared<Options>();
  CLI::App* sub = app.add_subcommand("best", "The best verified kernel of an operator");
  sub->add_option("operator", options->op, "Operator, for example layernorm")->required();
  sub->add_option(
      "--workload", options->workload,
      "Only this workload, by name or as AXIS=SIZE,…; never searched: the nearest that was (default: each)");
  sub->add_option("--against", options->against,
                  "Only speed-ups over this: naive, eager or compile (default: each)")
      ->check(CLI::IsMember({"naive", "eager", "compile"}));
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
