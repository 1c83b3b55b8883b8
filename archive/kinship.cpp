#include "archive/kinship.hpp"

#include <algorithm>
#include <limits>
#include <map>
#include <unordered_map>

namespace kevolve::archive {
namespace {

constexpr int kFar = std::numeric_limits<int>::max();

/// The nearest way from one of the two to an ancestor.
struct Way {
  int steps = kFar;
  std::int64_t child = 0;  ///< the last step leads from there
  Relation relation = Relation::seeded_by;
};

/// Ancestors of both, walked from the youngest to the oldest: parents are older than their children, so that
/// the ways to a candidate are all known when its turn comes.
class Walk {
 public:
  Walk(CandidateId a, CandidateId b) {
    pending_[a.value].of_a.steps = 0;
    pending_[b.value].of_b.steps = 0;
  }

  struct Place {
    Way of_a, of_b;
    [[nodiscard]] bool shared() const { return of_a.steps != kFar && of_b.steps != kFar; }
    [[nodiscard]] int sum() const { return of_a.steps + of_b.steps; }
  };

  /// The youngest that is left.
  std::pair<std::int64_t, Place> next() {
    const auto youngest = std::prev(pending_.end());
    const std::pair<std::int64_t, Place> taken = *youngest;
    pending_.erase(youngest);
    if (taken.second.of_a.steps != kFar) ways_of_a_.emplace(taken.first, taken.second.of_a);
    if (taken.second.of_b.steps != kFar) ways_of_b_.emplace(taken.first, taken.second.of_b);
    return taken;
  }

  void go_on(std::int64_t child, const Place& place, const std::vector<ParentRecord>& parents) {
    for (const ParentRecord& parent : parents) {
      Place& there = pending_[parent.candidate.value];
      step(there.of_a, place.of_a, child, parent.relation);
      step(there.of_b, place.of_b, child, parent.relation);
    }
  }

  /// Whether an ancestor that is left can be one of both, at a sum of steps up to that.
  [[nodiscard]] bool can_be_shared_within(int sum) const {
    int a = kFar, b = kFar;
    for (const auto& [id, place] : pending_) {
      a = std::min(a, place.of_a.steps);
      b = std::min(b, place.of_b.steps);
    }
    return a != kFar && b != kFar && a + b <= sum;
  }

  [[nodiscard]] std::vector<std::string> relations_of_a(std::int64_t ancestor) const {
    return relations(ways_of_a_, ancestor);
  }
  [[nodiscard]] std::vector<std::string> relations_of_b(std::int64_t ancestor) const {
    return relations(ways_of_b_, ancestor);
  }

 private:
  using Ways = std::unordered_map<std::int64_t, Way>;

  static void step(Way& there, const Way& here, std::int64_t child, Relation relation) {
    if (here.steps != kFar && here.steps + 1 < there.steps) there = {here.steps + 1, child, relation};
  }

  static std::vector<std::string> relations(const Ways& ways, std::int64_t ancestor) {
    std::vector<std::string> steps;
    for (auto at = ways.find(ancestor); at->second.steps > 0; at = ways.find(at->second.child))
      steps.emplace_back(name(at->second.relation));
    std::reverse(steps.begin(), steps.end());
    return steps;
  }

  std::map<std::int64_t, Place> pending_;
  Ways ways_of_a_, ways_of_b_;
};

}  // namespace

Kinship nearest_kinship(CandidateId a, CandidateId b,
                        const std::function<std::vector<ParentRecord>(CandidateId)>& parents_of) {
  Kinship result;
  if (a == b) {
    result.kind = Kinship::Kind::same;
    return result;
  }
  const std::int64_t older = std::min(a, b).value;
  Walk walk(a, b);
  int nearest = kFar;
  // One may come from the other until the older one's turn has come; a common ancestor counts only if not.
  for (bool may_descend = true; may_descend || walk.can_be_shared_within(nearest);) {
    const auto [id, place] = walk.next();
    may_descend = may_descend && id > older;
    if (place.shared() && id == older) {
      result.kind = a.value == older ? Kinship::Kind::b_from_a : Kinship::Kind::a_from_b;
      result.steps = a.value == older ? walk.relations_of_b(id) : walk.relations_of_a(id);
      return result;
    }
    if (place.shared() && place.sum() <= nearest) {
      nearest = place.sum();
      result.kind = Kinship::Kind::common;
      result.ancestor = CandidateId{id};
      result.a_steps = place.of_a.steps;
      result.b_steps = place.of_b.steps;
    }
    walk.go_on(id, place, parents_of(CandidateId{id}));
  }
  return result;
}

}  // namespace kevolve::archive
