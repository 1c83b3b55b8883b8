#pragma once
// FanOut: several worker processes that look like one worker (docs/worker_protocol.md). It starts a process
// for each GPU, says one hello for all of them, deals the requests out (dealing.hpp) and passes the replies
// on in the order in which they come. It judges nothing and touches no GPU: a kernel that breaks a context
// ends one of its children, which it starts again.
//
// One thread. The children end with it, however it ends. SIGPIPE must be ignored.

#include <chrono>
#include <vector>

#include "core/worker/fan_out/child_worker.hpp"

namespace kevolve::fan_out {

struct FanOutSettings {
  std::vector<ChildPlan> children;
  /// From a child's start to its hello, counted from the first hello of any child: until then our own parent
  /// decides how long to wait.
  std::chrono::milliseconds start_patience{30'000};
  /// Between two signs of life of a child, beyond the time that its request may be timed for. Less than the
  /// 300 s after which an engine gives the whole worker up.
  std::chrono::milliseconds reply_patience{240'000};
  /// A child that ended starts again: core/process/supervision.hpp.
  std::chrono::milliseconds first_back_off{500}, longest_back_off{60'000};
  /// Gives up when every child has ended this often in a row without an answer.
  int most_failures = 5;
};

/// Serves the requests of `in` until it ends and every request is answered on `out`. An error when no child
/// starts, when they disagree on version or device, when none works any more, or when nobody reads `out`.
Result<void> serve(const FanOutSettings& settings, int in, int out);

}  // namespace kevolve::fan_out
