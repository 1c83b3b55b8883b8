#pragma once
// Worker: one OS thread's share of a launch, the part that a multiprocessor plays on a GPU.
//
// Fibers are made use of lazily: one fiber runs thread after thread of a block in a plain loop (Entry::run).
// Only when a thread waits does it keep its fiber, and another fiber goes on with the loop. A kernel that
// never waits thus never switches. Switches go straight from fiber to fiber; the OS thread's own stack (the
// root) sees only the end of the work, grid-wide barriers and failures.
//
// What runs next, in this order: fibers that were released, in the order in which they had come; threads that
// have not begun; threads at __activemask(); for cooperative launches the next block. Nothing left while
// threads wait is a deadlock. Used by its own OS thread only, save in_guard(), which is async-signal-safe for
// it.

#include <array>
#include <cstdint>
#include <memory>

#include "core/devices/cpu/simt/block.hpp"
#include "core/devices/cpu/simt/launch.hpp"

extern "C" {
extern __thread kevolve::simt::ThreadIndex kevolve_simt_thread_index KEVOLVE_SIMT_TLS;
}

namespace kevolve::simt {

inline constexpr std::size_t kResidentBlocks = 16;

class Worker;
/// The worker whose code this OS thread is executing; null outside Worker::work().
extern __thread Worker* current_worker KEVOLVE_SIMT_TLS;

class Worker {
 public:
  explicit Worker(std::size_t fibers);

  /// Takes blocks of `launch` until none is left or one has failed.
  void work(Launch& launch);

  static Worker* current() { return current_worker; }
  [[nodiscard]] Launch& launch() { return *launch_; }
  [[nodiscard]] Fiber& running() { return *running_; }
  [[nodiscard]] Block& block() { return *block_; }
  [[nodiscard]] ThreadPlace place() const;

  /// Marks the running thread as one that keeps its fiber.
  [[gnu::always_inline]] inline void bind();
  /// Lets the others run; returns when the running thread was made ready. The caller has put it into a list.
  [[gnu::always_inline]] inline void suspend(Wait wait);
  void make_ready(FiberList& fibers) { ready_.append(fibers); }
  void make_ready(Fiber* fiber) { ready_.push(fiber); }
  /// The lanes of a warp that met. In every order but forward they go on before all others, so that a warp
  /// runs as far ahead of the rest of its block as barriers let it: a missing one then shows.
  void make_warp_ready(FiberList& lanes) {
    launch_->config.order == Order::forward ? ready_.append(lanes) : ready_.prepend(lanes);
  }
  /// See kevolve_simt_yield.
  void yield();
  /// Puts the running thread into the list of those at the grid-wide barrier and lets others run.
  void wait_for_grid();
  /// Fails the launch and abandons the running thread.
  [[noreturn]] void fail(LaunchStatus status);

  [[nodiscard]] bool in_stack_guard(const void* address) const { return pool_.in_guard(address); }
  [[nodiscard]] bool in_shared_guard(const void* address) const;

 private:
  static void fiber_main();
  void enter(Block* block);
  bool can_begin_block() const;
  Block* begin_block();
  void finish_block(Block* block);
  bool release_converging();
  [[gnu::always_inline]] inline Fiber* pick(bool may_begin_block);
  Fiber* pick_rarer(bool may_begin_block);
  [[gnu::always_inline]] inline void jump(Fiber* to);
  [[gnu::always_inline]] inline void switch_from(Fiber* self, Fiber* next);
  [[gnu::always_inline]] inline Fiber* take_for_opening();
  [[nodiscard]] bool has_unbegun() const { return opening_->queue.next != opening_->queue.size; }
  void schedule();
  bool pass_grid_barrier();
  void report_deadlock();
  void reset();

  FiberPool pool_;
  std::array<std::unique_ptr<Block>, kResidentBlocks> blocks_;
  std::array<Block*, kResidentBlocks> free_blocks_{};
  std::size_t free_block_count_ = 0;

  Launch* launch_ = nullptr;
  Fiber root_;  ///< the OS thread's own stack
  Fiber* running_ = nullptr;
  Block* block_ = nullptr;    ///< whose view is in thread-local storage
  Block* opening_ = nullptr;  ///< the block begun last: the only one that may have threads not begun
  FiberList ready_, at_grid_;
  std::size_t idle_yields_ = 0;             ///< since a thread last waited for anything but its turn
  std::int64_t begun_ = 0, quota_ = 0;      ///< blocks
  std::int64_t taken_ = 0, taken_end_ = 0;  ///< places taken from launch_->next_block and not begun
};

// The way of every barrier step is inlined into the functions that candidates call: see context.hpp on
// returns.

inline void Worker::bind() {
  const std::uint32_t rank = kevolve_simt_thread_index.rank;
  Warp& warp = block_->warps[rank / 32];
  const std::uint32_t bit = 1U << rank % 32;
  if ((warp.bound & bit) != 0) return;
  warp.bound |= bit;
  ++block_->queue.bound;
  running_->thread = kevolve_simt_thread_index;
}

inline void Worker::jump(Fiber* to) {
  Fiber* from = running_;
  running_ = to;
  Context::switch_to(from->context, to->context);
}

inline void Worker::switch_from(Fiber* self, Fiber* next) {
  if (next != self) jump(next);
  if (block_ != self->block) [[unlikely]]
    enter(self->block);
  kevolve_simt_thread_index = self->thread;
}

inline Fiber* Worker::take_for_opening() {
  Fiber* fresh = pool_.take();
  fresh->block = opening_;
  return fresh;
}

inline Fiber* Worker::pick(bool may_begin_block) {
  if (!ready_.empty()) return ready_.pop();
  if (has_unbegun()) return take_for_opening();
  return pick_rarer(may_begin_block);
}

inline void Worker::suspend(Wait wait) {
  Fiber* self = running_;
  self->wait = wait;
  idle_yields_ = 0;
  switch_from(self, pick(launch_->config.cooperative));
  self->wait = Wait::nothing;
}

}  // namespace kevolve::simt
