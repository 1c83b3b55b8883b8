#pragma once
// What holds a kernel back, as the search sees it: what its profile says, otherwise what can be inferred from
// its time over the physical limit. Pure.

#include <optional>
#include <string_view>

#include "core/search/idea.hpp"

namespace kevolve::search {

/// Within twice the least time that its bytes and flops allow, a kernel is held back by memory; further away
/// it is not, and whether computation or latency holds it back cannot be told from the time alone.
Regime infer_regime(double time_us, double floor_us);

/// As far as the round's times tell: from what its bytes take in main memory where the device says so, since
/// a cpu's limit is taken from the rate of caches.
Regime infer_regime(const RoundContext& context);

/// The profile's, when counters told one; otherwise `inferred`.
Regime regime_of(const std::optional<Profile>& profile, Regime inferred);

/// True when an entry that names `entry_regime` ("memory_bound", "compute_bound", "latency_bound") suits
/// `regime`.
bool suits(std::string_view entry_regime, Regime regime);

}  // namespace kevolve::search
