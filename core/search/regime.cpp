#include "core/search/regime.hpp"

namespace kevolve {

Regime infer_regime(double time_us, double floor_us) {
  if (time_us <= 0 || floor_us <= 0) return Regime::unknown;
  return time_us < 2 * floor_us ? Regime::memory_bound : Regime::not_memory_bound;
}

bool suits(std::string_view entry_regime, Regime regime) {
  if (regime == Regime::unknown) return true;
  return (entry_regime == "memory_bound") == (regime == Regime::memory_bound);
}

}  // namespace kevolve
