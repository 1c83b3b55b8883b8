#include "core/search/regime.hpp"

namespace kevolve::search {

Regime infer_regime(double time_us, double floor_us) {
  if (time_us <= 0 || floor_us <= 0) return Regime::unknown;
  return time_us < 2 * floor_us ? Regime::memory_bound : Regime::not_memory_bound;
}

Regime infer_regime(const RoundContext& context) {
  return infer_regime(context.champion_us, context.memory_us > 0 ? context.memory_us : context.floor_us);
}

Regime regime_of(const std::optional<Profile>& profile, Regime inferred) {
  const bool told = profile && profile->measured() && profile->regime != Regime::unknown;
  return told ? profile->regime : inferred;
}

bool suits(std::string_view entry_regime, Regime regime) {
  if (regime == Regime::unknown) return true;
  if (regime == Regime::not_memory_bound) return entry_regime != name(Regime::memory_bound);
  return entry_regime == name(regime);
}

}  // namespace kevolve::search
