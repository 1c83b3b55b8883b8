#include "core/search/fair_share.hpp"

#include <algorithm>
#include <cmath>

namespace kevolve::search {

double weight_of_priority(int priority) {
  return std::exp2(std::clamp(priority, kLowestPriority, kHighestPriority));
}

FairShare::Member FairShare::enter(double weight) {
  members_[++last_] = {weight, now_, false};
  return last_;
}

std::optional<FairShare::Member> FairShare::next(const std::vector<Member>& waiting) {
  for (auto& [member, state] : members_) {
    const bool waits = std::find(waiting.begin(), waiting.end(), member) != waiting.end();
    if (waits && !state.waited) state.pass = std::max(state.pass, now_);
    state.waited = waits;
  }
  std::optional<Member> least;
  for (const auto& [member, state] : members_) {
    if (state.waited && (!least || state.pass < members_.at(*least).pass)) least = member;
  }
  if (least) now_ = std::max(now_, members_.at(*least).pass);
  return least;
}

void FairShare::charge(Member member, double cost) {
  const auto found = members_.find(member);
  if (found != members_.end()) found->second.pass += cost / found->second.weight;
}

}  // namespace kevolve::search
