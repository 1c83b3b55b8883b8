#pragma once
// FanOut: several worker processes that look like one worker (docs/worker_protocol.md). It starts a process
// for each GPU, says one hello for all of them, deals the requests out (dealing.hpp) and passes the replies
// on in the order in which they come. It judges nothing and touches no GPU: what breaks a context ends one of
// its children, which it starts again.
//
// One thread. The children end with it, however it ends. SIGPIPE must be ignored.

#include <chrono>
#include <vector>

#include "core/worker/fan_out/child_worker.hpp"

namespace kevolve {

struct FanOutSettings {
  std::vector<ChildPlan> children;
  /// To its hello, once another child has said its own; before that whoever started us may wait.
  std::chrono::milliseconds start_patience{30'000};
  /// Between two signs of life of a child, beyond what its request may be timed for. Below the 300 s after
  /// which an engine gives the whole worker up.
  std::chrono::milliseconds reply_patience{240'000};
  /// A child that ended is started again: at once when it had answered something, else after a time that
  /// doubles.
  std::chrono::milliseconds first_back_off{500}, longest_back_off{60'000};
  /// When every child has ended so often in a row without an answer, all is over.
  int most_failures = 5;
};

/// Serves requests of `in` until its end and all is answered on `out`. An error when no child starts, when
/// they disagree on version or device, when none works any more, or when nobody reads `out`.
Result<void> fan_out(const FanOutSettings& settings, int in, int out);

}  // namespace kevolve
