#pragma once
// CommonScale: times from different evaluations on one scale, for tables. Pure.
//
// A machine is faster in one hour than in another, so times of two evaluations do not compare; a speed-up
// does, because kernel and yardstick were measured in turn. A table takes the time of its best kernel as it
// was measured with its speed-up. Every other time in the table follows from a speed-up over the same
// yardstick.

#include <string_view>

#include "core/model/subjects.hpp"

namespace kevolve {

struct CommonScale {
  double yardstick_us = 0;  ///< 0: unknown

  /// The scale on which a kernel that is `speedup` times as fast as the yardstick takes `kernel_us`.
  static constexpr CommonScale of(double kernel_us, double speedup) { return {kernel_us * speedup}; }

  /// What a kernel takes that is `speedup` times as fast as the yardstick; 0 when that is unknown.
  [[nodiscard]] constexpr double us(double speedup) const { return speedup > 0 ? yardstick_us / speedup : 0; }
  /// What a kernel takes that took `kernel_us` when the yardstick, beside it, took `yardstick_then_us`.
  [[nodiscard]] constexpr double us_beside(double kernel_us, double yardstick_then_us) const {
    return kernel_us > 0 && yardstick_then_us > 0 ? yardstick_us * (kernel_us / yardstick_then_us) : 0;
  }
};

/// Median times of a search's best kernel and of what it is compared with; 0: unknown.
struct ComparedTimes {
  double naive_us = 0, eager_us = 0, compile_us = 0, best_us = 0;
};

/// `measured`: best_us as measured with `speedup`; naive_us and eager_us from the naive kernel's evaluation.
/// Speed-ups are over `yardstick`, "naive" or "eager". Without one, times stay as they are.
constexpr ComparedTimes on_common_scale(const ComparedTimes& measured, std::string_view yardstick,
                                        double speedup, double naive_speedup, double compile_speedup) {
  const CommonScale scale = CommonScale::of(measured.best_us, speedup);
  if (scale.yardstick_us <= 0) return measured;
  const bool against_naive = yardstick == subjects::kNaive;
  return {.naive_us = against_naive ? scale.yardstick_us : scale.us(naive_speedup),
          .eager_us = against_naive           ? scale.us_beside(measured.eager_us, measured.naive_us)
                      : measured.eager_us > 0 ? scale.yardstick_us
                                              : 0,
          .compile_us = scale.us(compile_speedup),
          .best_us = measured.best_us};
}

/// The rule, for readers of a table.
inline constexpr std::string_view kCommonScaleNote =
    "Times are on one scale: the best kernel's is as measured with its speed-up, and every other one is the "
    "yardstick's time there, divided by the kernel's own speed-up over the yardstick.";

}  // namespace kevolve
