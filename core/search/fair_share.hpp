#pragma once
// FairShare: whose turn it is among members of different weight (stride scheduling). Pure; one thread.
//
// Each member has a pass: what it has cost so far, divided by its weight. The least pass is next, so members
// that always wait are served in proportion to their weights, whatever each turn costs. A member that had
// nothing to do in between comes back at the pass of the others: time that it did not use is not saved up.

#include <map>
#include <optional>
#include <vector>

namespace kevolve::search {

inline constexpr int kLowestPriority = -5, kHighestPriority = 5;

/// A step of priority doubles a job's share: 0 → 1, 1 → 2, 5 → 32, -5 → 1/32.
double weight_of_priority(int priority);

class FairShare {
 public:
  using Member = int;

  Member enter(double weight);
  void leave(Member member) { members_.erase(member); }
  void reweigh(Member member, double weight) { members_.at(member).weight = weight; }

  /// The one of `waiting` whose turn it is. Members that are in `waiting` now, and were not the last time,
  /// come back.
  std::optional<Member> next(const std::vector<Member>& waiting);
  /// Its turn costs so much; negative to correct an estimate. Members that left are ignored.
  void charge(Member member, double cost);

 private:
  struct State {
    double weight = 1, pass = 0;
    bool waited = false;
  };
  std::map<Member, State> members_;
  double now_ = 0;  ///< the pass of the last one served
  Member last_ = 0;
};

}  // namespace kevolve::search
