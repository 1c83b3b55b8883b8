#include "core/gates/host_examination.hpp"

#include <algorithm>
#include <cmath>

namespace kevolve::gates {
namespace {

/// A stretch of elements, and what fp32 arithmetic is worth in it.
struct Tile {
  Tile(const Expectation& expected, const TypeLimits& limits, std::size_t first, std::size_t count)
      : begin(first), type(limits), oracle(expected.oracle.subspan(first, count)), torch(count) {
    expected.torch.read(begin, torch);
    observe(expected.response.empty() ? expected.response : expected.response.subspan(begin, count),
            response_rule(expected.intermediates));
  }

  [[nodiscard]] Right right(std::size_t i) const { return {oracle[i], torch[i], type}; }

  std::size_t begin;
  TypeLimits type;
  std::span<const double> oracle;
  std::vector<double> torch;
  Noise noise;

 private:
  void observe(std::span<const double> response, const ResponseRule& rule) {
    noise = summary(type.roundoff, [&](std::size_t i) {
      return observed_noise(torch[i], oracle[i], i < response.size() ? response[i] : 0);
    });
    if (response.empty() || !hides_arithmetic(type)) return;
    const auto of_response = [&](std::size_t i) { return observed_arithmetic(response[i]); };
    noise.arithmetic = rule.multiple * summary(rule.least, of_response, rule.spread).absolute;
  }

  /// `least`: of the relative noise.
  template <class Observed>
  [[nodiscard]] Noise summary(double least, Observed observed, double spread = kRelativeSpread) const {
    Noise all{least, 0};
    std::vector<double> ratios;
    for (std::size_t i = 0; i < oracle.size(); ++i) {
      if (is_finite(oracle[i]) && oracle[i] != 0) ratios.push_back(observed(i) / std::abs(oracle[i]));
    }
    if (!ratios.empty()) {
      const auto middle = ratios.begin() + static_cast<std::ptrdiff_t>(ratios.size() / 2);
      std::nth_element(ratios.begin(), middle, ratios.end());
      all.relative = std::max(all.relative, *middle);
    }
    for (std::size_t i = 0; i < oracle.size(); ++i) {
      if (!is_finite(oracle[i])) continue;
      all.absolute = std::max(all.absolute, unexplained(observed(i), all.relative, oracle[i], spread));
    }
    return all;
  }
};

double finite_rms(std::span<const double> values) {
  double squares = 0, count = 0;
  for (const double value : values) {
    if (is_finite(value)) squares += value * value, ++count;
  }
  return count > 0 ? std::sqrt(squares / count) : 0;
}

double error_of(double value, double right) {
  return is_finite(value) ? std::abs(value - right) : 0;
}

/// Looks at every element of one tile.
void measure_tile(const Tile& tile, std::span<const double> answer, double oracle_rms, Measured& all) {
  double error_squares = 0, noise_squares = 0;
  for (std::size_t i = 0; i < answer.size(); ++i) {
    const Right right = tile.right(i);
    all.needed = std::max(all.needed, needed_allowance(answer[i], right, tile.noise, tile.type));
    all.exact = all.exact && is_exact(answer[i], right, tile.type);
    if (!is_finite(right.value)) continue;
    const double error = error_of(answer[i], right.value), own = error_of(tile.torch[i], right.value);
    const double noise = tile.noise.at(right.value, tile.type);
    const double scale = std::abs(right.value) + oracle_rms + tile.type.step;
    error_squares += error * error;
    noise_squares += noise * noise;
    all.torch_squares += own * own;
    all.squares += right.value * right.value;
    all.max_error = std::max(all.max_error, error / scale);
    all.torch_max_error = std::max(all.torch_max_error, own / scale);
  }
  all.error_squares += error_squares;
  all.needed = std::max(all.needed, needed_by_norm(error_squares, noise_squares, answer.size(), tile.noise));
}

template <class Visit>  // visit(tile, answer of the tile)
void for_each_tile(const Expectation& expected, const Elements& answer, Visit visit) {
  const Tiles tiles = tiles_of(expected.shape, answer.count, answer.dtype);
  const TypeLimits type = limits_of(answer.dtype);
  std::vector<double> values;
  for (std::uint64_t t = 0; t < tiles.number; ++t) {
    values.resize(tiles.size(t));
    answer.read(tiles.begin(t), values);
    visit(Tile(expected, type, tiles.begin(t), values.size()), std::span<const double>(values));
  }
}

}  // namespace

bool HostExamination::same(const Expectation& expected, const Elements& answer) {
  return first_difference(answer, expected.torch) == answer.count;
}

Measured HostExamination::measure(const Expectation& expected, const Elements& answer) {
  Measured all;
  const double rms = finite_rms(expected.oracle);
  for_each_tile(expected, answer, [&](const Tile& tile, std::span<const double> values) {
    measure_tile(tile, values, rms, all);
  });
  return all;
}

Wrong HostExamination::find_wrong(const Expectation& expected, const Elements& answer, double allowed,
                                  std::optional<std::uint8_t> poison) {
  std::vector<std::size_t> indices;
  std::size_t worst = 0;
  double most = -1;
  const auto add = [&](std::size_t index, double needed) {
    indices.push_back(index);
    if (needed > most) most = needed, worst = index;
  };
  if (!is_floating(answer.dtype)) {
    for (std::size_t i = first_difference(answer, expected.torch); i < answer.count; ++i) {
      if (!same_element(answer, expected.torch, i)) add(i, 1);
    }
  } else {
    for_each_tile(expected, answer, [&](const Tile& tile, std::span<const double> values) {
      for (std::size_t i = 0; i < values.size(); ++i) {
        const double needed = needed_allowance(values[i], tile.right(i), tile.noise, tile.type);
        if (needed > allowed) add(tile.begin + i, needed);
      }
    });
  }
  return summary_of(indices, worst, expected, answer, poison);
}

std::vector<double> HostExamination::look(const Expectation& expected, const Elements& answer, Side side,
                                          std::span<const std::size_t> indices) {
  std::vector<double> values;
  values.reserve(indices.size());
  for (const std::size_t i : indices) {
    values.push_back(side == Side::oracle ? expected.oracle[i]
                                          : (side == Side::answer ? answer : expected.torch).at(i));
  }
  return values;
}

Wrong summary_of(const std::vector<std::size_t>& indices, std::size_t worst, const Expectation& expected,
                 const Elements& answer, std::optional<std::uint8_t> poison) {
  Wrong wrong = places_of(indices, worst, expected.shape);
  if (poison) {
    wrong.unwritten = static_cast<std::size_t>(std::count_if(
        indices.begin(), indices.end(), [&](std::size_t i) { return holds_poison(answer, i, *poison); }));
  }
  return wrong;
}

}  // namespace kevolve::gates
