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
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/devices/memory.hpp"
#include "core/model/evaluation.hpp"
#include "core/model/launch_plan.hpp"

namespace kevolve::devices {

/// Where a buffer lies between its two inaccessible guard ranges. Both catch out-of-bounds accesses at once;
/// what lies between the data and the far guard (alignment slack) is canary-filled and checked.
enum class Placement { flush_right, flush_left };

/// Memory of the judge that runners map.
class SharedBuffer {
 public:
  virtual ~SharedBuffer() = default;
  [[nodiscard]] virtual std::byte* data() = 0;  ///< the judge's view, an address of the device's Memory
  [[nodiscard]] virtual std::size_t size_bytes() const = 0;
  [[nodiscard]] virtual bool canaries_intact() const = 0;  ///< false: somebody wrote just outside the data

  /// What a runner maps: `mapping_bytes` of the descriptor, with the data at `data_offset`.
  [[nodiscard]] virtual int descriptor(bool writable) const = 0;
  [[nodiscard]] virtual std::size_t mapping_bytes() const = 0;
  [[nodiscard]] virtual std::size_t data_offset() const = 0;
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
  bool timed = false;    ///< where the runner owns the caches (cuda): flush them right before the first fill
  /// Launch the plan once, untimed, on this other set, so that the timed launch finds warm instruction
  /// caches, as in a loop. Ignored by devices that do not need it.
  std::optional<int> rehearsal{};
  ThreadOrder order = ThreadOrder::forward;
  std::uint64_t order_seed = 0;
  std::chrono::milliseconds deadline{10'000};
};

struct RunReport {
  Verdict verdict;     ///< gate `correctness`; passed, or what stopped the run, with evidence
  double wall_us = 0;  ///< measured by the judge (cpu) or by device events (cuda)
  double sm_mhz = 0;   ///< of a timed run: the SMs' clock around it; 0: not known
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
  /// Runs the plan as often as its counters need and gives their values by the vendor's names. An Error says
  /// why they cannot be read. Only runners of start_profiler() can.
  virtual Result<std::map<std::string, double>> profile(int /*set*/) {
    return failure("this device has no hardware counters");
  }
  /// Runs the plan over a bound set, with flushed caches, under a clock other than run()'s. Nothing where the
  /// device has no other clock. Times taken afterwards may be longer. An Error says why the clock failed.
  virtual Result<std::optional<Witness>> witness(int /*set*/) { return std::optional<Witness>(); }
};

class Device {
 public:
  virtual ~Device() = default;
  [[nodiscard]] virtual const DeviceInfo& info() const = 0;
  [[nodiscard]] virtual DeviceLimits limits() const = 0;
  /// "cold" or "warm": the cache state in which the worker's timing finds the inputs on this device.
  [[nodiscard]] virtual std::string timing_mode() const = 0;
  /// Before a cold sample: empties the caches of the buffers' contents. Where work is queued (cuda), so is
  /// this, and the call returns at once.
  virtual void flush_caches() = 0;
  /// True when runners flush by themselves, in their own queue (RunOptions::timed). The judge must then not:
  /// its flush would share the GPU with the kernel under the clock.
  [[nodiscard]] virtual bool runners_flush() const { return false; }
  /// Makes this the device of the calling thread, until it enters another.
  virtual void enter() {}
  /// True when its times suffer from other work on this machine's processors.
  [[nodiscard]] virtual bool times_on_host() const { return true; }
  /// Before samples are taken: waits until the device has finished its work in the background.
  virtual void settle() {}
  /// Where this device keeps tensors. Null when can_run() is false.
  [[nodiscard]] virtual Memory* memory() = 0;
  /// How many candidates share one set of draws (draws are expensive on a GPU). 1: no sharing.
  [[nodiscard]] virtual int candidates_per_draw() const { return 1; }
  /// Bytes a microsecond that the device copies at best (read and written bytes both count); 0: unknown.
  virtual double copy_bytes_per_us() = 0;
  /// Most operations a microsecond that its fastest units do in answers of this class; 0: unknown.
  [[nodiscard]] virtual double flops_per_us(PrecisionClass) const { return 0; }

  /// Compile and inspect gates. `plan` gives macros and name expressions. Thread-safe; blocks.
  virtual Result<tl::expected<Binary, Verdict>> compile(const std::string& source, const LaunchPlan& plan,
                                                        std::chrono::milliseconds deadline) = 0;
  /// False on compile-only devices: nothing after `inspect` can be asked of them.
  [[nodiscard]] virtual bool can_run() const = 0;
  /// `alignment_bytes`: the plan's for the buffer, a power of two from 16 to 4096. Guarantees no more.
  virtual Result<std::shared_ptr<SharedBuffer>> allocate(std::size_t size_bytes, Placement placement,
                                                         std::size_t alignment_bytes) = 0;
  virtual Result<std::unique_ptr<Runner>> start_runner(const Binary& binary, const LaunchPlan& plan) = 0;
  /// A runner that may read hardware counters.
  virtual Result<std::unique_ptr<Runner>> start_profiler(const Binary& binary, const LaunchPlan& plan) {
    return start_runner(binary, plan);
  }
};

}  // namespace kevolve::devices
