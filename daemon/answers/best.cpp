#include "daemon/answers/best.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "core/model/candidate.hpp"
#include "core/model/common_scale.hpp"
#include "core/model/subjects.hpp"

namespace kevolve::answers {
namespace {

/// Among this many of the fastest of a group, retimed kernels go first.
constexpr int kRetimedDepth = 256;

/// An idea of tuning tells only how the kernel was found; its header says what it does.
std::string own_idea(const std::string& source) {
  const Result<std::string> text = header_text(source);
  if (!text) return {};
  const Result<Json> header = parse_json(*text, "header");
  if (!header || !header->is_object()) return {};
  const auto idea = header->find("idea");
  return idea != header->end() && idea->is_string() ? idea->get<std::string>() : std::string();
}

Result<BestKernel> described(archive::Archive& archive, archive::RankedKernel kernel) {
  const Result<archive::CandidateDetail> detail = archive.show(kernel.candidate_hash);
  if (!detail) return failure(detail.error());
  const Result<archive::EvaluationRecord> record = archive.evaluation(kernel.evaluation);
  if (!record) return failure(record.error());
  BestKernel best;
  best.source = detail->candidate.source;
  best.own_idea = own_idea(best.source);
  for (const Measurement& m : record->evaluation.measurements) {
    if (!subjects::is_kernel(m.subject)) best.baselines_us.emplace_back(m.subject, m.median_us);
  }
  best.kernel = std::move(kernel);
  return best;
}

/// Puts a kernel's times, and those of PyTorch beside it, on `scale`.
void rescale(BestKernel& best, const CommonScale& scale) {
  archive::RankedKernel& kernel = best.kernel;
  if (kernel.median_us <= 0 || kernel.speedup <= 0 || scale.yardstick_us <= 0) return;
  // The naive kernel is its own yardstick on the cpu device, and is then measured once.
  const double yardstick_then_us = kernel.yardstick_us > 0 ? kernel.yardstick_us : kernel.median_us;
  for (auto& [subject, us] : best.baselines_us) us = scale.us_beside(us, yardstick_then_us);
  const double factor = scale.us(kernel.speedup) / kernel.median_us;
  kernel.median_us *= factor;
  kernel.low_us *= factor;
  kernel.high_us *= factor;
  kernel.yardstick_us = scale.yardstick_us;
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

/// The searched workload nearest to the one asked for; nothing when its axes are unknown, or nothing was
/// searched.
Result<std::optional<NearestWorkload>> nearest_searched(archive::Archive& archive,
                                                        const BestQuestion& question) {
  std::optional<Bindings> axes = axes_from(question.workload);
  if (!axes) {
    const auto known = archive.workload(question.operator_name, question.workload);
    if (!known) return failure(known.error());
    if (!*known) return std::optional<NearestWorkload>();
    axes = (*known)->axes;
  }
  const auto searched = archive.ranked_workloads(question.operator_name);
  if (!searched) return failure(searched.error());
  std::optional<NearestWorkload> nearest;
  for (const Workload& workload : *searched) {
    const double distance = archive::workload_distance(*axes, workload.axes);
    if (!nearest || distance < nearest->distance)
      nearest = NearestWorkload{question.workload, workload.name, distance};
  }
  return nearest;
}

}  // namespace

Result<BestAnswer> answer_best(archive::Archive& archive, const BestQuestion& question) {
  archive::RankingQuery query;
  query.operator_name = question.operator_name;
  query.workload = question.workload;
  query.device = question.device;
  query.precision = question.precision;
  query.yardstick = question.yardstick;
  query.top = question.top;
  query.retimed_first_among = kRetimedDepth;
  Result<std::vector<archive::RankedKernel>> kernels = archive.best(query);
  if (!kernels) return failure(kernels.error());
  BestAnswer answer;
  if (kernels->empty() && !question.workload.empty()) {
    const auto found = nearest_searched(archive, question);
    if (!found) return failure(found.error());
    if (*found) {
      query.workload = (*found)->workload;
      kernels = archive.best(query);
      if (!kernels) return failure(kernels.error());
      if (!kernels->empty()) answer.nearest = **found;
    }
  }
  for (archive::RankedKernel& kernel : *kernels) {
    Result<BestKernel> best = described(archive, std::move(kernel));
    if (!best) return failure(best.error());
    answer.kernels.push_back(std::move(*best));
  }
  put_on_common_scale(answer.kernels);
  return answer;
}

void put_on_common_scale(std::vector<BestKernel>& kernels) {
  CommonScale scale;
  for (BestKernel& best : kernels) {
    if (best.kernel.rank == 1) scale = CommonScale::of(best.kernel.median_us, best.kernel.speedup);
    rescale(best, scale);
  }
}

std::string nothing_best(archive::Archive& archive, const BestQuestion& question) {
  const Result<std::vector<std::string>> names = archive.operator_names();
  return fmt::format("{} holds no verified kernel of '{}' that matches; operators in it: {}",
                     archive.path().string(), question.operator_name,
                     names ? fmt::format("{}", fmt::join(*names, ", ")) : "");
}

Json to_json(const BestAnswer& answer) {
  Json list = Json::array();
  for (const BestKernel& best : answer.kernels) {
    Json entry = to_json(best.kernel);
    if (answer.nearest)
      entry["nearest_to"] = {{"workload", answer.nearest->asked}, {"distance", answer.nearest->distance}};
    entry["kernel_idea"] = best.own_idea;
    entry["baselines_us"] = Json::object();
    for (const auto& [name, us] : best.baselines_us) entry["baselines_us"][name] = us;
    list.push_back(std::move(entry));
  }
  return list;
}

}  // namespace kevolve::answers
