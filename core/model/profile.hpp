#pragma once
// Profile: what hardware counters say of a kernel: what holds it back, the figures that show it, and what to
// do about it in English. Plain data; core/gates/profile.hpp makes it from counters.

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/text/json.hpp"

namespace kevolve {

/// What holds a kernel back. Stored by name: never rename.
enum class Regime {
  unknown,
  memory_bound,      ///< DRAM or L2 is near its peak
  compute_bound,     ///< a pipe of the SMs, or the issue of instructions, is near its peak
  latency_bound,     ///< neither is: the kernel waits
  not_memory_bound,  ///< inferred from the time alone: one of the two before this
};

std::string_view name(Regime regime);
std::optional<Regime> regime_from_name(std::string_view name);

struct Profile {
  Regime regime = Regime::unknown;
  std::map<std::string, double> metrics;  ///< by the names of core/gates/profile.hpp; empty without counters
  std::vector<std::string> advice;        ///< complete sentences, the most telling first
  std::string source;                     ///< "counters", or in words why there are none

  [[nodiscard]] bool measured() const { return source == kCounters; }
  static constexpr std::string_view kCounters = "counters";
};

Json to_json(const Profile& profile);
/// `where`: what errors call it.
Result<Profile> profile_from_json(const Json& json, const std::string& where);

}  // namespace kevolve
