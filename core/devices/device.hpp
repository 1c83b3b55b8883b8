#pragma once
// Device: where candidates are compiled and run. One implementation for each kind: cpu (core/devices/cpu) and
// cuda (core/devices/cuda). Three processes take part, and each boundary is a process boundary: the judge
// (this process) owns all buffers and knows the answers; the compiler reads foreign source in a sandbox; the
// runner executes the candidate in a sandbox and sees inputs (read-only), outputs and scratch, never an
// expected value.
//
// Two kinds of failure: Result's Error is operational ("no bwrap"); a Verdict is the candidate's own.
// A Device may be used from several threads for compile(); everything else belongs to one thread.

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "core/model/evaluation.hpp"
#include "core/model/launch_plan.hpp"

namespace kevolve {

/// Where a buffer lies between its two inaccessible guard ranges. Both catch out-of-bounds accesses at once;
/// what lies between the data and the far guard (alignment slack) is canary-filled and checked.
enum class Placement { flush_right, flush_left };

/// Memory of the judge that runners map.
class SharedBuffer {
 public:
  virtual ~SharedBuffer() = default;
  [[nodiscard]] virtual void* data() = 0;  ///< the judge's view: host memory (cpu), device memory (cuda)
  [[nodiscard]] virtual std::size_t size_bytes() const = 0;
  [[nodiscard]] virtual bool canaries_intact() const = 0;  ///< false: somebody wrote just outside the data
};

/// A compiled candidate in the content-addressed cache.
struct Binary {
  std::string path;
  CompileReport report;
};

/// The order in which threads of a block, and blocks of a grid, are executed where the device can choose
/// (cpu). A race-free kernel gives the same bits under each.
enum class ThreadOrder { forward, reverse, shuffled };

struct RunOptions {
  bool prepare = false;  ///< run the plan's `prepare` launches instead of its `launches`
  ThreadOrder order = ThreadOrder::forward;
  std::uint64_t order_seed = 0;
  std::chrono::milliseconds deadline{10'000};
};

struct RunReport {
  Verdict verdict;     ///< gate `correctness`; passed, or what stopped the run, with evidence
  double wall_us = 0;  ///< measured by the judge (cpu) or by device events (cuda)
};

/// A disposable process that holds one loaded candidate. Destruction kills it. After a report that did not
/// pass it is dead; start a fresh one.
class Runner {
 public:
  virtual ~Runner() = default;
  /// Maps one buffer for each of the plan's buffers, inputs read-only. Returns the set's number for run().
  virtual Result<int> bind(const std::vector<std::shared_ptr<SharedBuffer>>& buffers) = 0;
  /// Executes the plan once over a bound set: fills, then launches, in order.
  virtual Result<RunReport> run(int set, const RunOptions& options) = 0;
};

class Device {
 public:
  virtual ~Device() = default;
  [[nodiscard]] virtual const DeviceInfo& info() const = 0;
  [[nodiscard]] virtual DeviceLimits limits() const = 0;
  /// "cold" or "warm": the cache state in which the worker's timing finds the inputs on this device.
  [[nodiscard]] virtual std::string timing_mode() const = 0;
  /// Overwrites caches before a cold sample; no-op on a device that is timed warm.
  virtual void flush_caches() = 0;

  /// Compile and inspect gates. `plan` gives macros and name expressions. Thread-safe; blocks.
  virtual Result<tl::expected<Binary, Verdict>> compile(const std::string& source, const LaunchPlan& plan,
                                                        std::chrono::milliseconds deadline) = 0;
  /// False on compile-only devices: nothing after `inspect` can be asked of them.
  [[nodiscard]] virtual bool can_run() const = 0;
  /// `alignment_bytes`: the plan's for the buffer, a power of two from 16 to 4096. No more than that is
  /// promised.
  virtual Result<std::shared_ptr<SharedBuffer>> allocate(std::size_t size_bytes, Placement placement,
                                                         std::size_t alignment_bytes) = 0;
  virtual Result<std::unique_ptr<Runner>> start_runner(const Binary& binary, const LaunchPlan& plan) = 0;
};

}  // namespace kevolve
