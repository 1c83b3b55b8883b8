#pragma once
// What an engineer would say of a kernel's counters, in sentences that each name the counter and its value.
// Used by profile_of() alone. Pure.

#include <map>
#include <string>
#include <vector>

#include "core/gates/profile.hpp"

namespace kevolve::gates {

/// Percentages of the peak, over the time that the kernel takes without the profiler.
struct Utilisation {
  double dram = 0, l2 = 0;
  double sm = 0;               ///< of the busiest part of the SMs
  std::string_view sm_metric;  ///< its name: "fma_pct", …
  /// The range's duration over the timed one, at least 1: a range holds a few microseconds of the
  /// profiler's own, which makes short kernels look idle.
  double stretch = 1;

  [[nodiscard]] double memory() const { return dram > l2 ? dram : l2; }
};

/// Shares of the peak from which a part counts as what holds the kernel back, and as used up.
inline constexpr double kBusyPct = 60, kSaturatedPct = 80;

/// The most telling first; at least one sentence, at most five.
std::vector<std::string> advise(Regime regime, const Utilisation& use,
                                const std::map<std::string, double>& metrics, const KernelFacts& facts);

}  // namespace kevolve::gates
