#include "core/search/standing.hpp"

namespace kevolve::search {

void VerdictCounts::add(const Verdict& verdict) {
  ++judged;
  if (verdict.passed()) ++passed;
  ++outcomes[std::string(name(verdict.outcome))];
}

double plateau_us(const Scale& scale, const Champion& champion) {
  return scale.own_us(champion.median_us, champion.score);
}

void add_round(Standing& standing, int number) {
  standing.last_round = number;
  ++standing.rounds_done;
  standing.best_us.push_back(plateau_us(standing.scale, standing.champion));
}

std::string reason_to_stop(const Standing& standing, const PlateauRule& rule) {
  if (!standing.stop_reason.empty()) return standing.stop_reason;
  const double floor_us = standing.scale.told(standing.times.floor_us);
  if (auto reason = at_physical_limit(standing.champion.median_us, floor_us)) return *reason;
  return plateau(standing.best_us, rule).value_or("");
}

}  // namespace kevolve::search
