#include "core/search/selection.hpp"

#include <algorithm>
#include <map>

namespace kevolve::search {
namespace {

/// Tuning an idea does not make it another idea.
std::string niche(const Survivor& survivor) {
  const std::size_t colon = survivor.idea_key.find(':');
  return colon == std::string::npos ? survivor.idea_key : survivor.idea_key.substr(colon + 1);
}

}  // namespace

std::vector<Survivor> select_survivors(std::vector<Survivor> verified, std::size_t count,
                                       std::size_t per_idea) {
  std::stable_sort(verified.begin(), verified.end(),
                   [](const Survivor& a, const Survivor& b) { return a.speedup > b.speedup; });
  std::map<std::string, std::size_t> taken;
  std::vector<Survivor> survivors;
  for (Survivor& survivor : verified) {
    if (survivors.size() == count) break;
    if (taken[niche(survivor)]++ < per_idea) survivors.push_back(std::move(survivor));
  }
  return survivors;
}

RoundContext visible_to(PolicyKind policy, RoundContext context) {
  switch (policy) {
    case PolicyKind::sample:
      context.survivors.clear();
      context.ledger.clear();
      context.inspirations.clear();
      context.champion_us = 0;
      context.champion_profile.reset();
      break;
    case PolicyKind::refine:
      if (context.survivors.size() > 1) context.survivors.resize(1);
      context.inspirations.clear();
      break;
    case PolicyKind::evolve:
      break;
  }
  return context;
}

}  // namespace kevolve::search
