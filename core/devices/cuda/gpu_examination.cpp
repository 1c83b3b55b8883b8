#include "core/devices/cuda/gpu_examination.hpp"

#include <algorithm>
#include <cmath>

#include "core/devices/cuda/judge_launch.hpp"

namespace kevolve::cuda {

static_assert(sizeof(std::size_t) == sizeof(std::uint64_t));

/// Of one Expectation, with or without its response.
struct GpuExamination::KeptNoise {
  const void *oracle = nullptr, *torch = nullptr, *response = nullptr;  ///< of which it was measured
  std::shared_ptr<std::byte> tiles;                                     ///< a Noise for each
  double oracle_rms = 0;
  double torch_max_error = 0, torch_squares = 0;

  /// An Expectation may be copied and then changed.
  [[nodiscard]] bool is_of(const gates::Expectation& expected) const {
    return oracle == expected.oracle.data() && torch == expected.torch.data &&
           response == expected.response.data();
  }
};

namespace {

JudgeSubject subject_of(const gates::Expectation& expected, const gates::Elements& answer) {
  JudgeSubject subject{};
  subject.answer = answer.data;
  subject.torch = expected.torch.data;
  subject.oracle = expected.oracle.data();
  subject.tiles = gates::tiles_of(expected.shape, answer.count, answer.dtype);
  subject.type = gates::limits_of(answer.dtype);
  subject.dtype = answer.dtype;
  subject.response_rule = gates::response_rule(expected.intermediates);
  return subject;
}

gates::Measured together(const std::vector<MeasuredPart>& parts) {
  gates::Measured all;
  for (const MeasuredPart& part : parts) {
    all.needed = std::max(all.needed, part.needed);
    all.max_error = std::max(all.max_error, part.max_error);
    all.squares += part.squares;
    all.error_squares += part.error_squares;
    all.exact = all.exact && part.inexact == 0;
  }
  return all;
}

/// All but the sample.
gates::Wrong together(const std::vector<FoundPart>& parts) {
  gates::Wrong all;
  double needed = -1;
  for (const FoundPart& part : parts) {
    if (part.count == 0) continue;
    const bool first = all.count == 0;
    all.row_low = first ? part.row_low : std::min<std::size_t>(all.row_low, part.row_low);
    all.row_high = std::max<std::size_t>(all.row_high, part.row_high);
    all.column_low = first ? part.column_low : std::min<std::size_t>(all.column_low, part.column_low);
    all.column_high = std::max<std::size_t>(all.column_high, part.column_high);
    all.count += part.count;
    all.unwritten += part.unwritten;
    if (part.needed > needed) needed = part.needed, all.worst = part.worst;  // parts are in order
  }
  return all;
}

}  // namespace

double GpuExamination::rms(std::span<const double> oracle) {
  const std::uint32_t blocks = stride_blocks(oracle.size());
  auto* parts = findings_.room<SquaresPart>(blocks);
  queue_->launch("judge_squares", blocks, oracle.data(), std::uint64_t{oracle.size()}, parts);
  SquaresPart all{0, 0};
  for (const SquaresPart& part : findings_.download<SquaresPart>(blocks))
    all.squares += part.squares, all.count += part.count;
  return all.count > 0 ? std::sqrt(all.squares / all.count) : 0;
}

std::vector<MeasuredPart> GpuExamination::measured_parts(const JudgeSubject& subject, double rms) {
  const std::uint32_t blocks = measure_blocks(subject.tiles);
  auto* parts = findings_.room<MeasuredPart>(blocks);
  queue_->launch("judge_measure", blocks, subject, rms, parts);
  return findings_.download<MeasuredPart>(blocks);
}

const GpuExamination::KeptNoise& GpuExamination::noise_of(const gates::Expectation& expected) {
  std::shared_ptr<void>& kept = expected.noise[expected.response.empty() ? 0 : 1];
  if (const auto* known = static_cast<const KeptNoise*>(kept.get());
      known != nullptr && known->is_of(expected)) {
    return *known;
  }
  auto noise = std::make_shared<KeptNoise>();
  noise->oracle = expected.oracle.data(), noise->torch = expected.torch.data;
  noise->response = expected.response.data();
  JudgeSubject subject = subject_of(expected, expected.torch);
  auto tiles = allocate_on(queue_, subject.tiles.number * sizeof(gates::Noise));
  if (!tiles) end_for_broken_gpu(tiles.error().message);
  noise->tiles = std::move(*tiles);
  auto* of_tiles = reinterpret_cast<gates::Noise*>(noise->tiles.get());
  if (subject.tiles.number > 0) {
    queue_->launch("judge_observe", static_cast<std::uint32_t>(subject.tiles.number), subject,
                   expected.response.empty() ? nullptr : expected.response.data(), of_tiles);
  }
  noise->oracle_rms = rms(expected.oracle);
  subject.noise = of_tiles;
  const gates::Measured torch = together(measured_parts(subject, noise->oracle_rms));
  noise->torch_max_error = torch.max_error;
  noise->torch_squares = torch.error_squares;
  kept = noise;
  return *noise;
}

bool GpuExamination::same(const gates::Expectation& expected, const gates::Elements& answer) {
  return first_difference(answer, expected.torch) == answer.count;
}

gates::Measured GpuExamination::measure(const gates::Expectation& expected, const gates::Elements& answer) {
  const KeptNoise& noise = noise_of(expected);
  JudgeSubject subject = subject_of(expected, answer);
  subject.noise = reinterpret_cast<const gates::Noise*>(noise.tiles.get());
  gates::Measured all = together(measured_parts(subject, noise.oracle_rms));
  all.torch_max_error = noise.torch_max_error;
  all.torch_squares = noise.torch_squares;
  return all;
}

gates::Wrong GpuExamination::search(const JudgeSearch& search, std::size_t stride, std::size_t most) {
  const std::uint32_t blocks = search_blocks(search.subject.tiles);
  const std::size_t warps = std::size_t{blocks} * kJudgeWarps;
  queue_->launch("judge_find", blocks, search, findings_.room<FoundPart>(warps));
  const auto parts = findings_.download<FoundPart>(warps);
  gates::Wrong wrong = together(parts);
  if (wrong.count == 0) return wrong;
  if (stride == 0) stride = gates::sample_stride(wrong.count);
  std::vector<std::uint64_t> before;
  std::uint64_t sum = 0;
  for (const FoundPart& part : parts) before.push_back(sum), sum += part.count;
  const std::size_t sampled = std::min(most, (wrong.count + stride - 1) / stride);
  queue_->launch("judge_sample", blocks, search, uploads_.upload<std::uint64_t>(before),
                 std::uint64_t{stride}, std::uint64_t{sampled}, findings_.room<std::uint64_t>(sampled));
  wrong.sample = findings_.download<std::size_t>(sampled);
  return wrong;
}

gates::Wrong GpuExamination::find_wrong(const gates::Expectation& expected, const gates::Elements& answer,
                                        double allowed, std::optional<std::uint8_t> poison) {
  JudgeSearch sought{};
  sought.subject = subject_of(expected, answer);
  sought.seek = is_floating(answer.dtype) ? Seek::beyond : Seek::differing;
  if (sought.seek == Seek::beyond)
    sought.subject.noise = reinterpret_cast<const gates::Noise*>(noise_of(expected).tiles.get());
  sought.poison = poison ? *poison : -1;
  sought.allowed = allowed;
  sought.columns = gates::columns_of(expected.shape);
  return search(sought, 0, gates::kMostSampled);
}

std::vector<std::size_t> GpuExamination::unwritten_in_both(const gates::Elements& a, std::uint8_t poison_a,
                                                           const gates::Elements& b, std::uint8_t poison_b) {
  JudgeSearch sought{};
  sought.subject.answer = a.data;
  sought.subject.torch = b.data;
  sought.subject.tiles = gates::tiles_of({static_cast<std::int64_t>(a.count)}, a.count, a.dtype);
  sought.subject.dtype = a.dtype;
  sought.seek = Seek::unwritten;
  sought.poison = poison_a, sought.torch_poison = poison_b;
  sought.columns = std::max<std::size_t>(1, a.count);
  return search(sought, 1, gates::kMostSampled).sample;
}

std::size_t GpuExamination::first_difference(const gates::Elements& a, const gates::Elements& b) {
  const std::uint64_t none[] = {a.count};
  auto* first = uploads_.upload<std::uint64_t>(none);
  queue_->launch("judge_first_difference", stride_blocks(a.count), a.data, b.data, a.dtype,
                 std::uint64_t{a.count}, first);
  return uploads_.download<std::uint64_t>(1)[0];
}

std::vector<double> GpuExamination::values(DType dtype, const void* data,
                                           std::span<const std::size_t> indices) {
  if (indices.empty()) return {};
  const std::size_t* places = uploads_.upload(indices);
  queue_->launch("judge_look", blocks_for_each(indices.size()), data, dtype, places,
                 std::uint64_t{indices.size()}, findings_.room<double>(indices.size()));
  return findings_.download<double>(indices.size());
}

std::vector<double> GpuExamination::look(const gates::Expectation& expected, const gates::Elements& answer,
                                         gates::Side side, std::span<const std::size_t> indices) {
  if (side == gates::Side::oracle) return values(DType::f64, expected.oracle.data(), indices);
  const gates::Elements& elements = side == gates::Side::answer ? answer : expected.torch;
  return values(elements.dtype, elements.data, indices);
}

}  // namespace kevolve::cuda
