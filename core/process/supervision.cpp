#include "core/process/supervision.hpp"

#include <algorithm>

namespace kevolve::process {
namespace {

constexpr int kDeathsAmongOthers = 2;

}  // namespace

std::chrono::milliseconds BackOff::wait() const {
  if (failures_ == 0) return std::chrono::milliseconds(0);
  std::chrono::milliseconds wait = first_;
  for (int i = 1; i < failures_ && wait < longest_; ++i) wait *= 2;
  return std::min(wait, longest_);
}

void Suspicion::death(std::uint64_t answered) {
  if (deaths_++ == 0) answered_before_ = answered;
}

bool Suspicion::proven(std::uint64_t answered, int most) const {
  return deaths_ >= most || (deaths_ >= kDeathsAmongOthers && answered > answered_before_);
}

}  // namespace kevolve::process
