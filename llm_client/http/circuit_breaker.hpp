#pragma once
// CircuitBreaker: judges whether an endpoint is down. After several failures in a row it is; then nothing is
// sent but one probe at a time, at intervals that grow to a minute, until one succeeds. Pure: time is told.
// One thread.

#include <chrono>
#include <optional>

namespace kevolve::llm {

class CircuitBreaker {
 public:
  using Time = std::chrono::steady_clock::time_point;

  struct Settings {
    int failures = 5;  ///< in a row, over all requests
    std::chrono::milliseconds first_interval{1'000}, longest_interval{60'000};
  };

  CircuitBreaker() = default;
  explicit CircuitBreaker(Settings settings) : settings_(settings) {}

  [[nodiscard]] bool open() const { return opened_.has_value(); }
  /// Whether a request may be sent now: always while closed, and as a probe when one is due.
  [[nodiscard]] bool admits(Time now) const;
  /// When the next probe is due, while open and none is under way.
  [[nodiscard]] std::optional<Time> next_probe() const;

  /// A request that admits() allowed is sent. While open it is the probe.
  void sent();
  /// True when this failure opened it. Failures of requests sent before it opened do not lengthen the
  /// intervals: `probe` tells them apart.
  bool failed(Time now, bool probe);
  /// Opens at once, whatever the count: true unless it was open.
  bool trip(Time now);
  /// How long it was open, when this success closed it.
  std::optional<std::chrono::milliseconds> succeeded(Time now);
  /// The probe ended without a verdict (it was cancelled).
  void abandoned(bool probe);

 private:
  Settings settings_;
  int in_a_row_ = 0;
  std::optional<Time> opened_;
  Time probe_due_;
  std::chrono::milliseconds interval_{0};
  bool probing_ = false;
};

}  // namespace kevolve::llm
