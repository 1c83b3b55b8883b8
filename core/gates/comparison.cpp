#include "core/gates/comparison.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/gates/evidence.hpp"

namespace kevolve {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr std::size_t kTileMost = 4096;  // elements whose noise is observed together, within one row
constexpr std::size_t kTileLeast = 64;   // shorter rows are joined until a tile has as many
constexpr double kRelativeSpread = 4;    // noise beyond this multiple of the tile's median is absolute noise

/// Length of the tiles: rows (the innermost dimension) are cut into tiles, or joined when they are short.
std::size_t tile_length(const std::vector<std::int64_t>& shape, std::size_t count) {
  const std::size_t row = shape.empty() ? 1 : static_cast<std::size_t>(shape.back());
  if (row >= kTileLeast) return std::min(row, kTileMost);
  const std::size_t rows = (kTileLeast + row - 1) / row;
  return std::max<std::size_t>(1, std::min(count, rows * row));
}

/// NaN, +Inf and -Inf are right where the oracle, rounded to the type, or PyTorch itself has the same.
bool same_class(double value, double expected) {
  if (std::isnan(value) || std::isnan(expected)) return std::isnan(value) && std::isnan(expected);
  return value == expected;
}

/// A stretch of elements, and what fp32 arithmetic is worth in it.
struct Tile {
  Tile(const Expectation& expected, std::size_t first, std::size_t count)
      : begin(first),
        dtype(expected.torch.dtype),
        oracle(expected.oracle.subspan(first, count)),
        torch(count) {
    expected.torch.read(begin, torch);
    observe(expected.response.empty() ? expected.response : expected.response.subspan(begin, count));
  }

  /// The multiple of the noise by which `value` is wrong as element i of the tile; infinite for a wrong
  /// class.
  [[nodiscard]] double needed(double value, std::size_t i) const {
    if (!std::isfinite(value)) {
      return same_class(value, overflowed(oracle[i], dtype)) || same_class(value, torch[i]) ? 0 : kInfinity;
    }
    const double expected = right(i);
    if (!std::isfinite(expected)) return kInfinity;
    const double error = std::abs(value - expected);
    return error == 0 ? 0 : error / noise_at(expected);
  }

  /// What element i must be, if any finite number is right there: the oracle, or where that overflows
  /// PyTorch's.
  [[nodiscard]] double right(std::size_t i) const {
    return std::isfinite(overflowed(oracle[i], dtype)) ? oracle[i] : torch[i];
  }

  [[nodiscard]] double noise_at(double value) const {
    return relative * std::abs(value) + absolute + least_step(dtype);
  }

  std::size_t begin;
  DType dtype;
  std::span<const double> oracle;
  std::vector<double> torch;
  double relative = 0, absolute = 0;  ///< noise of an element = relative * |oracle| + absolute

 private:
  [[nodiscard]] double observed(std::size_t i, std::span<const double> response) const {
    const double own = std::isfinite(torch[i]) ? std::abs(torch[i] - oracle[i]) : 0;
    const bool known = i < response.size() && std::isfinite(response[i]);
    return known ? std::max(own, response[i]) : own;
  }

  void observe(std::span<const double> response) {
    std::vector<double> ratios;
    for (std::size_t i = 0; i < oracle.size(); ++i) {
      if (!std::isfinite(oracle[i])) continue;
      if (oracle[i] != 0) ratios.push_back(observed(i, response) / std::abs(oracle[i]));
    }
    relative = unit_roundoff(dtype);
    if (!ratios.empty()) {
      const auto middle = ratios.begin() + static_cast<std::ptrdiff_t>(ratios.size() / 2);
      std::nth_element(ratios.begin(), middle, ratios.end());
      relative = std::max(relative, *middle);
    }
    for (std::size_t i = 0; i < oracle.size(); ++i) {
      if (!std::isfinite(oracle[i])) continue;
      const double beyond = observed(i, response) - kRelativeSpread * relative * std::abs(oracle[i]);
      absolute = std::max(absolute, beyond);
    }
  }
};

/// Sums over the tensor that the record of accuracy needs.
struct Totals {
  double squares = 0, error_squares = 0, torch_squares = 0;
  double oracle_rms = 0;  ///< of the finite elements
  bool exact = true;      ///< every element is the oracle's, rounded once
};

double finite_rms(std::span<const double> values) {
  double squares = 0, count = 0;
  for (const double value : values) {
    if (std::isfinite(value)) squares += value * value, ++count;
  }
  return count > 0 ? std::sqrt(squares / count) : 0;
}

/// Looks at every element of one tile; returns the allowance it needs.
double measure(const Tile& tile, std::span<const double> answer, Accuracy& accuracy, Totals& totals) {
  double needed = 0, error_squares = 0, noise_squares = 0;
  for (std::size_t i = 0; i < answer.size(); ++i) {
    needed = std::max(needed, tile.needed(answer[i], i));
    const double right = tile.right(i);
    const double rounded = tile.dtype == DType::f32 ? static_cast<double>(static_cast<float>(right)) : right;
    totals.exact = totals.exact && same_class(answer[i], rounded);
    if (!std::isfinite(right)) continue;
    const auto error_of = [&](double value) { return std::isfinite(value) ? std::abs(value - right) : 0; };
    const double error = error_of(answer[i]), torch_error = error_of(tile.torch[i]);
    const double noise = tile.noise_at(right);
    const double scale = std::abs(right) + totals.oracle_rms + least_step(tile.dtype);
    error_squares += error * error;
    noise_squares += noise * noise;
    totals.torch_squares += torch_error * torch_error;
    totals.squares += right * right;
    accuracy.max_error = std::max(accuracy.max_error, error / scale);
    accuracy.torch_max_error = std::max(accuracy.torch_max_error, torch_error / scale);
  }
  totals.error_squares += error_squares;
  // An error that is everywhere must be smaller than one that is somewhere: the tile's norm has 3/4 of the
  // allowance.
  if (error_squares > 0 && answer.size() >= kTileLeast) {
    needed = std::max(needed, std::sqrt(error_squares / noise_squares) / 0.75);
  }
  return needed;
}

std::optional<PrecisionClass> class_of(double needed, bool exact, DType dtype) {
  if (exact) return PrecisionClass::exact;
  for (const auto precision : {PrecisionClass::strict_fp32, PrecisionClass::compensated, PrecisionClass::tf32,
                               PrecisionClass::fp16, PrecisionClass::bf16}) {
    if (needed <= allowance(precision, dtype)) return precision;
  }
  return std::nullopt;
}

template <class Visit>  // visit(tile, answer of the tile)
void for_each_tile(const Expectation& expected, const Elements& answer, Visit visit) {
  const std::size_t row =
      expected.shape.empty() ? 1 : std::max<std::size_t>(1, static_cast<std::size_t>(expected.shape.back()));
  const std::size_t length = tile_length(expected.shape, answer.count);
  std::vector<double> values;
  for (std::size_t begin = 0; begin < answer.count;) {
    std::size_t count = std::min(length, answer.count - begin);
    if (row >= kTileLeast)
      count = std::min(count, row - begin % row);  // a tile never crosses into the next row
    values.resize(count);
    answer.read(begin, values);
    visit(Tile(expected, begin, count), std::span<const double>(values));
    begin += count;
  }
}

/// The wrong elements, and the worst of them.
struct Wrong {
  std::vector<std::size_t> indices;
  std::size_t worst = 0;
  double needed = -1;

  void add(std::size_t index, double by) {
    indices.push_back(index);
    if (by > needed) needed = by, worst = index;
  }
};

std::size_t count_poison(const Elements& answer, const std::vector<std::size_t>& indices,
                         std::optional<std::uint8_t> poison) {
  if (!poison) return 0;
  return static_cast<std::size_t>(std::count_if(
      indices.begin(), indices.end(), [&](std::size_t i) { return holds_poison(answer, i, *poison); }));
}

Comparison compare_integers(const Expectation& expected, const Elements& answer,
                            std::optional<std::uint8_t> poison) {
  Comparison result;
  result.accuracy.worst_draw = expected.draw;
  Wrong wrong;
  for (std::size_t i = first_difference(answer, expected.torch); i < answer.count; ++i) {
    if (!same_element(answer, expected.torch, i)) wrong.add(i, 1);
  }
  result.wrong = wrong.indices.size();
  if (wrong.indices.empty()) {
    result.precision = PrecisionClass::exact;
    return result;
  }
  result.needed_allowance = kInfinity;
  result.accuracy.max_error = 1;
  result.accuracy.norm_error = static_cast<double>(result.wrong) / static_cast<double>(answer.count);
  result.unwritten = count_poison(answer, wrong.indices, poison);
  result.evidence = describe_wrong(expected, answer, wrong.indices, wrong.worst, poison);
  return result;
}

void explain(Comparison& result, const Expectation& expected, const Elements& answer, PrecisionClass required,
             std::optional<std::uint8_t> poison) {
  const double allowed = allowance(required, answer.dtype);
  Wrong wrong, largest;
  for_each_tile(expected, answer, [&](const Tile& tile, std::span<const double> values) {
    for (std::size_t i = 0; i < values.size(); ++i) {
      const double needed = tile.needed(values[i], i);
      if (needed > allowed) wrong.add(tile.begin + i, needed);
      if (needed > largest.needed) largest.needed = needed, largest.worst = tile.begin + i;
    }
  });
  result.wrong = wrong.indices.size();
  result.unwritten = count_poison(answer, wrong.indices, poison);
  if (wrong.indices.empty()) {
    result.evidence = fmt::format(
        "{} is slightly wrong everywhere (draw '{}'): no single element, but the norm of the error.",
        expected.output, expected.draw);
    wrong = largest;
  } else {
    result.evidence = describe_wrong(expected, answer, wrong.indices, wrong.worst, poison);
  }
  if (result.precision) {
    result.evidence += fmt::format(
        " This fits the precision class {} but not the required {}: largest scaled error {}, PyTorch's own "
        "{}.",
        name(*result.precision), name(required), number_text(result.accuracy.max_error),
        number_text(result.accuracy.torch_max_error));
  }
}

}  // namespace

double allowance(PrecisionClass precision, DType dtype) {
  // Of a 16-bit output the rounding itself is the noise: computed in fp32 and rounded once it is within 1; a
  // few roundings on the way are what 16-bit arithmetic means.
  const bool narrow = dtype == DType::f16 || dtype == DType::bf16;
  const double unit = std::max(unit_roundoff(dtype), 0x1p-53);
  const auto reach = [&](double least, double multiple, double class_unit) {
    return std::max(least, multiple * class_unit / unit);
  };
  switch (precision) {
    case PrecisionClass::exact:
      return 0;
    case PrecisionClass::strict_fp32:
      return narrow ? 2 : reach(128, 128, 0x1p-24);
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

namespace {

/// With what is known of the noise so far. Explains only when told to.
Comparison compare_numbers(const Expectation& expected, const Elements& answer) {
  Comparison result;
  result.accuracy.worst_draw = expected.draw;
  Totals totals;
  totals.oracle_rms = finite_rms(expected.oracle);
  for_each_tile(expected, answer, [&](const Tile& tile, std::span<const double> values) {
    result.needed_allowance =
        std::max(result.needed_allowance, measure(tile, values, result.accuracy, totals));
  });
  if (totals.squares > 0) {
    result.accuracy.norm_error = std::sqrt(totals.error_squares / totals.squares);
    result.accuracy.torch_norm_error = std::sqrt(totals.torch_squares / totals.squares);
  }
  result.precision = class_of(result.needed_allowance, totals.exact, answer.dtype);
  return result;
}

}  // namespace

Comparison compare(const Expectation& expected, const Elements& answer, PrecisionClass required,
                   std::optional<std::uint8_t> poison) {
  if (!is_floating(answer.dtype)) return compare_integers(expected, answer, poison);
  const auto meets = [&](const Comparison& result, PrecisionClass asked) {
    return result.precision && satisfies(*result.precision, asked);
  };
  Comparison result = compare_numbers(expected, answer);
  if (expected.response.empty() && expected.observe_response && !meets(result, PrecisionClass::strict_fp32)) {
    Expectation observed = expected;
    observed.response = expected.observe_response();
    observed.observe_response = nullptr;
    return compare(observed, answer, required, poison);
  }
  if (!meets(result, required)) explain(result, expected, answer, required, poison);
  return result;
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

}  // namespace kevolve
