#pragma once
// Executor: runs kernels of loaded candidates on this machine's threads. An OS thread plays the part of a
// multiprocessor: it takes blocks one after the other and runs their CUDA threads as fibers.
//
// All OS threads, stacks and shared memory are made in the constructor: afterwards a launch makes no system
// call but futex and sched_yield (close the sandbox after construction). Every OS thread of the executor has
// an alternate signal stack, and so has the constructing thread after construction, unless it had one.
// launch() is called by one thread at a time, always the constructing one, which takes part in the work.
// After a status other than ok the executor can be used again.

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "core/devices/cpu/simt/abi.hpp"

namespace kevolve::simt {

enum class Order { forward, reverse, shuffled };

struct Argument {
  const void* value = nullptr;
  std::size_t size_bytes = 0;
  ParameterKind kind = ParameterKind::other;  ///< `other`: only the size is checked
};

struct LaunchConfig {
  std::array<std::int64_t, 3> grid{1, 1, 1}, block{1, 1, 1};
  std::int64_t dynamic_shared_bytes = 0;
  bool cooperative = false;
  std::span<const Argument> arguments{};
  Order order = Order::forward;  ///< of threads in a block between barriers, and of blocks
  std::uint64_t order_seed = 0;  ///< used with Order::shuffled
};

/// Where a CUDA thread stands.
struct ThreadPlace {
  std::array<std::uint32_t, 3> block{}, thread{};
};

struct LaunchStatus {
  enum class Kind { ok, launch_error, deadlock, trap, assertion };
  Kind kind = Kind::ok;
  std::string text;   ///< complete sentences, with block and thread where there is one; empty when ok
  ThreadPlace place;  ///< deadlock: one of the waiting threads; trap, assertion: the thread itself
  [[nodiscard]] bool ok() const { return kind == Kind::ok; }
};

/// For a fault handler: what the current OS thread was executing.
struct CurrentThread {
  bool in_kernel = false;
  ThreadPlace place;
  const char* kernel = nullptr;  ///< name expression, as written in KEVOLVE_SIMT_ENTRY
};

/// Async-signal-safe. Exact within a kernel, also where g++ has inlined it into the loop over threads.
CurrentThread current_thread();
/// Async-signal-safe: whether the address lies in the guard below a CUDA thread's stack ("stack overflow").
bool is_stack_guard(const void* address);
/// Async-signal-safe: whether the address lies in the guards around shared memory ("shared memory out of
/// bounds").
bool is_shared_guard(const void* address);

inline constexpr std::int64_t kMaxThreadsPerBlock = 1024;
inline constexpr std::int64_t kMaxDynamicSharedBytes = 227 * 1024;
inline constexpr std::int64_t kMaxStaticSharedBytes = 48 * 1024;

class Executor {
 public:
  /// `threads` ≥ 1 OS threads in all, the calling one included; more than 24 are not used.
  /// Aborts when the operating system refuses threads or address space (about 350 MiB a thread, touched on
  /// demand).
  explicit Executor(int threads);
  ~Executor();
  Executor(const Executor&) = delete;
  Executor& operator=(const Executor&) = delete;

  /// `entry`: address of a `kevolve_entry_<index>`. Returns when every block has ended, or one has failed.
  LaunchStatus launch(const void* entry, const LaunchConfig& config);

  [[nodiscard]] int threads() const;
  /// Blocks of a cooperative launch that can be resident at once.
  [[nodiscard]] std::int64_t max_resident_blocks(std::int64_t threads_per_block,
                                                 std::int64_t dynamic_shared_bytes) const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace kevolve::simt
