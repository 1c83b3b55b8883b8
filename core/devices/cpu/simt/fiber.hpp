#pragma once
// Fiber: a stack on which CUDA threads run until they end, and which keeps one of them while it waits.
// FiberPool: all fibers of one OS thread. Stacks are mapped once, each above a guard; a fiber keeps its stack
// for ever, and the list of free ones is a stack itself, so that the same warm ones serve block after block.
// Owned by a Worker; used by its OS thread only.

#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/devices/cpu/simt/abi.hpp"
#include "core/devices/cpu/simt/context.hpp"

namespace kevolve::simt {

struct Block;

/// What a suspended CUDA thread waits for.
enum class Wait : std::uint8_t { nothing, block_barrier, warp_collective, convergence, grid_barrier };

struct alignas(64) Fiber {
  Context context;        ///< where it was suspended
  Fiber* next = nullptr;  ///< in whichever list holds it
  Block* block = nullptr;
  ThreadIndex thread{};
  std::uint64_t result = 0;    ///< of the collective that released it
  const void* site = nullptr;  ///< convergence: the place of the call
  std::uint32_t mask = 0;      ///< warp_collective
  std::int32_t source_lane = 0;
  WarpOperation operation = WarpOperation::sync;
  Wait wait = Wait::nothing;
  bool parked = true;     ///< in the free list, at the top of its loop
  bool prepared = false;  ///< has a context; its stack has been touched
  unsigned char* stack_top = nullptr;
};

/// First in, first out.
struct FiberList {
  Fiber* head = nullptr;
  Fiber* tail = nullptr;

  [[nodiscard]] bool empty() const { return head == nullptr; }
  void push(Fiber* fiber) {
    fiber->next = nullptr;
    (head ? tail->next : head) = fiber;
    tail = fiber;
  }
  Fiber* pop() {
    Fiber* first = head;
    head = first->next;
    return first;
  }
  void append(FiberList& other) {
    if (other.empty()) return;
    (head ? tail->next : head) = other.head;
    tail = other.tail;
    other.head = nullptr;
  }
  void prepend(FiberList& other) {
    if (other.empty()) return;
    other.tail->next = head;
    if (head == nullptr) tail = other.tail;
    head = other.head;
    other.head = nullptr;
  }
};

class FiberPool {
 public:
  /// Aborts when the address space is not to be had.
  FiberPool(std::size_t count, Context::Main main);
  ~FiberPool();
  FiberPool(const FiberPool&) = delete;
  FiberPool& operator=(const FiberPool&) = delete;

  Fiber* take() {
    Fiber* fiber = free_;
    free_ = fiber->next;
    fiber->parked = false;
    if (!fiber->prepared) [[unlikely]]
      prepare(*fiber);
    return fiber;
  }
  void give_back(Fiber* fiber) {
    fiber->parked = true;
    fiber->next = free_;
    free_ = fiber;
  }
  /// Takes every fiber back, with a new context to come: whatever it was executing is abandoned.
  void abandon_all();
  [[nodiscard]] const std::vector<Fiber>& fibers() const { return fibers_; }
  [[nodiscard]] std::size_t size() const { return fibers_.size(); }
  /// Async-signal-safe.
  [[nodiscard]] bool in_guard(const void* address) const;

 private:
  void prepare(Fiber& fiber);

  Context::Main main_;
  unsigned char* region_ = nullptr;
  std::vector<Fiber> fibers_;
  Fiber* free_ = nullptr;
};

}  // namespace kevolve::simt
