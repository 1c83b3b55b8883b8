#include "llm_client/http/circuit_breaker.hpp"

#include <algorithm>

namespace kevolve::llm {

bool CircuitBreaker::admits(Time now) const {
  return !opened_ || (!probing_ && now >= probe_due_);
}

std::optional<CircuitBreaker::Time> CircuitBreaker::next_probe() const {
  return opened_ && !probing_ ? std::optional(probe_due_) : std::nullopt;
}

void CircuitBreaker::sent() {
  if (opened_) probing_ = true;
}

bool CircuitBreaker::trip(Time now) {
  if (opened_) return false;
  opened_ = now;
  interval_ = settings_.first_interval;
  probe_due_ = now + interval_;
  probing_ = false;
  return true;
}

bool CircuitBreaker::failed(Time now, bool probe) {
  if (!opened_) return ++in_a_row_ >= settings_.failures && trip(now);
  if (!probe) return false;
  probing_ = false;
  interval_ = std::min(interval_ * 2, settings_.longest_interval);
  probe_due_ = now + interval_;
  return false;
}

std::optional<std::chrono::milliseconds> CircuitBreaker::succeeded(Time now) {
  in_a_row_ = 0;
  probing_ = false;
  if (!opened_) return std::nullopt;
  const auto lasted = std::chrono::duration_cast<std::chrono::milliseconds>(now - *opened_);
  opened_.reset();
  return lasted;
}

void CircuitBreaker::abandoned(bool probe) {
  if (probe) probing_ = false;
}

}  // namespace kevolve::llm
