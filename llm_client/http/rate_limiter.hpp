#pragma once
// RateLimiter: keeps an endpoint's requests and tokens within their limits of any 60 seconds, and away from
// it while it asked to be left alone. Pure: time is told. One thread.

#include <chrono>
#include <cstdint>
#include <deque>
#include <optional>

namespace kevolve::llm {

class RateLimiter {
 public:
  using Time = std::chrono::steady_clock::time_point;

  RateLimiter() = default;
  RateLimiter(std::optional<std::int64_t> requests_per_minute, std::optional<std::int64_t> tokens_per_minute)
      : requests_(requests_per_minute), tokens_(tokens_per_minute) {}

  /// The earliest time, not before `now`, at which a request of about `tokens` may be sent. One that is
  /// larger than the limit may be sent when nothing else was within the last minute.
  [[nodiscard]] Time ready(Time now, std::int64_t tokens) const;
  /// A request is sent; returns its number.
  std::uint64_t sent(Time now, std::int64_t tokens);
  /// It took so many tokens in fact.
  void settled(std::uint64_t request, std::int64_t tokens);
  /// Nothing is to be sent before `until`.
  void pause(Time until);

 private:
  struct Sent {
    Time at;
    std::int64_t tokens;
  };

  std::optional<std::int64_t> requests_, tokens_;
  std::deque<Sent> window_;  // within a minute before the last one, oldest first
  std::uint64_t first_ = 0;  // the number of window_.front()
  std::int64_t sum_ = 0;     // tokens in window_
  Time paused_until_{};
};

}  // namespace kevolve::llm
