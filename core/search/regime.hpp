#pragma once
// What holds a kernel back, inferred where hardware counters cannot be read: from its time over the physical
// limit. (With counters the profile gate says it.) Pure.

#include <string_view>

namespace kevolve {

enum class Regime { unknown, memory_bound, not_memory_bound };

/// Within twice the least time that its bytes and flops allow, a kernel is held back by memory; further away
/// it is not, and whether computation or latency holds it back cannot be told from the time alone.
Regime infer_regime(double time_us, double floor_us);

/// True when an entry that names `entry_regime` ("memory_bound", "compute_bound", "latency_bound") suits
/// `regime`.
bool suits(std::string_view entry_regime, Regime regime);

}  // namespace kevolve
