#pragma once
// Session: one loaded candidate and the sets of buffers bound to it. Everything the runner does after its
// start. Lives as long as the process; one thread.

#include <memory>
#include <string>
#include <vector>

#include "core/devices/channel.hpp"
#include "core/devices/cpu/runner/guarded_buffer.hpp"
#include "core/devices/cpu/simt/executor.hpp"

namespace kevolve::cpu::runner {

/// How a run ended.
struct Ending {
  Outcome outcome = Outcome::passed;
  std::string evidence;
};

class Session {
 public:
  Session(LaunchPlan plan, simt::Executor& executor) : plan_(std::move(plan)), executor_(executor) {}
  Session(const Session&) = delete;

  /// Loads the shared object and finds one entry for each launch.
  Result<void> load(const std::string& library);
  Result<void> bind(const std::vector<channel::BufferPlace>& places,
                    const std::vector<process::UniqueFd>& descriptors);
  Result<Ending> run(const channel::Request& request);

 private:
  /// The values of one launch's arguments and what points to them.
  struct BoundLaunch {
    std::vector<std::uint64_t> values;
    std::vector<simt::Argument> arguments;
  };
  struct BoundSet {
    std::vector<const GuardedBuffer*> buffers;
    std::vector<BoundLaunch> launches;  ///< numbered as entries_
  };

  [[nodiscard]] const PlannedLaunch& launch(std::size_t number) const;
  [[nodiscard]] Result<BoundLaunch> bind_launch(const PlannedLaunch& launch, const BoundSet& set) const;

  LaunchPlan plan_;
  simt::Executor& executor_;
  std::vector<const void*> entries_;  ///< `launches`, then `prepare`
  std::vector<BoundSet> sets_;
};

}  // namespace kevolve::cpu::runner
