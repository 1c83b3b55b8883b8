#include "core/search/promotion.hpp"

#include <algorithm>
#include <numeric>
#include <tuple>

#include "core/model/subjects.hpp"

namespace kevolve::search {
namespace {

/// Times of a contender and its rival, pair by pair.
struct Pairs {
  std::vector<double> rival_us, contender_us;

  void add(const Pairs& other) {
    rival_us.insert(rival_us.end(), other.rival_us.begin(), other.rival_us.end());
    contender_us.insert(contender_us.end(), other.contender_us.begin(), other.contender_us.end());
  }
};

/// Nothing unless the contender passed and both were timed.
std::optional<Pairs> pairs_of(const Evaluation& evaluation, const Rival& rival) {
  const Measurement* own = evaluation.measurement(subjects::kCandidate);
  const Measurement* other = evaluation.measurement(rival.subject);
  if (!evaluation.verdict.passed() || own == nullptr || other == nullptr) return std::nullopt;
  const auto count = static_cast<long>(std::min(own->samples_us.size(), other->samples_us.size()));
  return Pairs{{other->samples_us.begin(), other->samples_us.begin() + count},
               {own->samples_us.begin(), own->samples_us.begin() + count}};
}

gates::Ratio against_champion(const Pairs& pairs, const Rival& rival, std::uint64_t seed) {
  return gates::scaled(gates::paired_ratio(pairs.rival_us, pairs.contender_us, seed), 1 / rival.head_start);
}

std::size_t middle_of(const std::vector<Evaluation>& retimings) {
  std::vector<std::size_t> order(retimings.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return retimings[a].speedup < retimings[b].speedup; });
  return order[order.size() / 2];
}

}  // namespace

std::vector<std::size_t> contenders(const std::vector<Entrant>& judged, const Champion& champion) {
  std::vector<std::size_t> found;
  for (std::size_t i = 0; i < judged.size(); ++i) {
    const Entrant& entrant = judged[i];
    if (entrant.passed && entrant.id != champion.id && entrant.score > champion.score) found.push_back(i);
  }
  const auto rank = [&](std::size_t i) {
    return std::tuple(-judged[i].score, std::string_view(judged[i].hash), judged[i].id);
  };
  std::sort(found.begin(), found.end(), [&](std::size_t a, std::size_t b) { return rank(a) < rank(b); });
  const auto same = [&](std::size_t a, std::size_t b) { return judged[a].hash == judged[b].hash; };
  found.erase(std::unique(found.begin(), found.end(), same), found.end());
  return found;
}

Rival rival_of(const Standing& standing, const std::string& yardstick) {
  if (!standing.naive_leads()) return {std::string(subjects::kIncumbent), 1};
  return {yardstick, yardstick == subjects::kNaive ? 1 : standing.champion.speedup};
}

Decision decide(const std::vector<Evaluation>& retimings, const Rival& rival, const Scale& scale,
                std::uint64_t seed) {
  using Kind = Decision::Kind;
  Decision decision;
  Pairs all;
  for (const Evaluation& retiming : retimings) {
    const std::optional<Pairs> pairs = pairs_of(retiming, rival);
    if (!pairs) {
      decision.kind = Kind::refuted;
      return decision;
    }
    decision.of_each.push_back(against_champion(*pairs, rival, seed));
    all.add(*pairs);
  }
  if (retimings.size() < kRetimings) return decision;
  decision.pooled = against_champion(all, rival, seed);
  decision.middle = middle_of(retimings);
  const bool wins = !scale.is_measured() || gates::promotes(decision.pooled, decision.of_each);
  decision.kind = wins ? Kind::promoted : Kind::not_faster;
  return decision;
}

}  // namespace kevolve::search
