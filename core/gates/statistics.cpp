#include "core/gates/statistics.hpp"

#include <algorithm>
#include <cmath>
#include <random>

namespace kevolve::gates {
namespace {

constexpr int kResamples = 1000;
constexpr int kFewestSamples = 3;
constexpr double kHopeless = 1.5;

double median_of(std::vector<double>& values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  if (values.size() % 2 == 1) return *middle;
  return (*middle + *std::max_element(values.begin(), middle)) / 2;
}

/// 2.5 % and 97.5 % quantiles of the medians of resamples with replacement.
Interval bootstrap(std::span<const double> samples, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  std::uniform_int_distribution<std::size_t> pick(0, samples.size() - 1);
  std::vector<double> medians(kResamples), resample(samples.size());
  for (double& value : medians) {
    for (double& draw : resample) draw = samples[pick(random)];
    value = median_of(resample);
  }
  std::sort(medians.begin(), medians.end());
  const auto quantile = [&](double q) {
    return medians[static_cast<std::size_t>(std::lround(q * (kResamples - 1)))];
  };
  return {quantile(0.025), quantile(0.975)};
}

}  // namespace

double median(std::span<const double> samples) {
  std::vector<double> copy(samples.begin(), samples.end());
  return median_of(copy);
}

Interval median_interval(std::span<const double> samples, std::uint64_t seed) {
  return bootstrap(samples, seed);
}

Ratio paired_ratio(std::span<const double> a_us, std::span<const double> b_us, std::uint64_t seed) {
  std::vector<double> logs;
  for (std::size_t i = 0; i < std::min(a_us.size(), b_us.size()); ++i)
    logs.push_back(std::log(a_us[i] / b_us[i]));
  if (logs.empty()) return {};
  const Interval interval = bootstrap(logs, seed);
  return {std::exp(median(logs)), {std::exp(interval.low), std::exp(interval.high)}};
}

Ratio scaled(Ratio ratio, double factor) {
  return {ratio.median * factor, {ratio.interval.low * factor, ratio.interval.high * factor}};
}

bool promotes(const Ratio& candidate_against_incumbent) {
  return candidate_against_incumbent.interval.low > kPromotionRatio;
}

bool promotes(const Ratio& pooled, std::span<const Ratio> of_each_pair) {
  return promotes(pooled) && std::all_of(of_each_pair.begin(), of_each_pair.end(),
                                         [](const Ratio& r) { return r.median > kPromotionRatio; });
}

std::string_view name(Stop stop) {
  switch (stop) {
    case Stop::narrow_enough:
      return "narrow_enough";
    case Stop::cannot_win:
      return "cannot_win";
    case Stop::max_samples:
      return "max_samples";
    case Stop::max_seconds:
      return "max_seconds";
  }
  return "";
}

std::optional<Stop> should_stop(std::span<const double> yardstick_us, std::span<const double> candidate_us,
                                double elapsed_seconds, const StoppingSettings& settings,
                                std::uint64_t seed) {
  const auto pairs = static_cast<int>(std::min(yardstick_us.size(), candidate_us.size()));
  if (pairs >= settings.max_samples) return Stop::max_samples;
  if (pairs > 0 && candidate_us[0] > settings.beyond_hope * yardstick_us[0]) return Stop::cannot_win;
  if (pairs < kFewestSamples) return std::nullopt;
  if (elapsed_seconds >= settings.max_seconds) return Stop::max_seconds;
  if (pairs < settings.min_samples) {
    for (int i = 0; i < pairs; ++i) {
      if (candidate_us[i] < kHopeless * yardstick_us[i]) return std::nullopt;
    }
    return Stop::cannot_win;
  }
  const Ratio ratio = paired_ratio(yardstick_us, candidate_us, seed);
  if (ratio.interval.high < 1) return Stop::cannot_win;
  if (ratio.interval.high / ratio.interval.low - 1 < settings.relative_width) return Stop::narrow_enough;
  return std::nullopt;
}

}  // namespace kevolve::gates
