#include "core/gates/comparison.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/gates/evidence.hpp"
#include "core/gates/host_examination.hpp"

namespace kevolve::gates {
namespace {

std::optional<PrecisionClass> class_of(double needed, bool exact, DType dtype) {
  if (exact) return PrecisionClass::exact;
  for (const auto precision : {PrecisionClass::strict_fp32, PrecisionClass::compensated, PrecisionClass::tf32,
                               PrecisionClass::fp16, PrecisionClass::bf16}) {
    if (needed <= allowance(precision, dtype)) return precision;
  }
  return std::nullopt;
}

/// An examination of one answer.
struct Subject {
  Examination& examination;
  const Expectation& expected;
  const Elements& answer;

  [[nodiscard]] std::string describe(const Wrong& wrong, std::optional<std::uint8_t> poison) const {
    return describe_wrong(expected, answer, wrong, poison,
                          [&](Side side, std::span<const std::size_t> indices) {
                            return examination.look(expected, answer, side, indices);
                          });
  }
};

Comparison compare_integers(const Subject& subject, std::optional<std::uint8_t> poison) {
  Comparison result;
  result.accuracy.worst_draw = subject.expected.draw;
  if (subject.examination.same(subject.expected, subject.answer)) {
    result.precision = PrecisionClass::exact;
    return result;
  }
  const Wrong wrong = subject.examination.find_wrong(subject.expected, subject.answer, 0, poison);
  result.wrong = wrong.count;
  result.needed_allowance = std::numeric_limits<double>::infinity();
  result.accuracy.max_error = 1;
  result.accuracy.norm_error = static_cast<double>(wrong.count) / static_cast<double>(subject.answer.count);
  result.unwritten = wrong.unwritten;
  result.evidence = subject.describe(wrong, poison);
  return result;
}

void explain(Comparison& result, const Subject& subject, PrecisionClass required,
             std::optional<std::uint8_t> poison) {
  const double allowed = allowance(required, subject.answer.dtype);
  const Wrong wrong = subject.examination.find_wrong(subject.expected, subject.answer, allowed, poison);
  result.wrong = wrong.count;
  result.unwritten = wrong.unwritten;
  result.evidence =
      wrong.count > 0
          ? subject.describe(wrong, poison)
          : fmt::format(
                "{} is slightly wrong everywhere (draw '{}'): no single element, but the norm of the error.",
                subject.expected.output, subject.expected.draw);
  if (result.precision) {
    result.evidence += fmt::format(
        " This fits the precision class {} but not the required {}: largest scaled error {}, PyTorch's own "
        "{}.",
        name(*result.precision), name(required), number_text(result.accuracy.max_error),
        number_text(result.accuracy.torch_max_error));
  }
}

/// With what is known of the noise so far, without explanation.
Comparison compare_numbers(const Subject& subject) {
  const Measured measured = subject.examination.measure(subject.expected, subject.answer);
  Comparison result;
  result.needed_allowance = measured.needed;
  result.accuracy.worst_draw = subject.expected.draw;
  result.accuracy.max_error = measured.max_error;
  result.accuracy.torch_max_error = measured.torch_max_error;
  if (measured.squares > 0) {
    result.accuracy.norm_error = std::sqrt(measured.error_squares / measured.squares);
    result.accuracy.torch_norm_error = std::sqrt(measured.torch_squares / measured.squares);
  }
  result.precision = class_of(measured.needed, measured.exact, subject.answer.dtype);
  return result;
}

}  // namespace

double allowance(PrecisionClass precision, DType dtype) {
  // Of a 16-bit output the rounding itself is the noise: computed in fp32 and rounded once it is within 1; a
  // few roundings on the way are what 16-bit arithmetic means. Noise::arithmetic comes on top.
  const bool narrow = dtype == DType::f16 || dtype == DType::bf16;
  const double unit = std::max(unit_roundoff(dtype), 0x1p-53);
  const auto reach = [&](double least, double multiple, double class_unit) {
    return std::max(least, multiple * class_unit / unit);
  };
  switch (precision) {
    case PrecisionClass::exact:
      return 0;
    case PrecisionClass::strict_fp32:
      return narrow ? 2 : reach(kFloatMultiple, kFloatMultiple, 0x1p-24);
    case PrecisionClass::compensated:
      return narrow ? 2 : reach(128, 64, 0x1p-20);
    case PrecisionClass::tf32:
    case PrecisionClass::fp16:
      return narrow ? 12 : reach(128, 2, 0x1p-11);
    case PrecisionClass::bf16:
      return dtype == DType::f16 ? 64 : narrow ? 12 : reach(128, 2, 0x1p-8);
  }
  return 0;
}

ResponseRule response_rule(DType intermediates) {
  if (intermediates == DType::f32) return {kFloatMultiple, kRelativeSpread, kFloatRoundoff};
  return {2 * unit_roundoff(intermediates) / kFloatRoundoff, 1, 0};
}

Comparison compare_by(Examination& examination, const Expectation& expected, const Elements& answer,
                      PrecisionClass required, std::optional<std::uint8_t> poison) {
  const Subject subject{examination, expected, answer};
  if (!is_floating(answer.dtype)) return compare_integers(subject, poison);
  const auto meets = [&](const Comparison& result, PrecisionClass asked) {
    return result.precision && satisfies(*result.precision, asked);
  };
  Comparison result = compare_numbers(subject);
  if (expected.response.empty() && expected.observe_response && !meets(result, PrecisionClass::strict_fp32)) {
    Expectation observed = expected;
    const auto response = expected.observe_response();
    if (response) observed.response = *response;
    observed.observe_response = nullptr;
    result = compare_by(examination, observed, answer, required, poison);
    expected.noise = observed.noise;
    if (!response && !result.right()) {
      result.evidence +=
          " How inputs' last bits move the answer, by which it might be right, could not be observed: " +
          response.error().message;
    }
    return result;
  }
  if (!meets(result, required)) explain(result, subject, required, poison);
  return result;
}

Comparison compare(const Expectation& expected, const Elements& answer, PrecisionClass required,
                   std::optional<std::uint8_t> poison) {
  HostExamination host;
  return compare_by(host, expected, answer, required, poison);
}

std::size_t columns_of(const std::vector<std::int64_t>& shape) {
  return shape.empty() ? 1 : std::max<std::size_t>(1, static_cast<std::size_t>(shape.back()));
}

Wrong places_of(const std::vector<std::size_t>& indices, std::size_t worst,
                const std::vector<std::int64_t>& shape) {
  Wrong wrong;
  wrong.count = indices.size();
  wrong.worst = worst;
  if (indices.empty()) return wrong;
  const std::size_t columns = columns_of(shape), stride = sample_stride(indices.size());
  wrong.row_low = indices.front() / columns, wrong.row_high = indices.back() / columns;
  wrong.column_low = columns;
  for (std::size_t rank = 0; rank < indices.size(); ++rank) {
    wrong.column_low = std::min(wrong.column_low, indices[rank] % columns);
    wrong.column_high = std::max(wrong.column_high, indices[rank] % columns);
    if (rank % stride == 0) wrong.sample.push_back(indices[rank]);
  }
  return wrong;
}

Tiles tiles_of(const std::vector<std::int64_t>& shape, std::size_t count, DType dtype) {
  const std::uint64_t least = tile_least(limits_of(dtype));
  Tiles tiles;
  tiles.count = count;
  tiles.row = columns_of(shape);
  if (tiles.row > count || count % tiles.row != 0)
    tiles.row = std::max<std::size_t>(1, count);  // no such shape
  if (tiles.row >= least) {
    tiles.length = std::min(tiles.row, kTileMost);
    tiles.per_row = (tiles.row + tiles.length - 1) / tiles.length;
    tiles.number = count / tiles.row * tiles.per_row;
  } else {
    const std::uint64_t rows = (least + tiles.row - 1) / tiles.row;
    tiles.length = std::max<std::uint64_t>(1, std::min<std::uint64_t>(count, rows * tiles.row));
    tiles.number = (count + tiles.length - 1) / tiles.length;
  }
  return tiles;
}

TypeLimits limits_of(DType dtype) {
  TypeLimits limits{std::numeric_limits<double>::infinity(), least_step(dtype), unit_roundoff(dtype),
                    dtype == DType::f32 ? 1U : 0U};
  // Halfway between the largest finite value and the next power of two.
  if (dtype == DType::f32) limits.overflow = 0x1.ffffffp127;
  if (dtype == DType::f16) limits.overflow = 65520;
  if (dtype == DType::bf16) limits.overflow = 0x1.ffp127;
  return limits;
}

void keep_worst(Accuracy& into, const Accuracy& other) {
  if (other.max_error > into.max_error || into.worst_draw.empty()) {
    into.max_error = other.max_error;
    into.worst_draw = other.worst_draw;
  }
  into.norm_error = std::max(into.norm_error, other.norm_error);
  into.torch_max_error = std::max(into.torch_max_error, other.torch_max_error);
  into.torch_norm_error = std::max(into.torch_norm_error, other.torch_norm_error);
}

}  // namespace kevolve::gates
