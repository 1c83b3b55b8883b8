#pragma once
// Statistics of timing samples: medians, bootstrap intervals, and the rules by which sampling stops and a
// winner is promoted. Values in, values out; the bootstrap's randomness comes from a given seed, so results
// repeat.

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

namespace kevolve::gates {

/// Of at least one sample; of an even number the mean of the middle two.
double median(std::span<const double> samples);

struct Interval {
  double low = 0, high = 0;
};

/// 95 % percentile bootstrap interval of the median.
Interval median_interval(std::span<const double> samples, std::uint64_t seed);

/// How much faster b is than a, from pairs taken side by side: a[i] and b[i] met the same state of the
/// machine.
struct Ratio {
  double median = 1;        ///< exp(median of log(a[i] / b[i])); above 1: b is faster
  Interval interval{1, 1};  ///< 95 % bootstrap interval of it
};
/// The ratio against something `factor` times as fast as what it was taken against.
Ratio scaled(Ratio ratio, double factor);
Ratio paired_ratio(std::span<const double> a_us, std::span<const double> b_us, std::uint64_t seed);

/// A candidate takes the place of an incumbent only when the lower bound of its ratio is above this.
inline constexpr double kPromotionRatio = 1.01;
bool promotes(const Ratio& candidate_against_incumbent);
/// Over several fresh pairs of runners: all their samples together must win, and the median of each pair of
/// runners, too. A process has an offset of its own (where its memory and code lie; half a percent of a 12 us
/// kernel on an H200), which more samples of one pair would only confirm.
bool promotes(const Ratio& pooled, std::span<const Ratio> of_each_pair);

struct StoppingSettings {
  int min_samples = 10, max_samples = 40;
  double max_seconds = 2.0;
  double beyond_hope = 30;       ///< so many times slower in the first pair: cannot win
  double relative_width = 0.01;  ///< of the ratio's interval (high / low - 1): narrow enough
};

enum class Stop { narrow_enough, cannot_win, max_samples, max_seconds };
std::string_view name(Stop stop);

/// Whether to stop after so many pairs. Too few samples decide nothing, except that a candidate that is 1.5
/// times slower in each of three pairs, or beyond hope in the first, cannot win, and that three pairs are
/// enough when the time is spent.
std::optional<Stop> should_stop(std::span<const double> yardstick_us, std::span<const double> candidate_us,
                                double elapsed_seconds, const StoppingSettings& settings, std::uint64_t seed);

}  // namespace kevolve::gates
