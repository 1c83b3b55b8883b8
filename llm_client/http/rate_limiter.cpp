#include "llm_client/http/rate_limiter.hpp"

#include <algorithm>

namespace kevolve::llm {
namespace {

constexpr std::chrono::seconds kWindow{60};

}  // namespace

RateLimiter::Time RateLimiter::ready(Time now, std::int64_t tokens) const {
  Time at = std::max(now, paused_until_);
  std::int64_t sum = sum_;
  auto count = static_cast<std::int64_t>(window_.size());
  for (const Sent& sent : window_) {
    const bool fits = (!requests_ || count < *requests_) && (!tokens_ || sum + tokens <= *tokens_);
    if (fits && sent.at + kWindow > at) break;
    at = std::max(at, fits ? at : sent.at + kWindow);
    sum -= sent.tokens;
    --count;
  }
  return at;
}

std::uint64_t RateLimiter::sent(Time now, std::int64_t tokens) {
  while (!window_.empty() && window_.front().at + kWindow <= now) {
    sum_ -= window_.front().tokens;
    window_.pop_front();
    ++first_;
  }
  window_.push_back({now, tokens});
  sum_ += tokens;
  return first_ + window_.size() - 1;
}

void RateLimiter::settled(std::uint64_t request, std::int64_t tokens) {
  if (request < first_ || request >= first_ + window_.size()) return;
  Sent& sent = window_[static_cast<std::size_t>(request - first_)];
  sum_ += tokens - sent.tokens;
  sent.tokens = tokens;
}

void RateLimiter::pause(Time until) {
  paused_until_ = std::max(paused_until_, until);
}

}  // namespace kevolve::llm
