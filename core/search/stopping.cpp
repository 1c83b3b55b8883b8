#include "core/search/stopping.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace kevolve::search {

std::optional<std::string> plateau(const std::vector<double>& best_us, const PlateauRule& rule) {
  const auto window = static_cast<std::size_t>(std::max(rule.rounds, 1));
  if (best_us.size() <= window) return std::nullopt;
  for (std::size_t i = best_us.size() - window; i < best_us.size(); ++i) {
    if (best_us[i] < best_us[i - 1] * (1 - rule.gain)) return std::nullopt;
  }
  return fmt::format("plateau: no gain above {:.3g} % in {} rounds", 100 * rule.gain, window);
}

std::optional<std::string> at_physical_limit(double champion_us, double floor_us, double margin) {
  if (floor_us <= 0 || champion_us <= 0 || champion_us > floor_us * (1 + margin)) return std::nullopt;
  return fmt::format("at the physical limit: {:.1f} us against a floor of {:.1f} us, nothing left to win",
                     champion_us, floor_us);
}

}  // namespace kevolve::search
