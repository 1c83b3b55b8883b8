#include "core/gates/profile.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include "core/gates/profile_advice.hpp"

namespace kevolve::gates {
namespace {

/// What of an SM can be at its peak. Ties go to the first: a pipe says more than the issue of instructions.
constexpr std::array<std::string_view, 8> kSmMetrics = {"tensor_pct", "fma_pct", "fp64_pct", "xu_pct",
                                                        "alu_pct",    "l1_pct",  "lsu_pct",  "inst_pct"};

double value(const std::map<std::string, double>& metrics, std::string_view name) {
  const auto found = metrics.find(std::string(name));
  return found == metrics.end() ? 0 : found->second;
}

Utilisation utilisation_of(const std::map<std::string, double>& metrics, const KernelFacts& facts) {
  Utilisation use;
  const double duration_us = value(metrics, "duration_us");
  if (facts.median_us > 0 && duration_us > facts.median_us) use.stretch = duration_us / facts.median_us;
  const auto percent = [&](std::string_view name) {
    return std::min(100.0, value(metrics, name) * use.stretch);
  };
  use.dram = percent("dram_pct");
  use.l2 = percent("l2_pct");
  for (const std::string_view name : kSmMetrics) {
    if (!use.sm_metric.empty() && percent(name) <= use.sm) continue;
    use.sm = percent(name);
    use.sm_metric = name;
  }
  return use;
}

Regime regime_of(const Utilisation& use) {
  if (use.memory() < kBusyPct && use.sm < kBusyPct) return Regime::latency_bound;
  return use.memory() >= use.sm ? Regime::memory_bound : Regime::compute_bound;
}

/// Names of the metrics without which the rule would guess.
std::string missing(const std::map<std::string, double>& metrics) {
  std::string names;
  for (const std::string_view name : {"dram_pct", "l2_pct", "fma_pct", "tensor_pct", "inst_pct"}) {
    if (metrics.contains(std::string(name))) continue;
    names += (names.empty() ? "" : ", ") + std::string(name);
  }
  return names;
}

}  // namespace

KernelFacts facts_of(const LaunchPlan& plan, const std::map<std::string, std::int64_t>& resources) {
  KernelFacts facts;
  facts.launches = static_cast<std::int64_t>(plan.launches.size());
  std::int64_t most_threads = 0;
  for (const PlannedLaunch& launch : plan.launches) {
    const auto resource = [&](const char* suffix) {
      const auto found = resources.find(launch.kernel + suffix);
      return found == resources.end() ? 0 : found->second;
    };
    const std::int64_t blocks = launch.grid[0] * launch.grid[1] * launch.grid[2];
    const std::int64_t threads = blocks * launch.block[0] * launch.block[1] * launch.block[2];
    if (threads > most_threads) {
      most_threads = threads;
      facts.blocks = blocks;
    }
    facts.registers = std::max(facts.registers, resource(".registers"));
    facts.spill_bytes = std::max(facts.spill_bytes, resource(".spill_bytes"));
    facts.shared_bytes = std::max(facts.shared_bytes, launch.shared_bytes + resource(".shared_bytes"));
  }
  return facts;
}

Profile no_profile(std::string why) {
  return {Regime::unknown, {}, {}, std::move(why)};
}

Profile profile_of(const std::map<std::string, double>& metrics, const KernelFacts& facts) {
  Profile profile{Regime::unknown, {}, {}, std::string(Profile::kCounters)};
  for (const auto& [name, number] : metrics)
    if (std::isfinite(number)) profile.metrics[name] = number;
  if (const std::string names = missing(profile.metrics); !names.empty()) {
    profile.source = "counters are missing that the regime follows from: " + names;
    return profile;
  }
  const Utilisation use = utilisation_of(profile.metrics, facts);
  profile.regime = regime_of(use);
  profile.advice = advise(profile.regime, use, profile.metrics, facts);
  return profile;
}

}  // namespace kevolve::gates
