#pragma once
// What gate profile concludes from hardware counters: a regime and advice. Pure; the counters are read by
// core/devices/cuda/profiler.hpp.
//
// The rule is that of Nsight Compute's "Speed Of Light" bottleneck analysis: a kernel that keeps neither
// memory nor the SMs at 60 % of their peak waits for latencies; otherwise the busier of the two holds it
// back. Memory is DRAM and L2; the SMs' on-chip data path (shared memory, L1) counts with their pipes,
// because what helps there is what helps computation: more reuse in registers, fewer and wider instructions.

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "core/model/launch_plan.hpp"
#include "core/model/profile.hpp"

namespace kevolve::gates {

/// One counter under the short name that is stored and printed.
struct CounterMetric {
  const char* name;     ///< "dram_pct". Stored: never rename
  const char* counter;  ///< CUPTI's name
  double factor;        ///< from CUPTI's unit to that of `name`
  const char* meaning;
};

/// About thirty, which GH100 counts in five passes.
std::span<const CounterMetric> curated_metrics();
std::vector<std::string> curated_counters();  ///< CUPTI's names, for Profiler::collect()
/// From values under CUPTI's names to values under ours; those unknown, or not finite, are left out.
std::map<std::string, double> metrics_of(const std::map<std::string, double>& counters);

/// What is known of the kernel without counters. 0: unknown.
struct KernelFacts {
  double median_us = 0;    ///< timed without the profiler
  double least_bytes = 0;  ///< that must move: the operator's cost
  std::int64_t num_sms = 0;
  std::int64_t launches = 1;         ///< of the plan
  std::int64_t blocks = 0;           ///< of the launch with the most work
  std::int64_t resident_blocks = 0;  ///< of that launch, at once on one SM (occupancy calculation)
  std::int64_t registers = 0;        ///< a thread, the most of all kernels
  std::int64_t spill_bytes = 0;      ///< a thread, the most of all kernels
  std::int64_t shared_bytes = 0;     ///< a block, static and dynamic, the most of all launches
};

/// What plan and compile report tell; `resources`: of CompileReport. The caller adds the time, the least
/// bytes, the number of SMs and, from an occupancy calculation, the resident blocks.
KernelFacts facts_of(const LaunchPlan& plan, const std::map<std::string, std::int64_t>& resources);

/// `metrics`: of metrics_of(). At most five sentences of advice. The regime is unknown, and `source` says
/// why, when the counters that it follows from are missing.
Profile profile_of(const std::map<std::string, double>& metrics, const KernelFacts& facts);

/// A profile that says why there is none.
Profile no_profile(std::string why);

}  // namespace kevolve::gates
