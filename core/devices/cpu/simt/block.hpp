#pragma once
// Block: a resident block of the running launch, with its barriers, warps and shared memory. Plain state that
// the owning Worker and the collectives (collectives.cpp) work upon; touched by one OS thread only.

#include <array>
#include <cstdint>

#include "core/devices/cpu/simt/abi.hpp"
#include "core/devices/cpu/simt/fiber.hpp"

namespace kevolve::simt {

/// Lanes that meet in one collective. Groups that wait at the same time in one warp are disjoint.
struct WarpGroup {
  std::uint32_t mask = 0;
  std::uint32_t arrived = 0;
  WarpOperation operation = WarpOperation::sync;
  FiberList waiting;
};

struct Warp {
  std::uint32_t bound = 0;  ///< lanes that were suspended at least once and have not exited
  std::uint32_t group_count = 0;
  std::array<WarpGroup, 32> groups;
  std::array<std::uint64_t, 32> operands;  ///< by lane, of those that wait in a group
};

/// Static and dynamic shared memory of one block, between inaccessible pages. Dynamic shared memory lies
/// flush against the upper ones, so that the first 16 bytes past its end fault.
class SharedMemory {
 public:
  SharedMemory();  ///< aborts when the address space is not to be had
  ~SharedMemory();
  SharedMemory(const SharedMemory&) = delete;
  SharedMemory& operator=(const SharedMemory&) = delete;

  /// Forgets all declarations of the last launch.
  void start_launch(std::int64_t dynamic_bytes, std::uint64_t poison);
  /// Fills all that this launch uses with poison.
  void start_block();
  /// See kevolve_simt_shared. Null: more than kMaxStaticSharedBytes, or more declarations than slots.
  void* reserve(std::uint64_t key, std::size_t size_bytes, std::size_t alignment);
  [[nodiscard]] const BlockView& view() const { return view_; }
  [[nodiscard]] bool in_guard(const void* address) const;

 private:
  unsigned char* region_;
  std::array<SharedSlot, kSharedSlots> slots_{};
  BlockView view_{};
  std::size_t static_used_ = 0, static_declared_ = 0;  ///< bytes, with and without red zones
};

struct Block {
  ThreadQueue queue{};
  std::array<std::uint32_t, 3> index{};
  SharedMemory shared;

  // The block-wide barrier. Predicates are gathered for all forms at once.
  FiberList at_barrier;
  std::uint32_t arrived = 0;
  std::uint32_t predicate_count = 0;
  std::uint32_t result_count = 0;  ///< of the last completed barrier
  std::uint32_t result_threads = 0;

  FiberList converging;  ///< threads at __activemask()
  std::uint32_t at_grid_barrier = 0;
  std::array<Warp, 32> warps;

  /// Forgets all threads, after a failure.
  void clear();
  /// Every thread that has not exited waits at the block-wide barrier.
  [[nodiscard]] bool all_arrived() const { return arrived == queue.bound && queue.next == queue.size; }
};

}  // namespace kevolve::simt
