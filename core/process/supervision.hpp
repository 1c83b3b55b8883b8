#pragma once
// How a supervisor of worker processes decides: when a worker that ended starts again (BackOff), and when a
// request has ended too many of them (Suspicion). The engine's pools and a worker's own fan-out both go by
// it. Pure values: they start nothing and read no clock.

#include <chrono>
#include <cstdint>

namespace kevolve::process {

/// The time between the end of a worker and its next start: none when it had answered something, else one
/// that doubles with each end in a row without an answer.
class BackOff {
 public:
  BackOff(std::chrono::milliseconds first, std::chrono::milliseconds longest)
      : first_(first), longest_(longest) {}

  void ended(bool had_answered) { failures_ = had_answered ? 0 : failures_ + 1; }
  /// Ends in a row without an answer.
  [[nodiscard]] int failures() const { return failures_; }
  [[nodiscard]] std::chrono::milliseconds longest() const { return longest_; }
  [[nodiscard]] std::chrono::milliseconds wait() const;

 private:
  std::chrono::milliseconds first_, longest_;
  int failures_ = 0;
};

/// What is held against one request. When a worker dies, the oldest request that it had not answered is the
/// suspect.
class Suspicion {
 public:
  /// A worker died with the request as its suspect. `answered`: replies to any request, by all workers, so
  /// far.
  void death(std::uint64_t answered);
  [[nodiscard]] int deaths() const { return deaths_; }
  /// Workers die of this request: of two deaths when other requests were answered since the first one, or of
  /// `most` in any case, since the machine may be at fault while nothing is answered at all.
  [[nodiscard]] bool proven(std::uint64_t answered, int most) const;

 private:
  int deaths_ = 0;
  std::uint64_t answered_before_ = 0;  ///< at the first death
};

}  // namespace kevolve::process
