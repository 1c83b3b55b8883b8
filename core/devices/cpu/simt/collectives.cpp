// The runtime's half of abi.hpp: barriers, warp collectives and failures, called by candidates' code on
// fibers.

#include <algorithm>
#include <bit>

#include "core/devices/cpu/simt/describe.hpp"
#include "core/devices/cpu/simt/worker.hpp"

namespace kevolve::simt {
namespace {

void complete_barrier(Worker& worker, Block& block) {
  block.result_count = block.predicate_count;
  block.result_threads = block.arrived;
  block.arrived = block.predicate_count = 0;
  worker.make_ready(block.at_barrier);
}

// Whether one of `lanes` has not exited and can still come. Of the threads that have begun, all that have not
// exited are bound, save the running one, which nobody asks about.
bool any_can_come(Worker& worker, const Block& block, std::uint32_t warp, std::uint32_t lanes) {
  if ((lanes & block.warps[warp].bound) != 0) return true;
  const auto& position = worker.launch().position;
  for (; lanes != 0; lanes &= lanes - 1) {
    const std::uint32_t rank = warp * 32 + static_cast<std::uint32_t>(std::countr_zero(lanes));
    if (rank < block.queue.size && position[rank] >= block.queue.next) return true;
  }
  return false;
}

std::uint64_t reduce(WarpOperation operation, std::uint32_t a, std::uint32_t b) {
  const auto sa = static_cast<std::int32_t>(a), sb = static_cast<std::int32_t>(b);
  switch (operation) {
    case WarpOperation::add_i32:
    case WarpOperation::add_u32:
      return a + b;
    case WarpOperation::min_i32:
      return static_cast<std::uint32_t>(std::min(sa, sb));
    case WarpOperation::max_i32:
      return static_cast<std::uint32_t>(std::max(sa, sb));
    case WarpOperation::min_u32:
      return std::min(a, b);
    case WarpOperation::max_u32:
      return std::max(a, b);
    case WarpOperation::bit_and:
      return a & b;
    case WarpOperation::bit_or:
      return a | b;
    case WarpOperation::bit_xor:
      return a ^ b;
    default:
      return 0;
  }
}

/// The one result that all lanes of `group` share.
std::uint64_t common_result(const Warp& warp, const WarpGroup& group) {
  const std::uint32_t first = static_cast<std::uint32_t>(std::countr_zero(group.arrived));
  std::uint64_t result = warp.operands[first];
  if (group.operation == WarpOperation::ballot) result = result != 0 ? 1U << first : 0;
  bool equal = true;
  for (std::uint32_t rest = group.arrived & (group.arrived - 1); rest != 0; rest &= rest - 1) {
    const auto lane = static_cast<std::uint32_t>(std::countr_zero(rest));
    const std::uint64_t operand = warp.operands[lane];
    if (group.operation == WarpOperation::ballot) {
      result |= operand != 0 ? 1U << lane : 0;
    } else if (group.operation == WarpOperation::match_all) {
      equal = equal && operand == warp.operands[first];
    } else {
      result =
          reduce(group.operation, static_cast<std::uint32_t>(result), static_cast<std::uint32_t>(operand));
    }
  }
  return group.operation == WarpOperation::match_all ? (equal ? group.arrived : 0) : result;
}

std::uint32_t equal_lanes(const Warp& warp, std::uint32_t lanes, std::uint64_t operand) {
  std::uint32_t equal = 0;
  for (; lanes != 0; lanes &= lanes - 1) {
    const auto lane = static_cast<std::uint32_t>(std::countr_zero(lanes));
    if (warp.operands[lane] == operand) equal |= 1U << lane;
  }
  return equal;
}

// The last lane to come computes for all: each then takes its own result, whatever the others do meanwhile.
void complete_group(Worker& worker, Warp& warp, WarpGroup& group) {
  const std::uint64_t poison = worker.launch().poison;
  if (group.operation == WarpOperation::shuffle) {
    for (Fiber* fiber = group.waiting.head; fiber != nullptr; fiber = fiber->next) {
      const auto source = static_cast<std::uint32_t>(fiber->source_lane);
      fiber->result = (group.arrived >> source & 1) != 0 ? warp.operands[source] : poison;
    }
  } else if (group.operation == WarpOperation::match_any) {
    for (Fiber* fiber = group.waiting.head; fiber != nullptr; fiber = fiber->next)
      fiber->result = equal_lanes(warp, group.arrived, warp.operands[fiber->thread.rank % 32]);
  } else if (group.operation != WarpOperation::sync) {
    const std::uint64_t result = common_result(warp, group);
    for (Fiber* fiber = group.waiting.head; fiber != nullptr; fiber = fiber->next) fiber->result = result;
  }
  worker.make_warp_ready(group.waiting);
  group = warp.groups[--warp.group_count];
}

WarpGroup& join_group(Warp& warp, WarpOperation operation, std::uint32_t mask) {
  for (std::uint32_t i = 0; i < warp.group_count; ++i) {
    WarpGroup& group = warp.groups[i];
    if (group.mask == mask && group.operation == operation) return group;
  }
  WarpGroup& fresh = warp.groups[warp.group_count++];
  fresh = {mask, 0, operation, {}};
  return fresh;
}

LaunchStatus failure_at(const Worker& worker, LaunchStatus::Kind kind, std::string what) {
  const ThreadPlace place = worker.place();
  return {kind, std::move(what) + " (" + describe(place) + ").", place};
}

// The stack of the thread is abandoned without unwinding: nothing on it may own memory by now.
[[noreturn]] void fail(Worker& worker, LaunchStatus::Kind kind, const char* what) {
  worker.fail(failure_at(worker, kind, what));
}

}  // namespace
}  // namespace kevolve::simt

using namespace kevolve::simt;

extern "C" int kevolve_simt_block_barrier(BlockBarrier kind, int predicate) {
  Worker& worker = *Worker::current();
  Block& block = worker.block();
  worker.bind();
  ++block.arrived;
  block.predicate_count += predicate != 0;
  block.at_barrier.push(&worker.running());
  if (block.all_arrived()) complete_barrier(worker, block);
  worker.suspend(Wait::block_barrier);
  switch (kind) {
    case BlockBarrier::sync:
      return 0;
    case BlockBarrier::count:
      return static_cast<int>(block.result_count);
    case BlockBarrier::all_of:
      return block.result_count == block.result_threads;
    case BlockBarrier::any_of:
      return block.result_count != 0;
  }
  return 0;
}

extern "C" std::uint64_t kevolve_simt_warp(WarpOperation operation, std::uint32_t mask, std::uint64_t operand,
                                           int lane) {
  Worker& worker = *Worker::current();
  Block& block = worker.block();
  const std::uint32_t rank = kevolve_simt_thread_index.rank;
  const std::uint32_t own = rank % 32;
  if ((mask >> own & 1) == 0) {
    worker.fail(failure_at(worker, LaunchStatus::Kind::trap,
                           std::string(name(operation)) + ": the mask does not contain the calling lane"));
  }
  worker.bind();
  Warp& warp = block.warps[rank / 32];
  Fiber& self = worker.running();
  self.mask = mask;
  self.operation = operation;
  self.source_lane = lane < 0 ? static_cast<int>(own) : lane;
  warp.operands[own] = operand;
  WarpGroup& group = join_group(warp, operation, mask);
  group.arrived |= 1U << own;
  group.waiting.push(&self);
  if (!any_can_come(worker, block, rank / 32, mask & ~group.arrived)) complete_group(worker, warp, group);
  worker.suspend(Wait::warp_collective);
  return self.result;
}

extern "C" std::uint32_t kevolve_simt_active_lanes() {
  Worker& worker = *Worker::current();
  worker.bind();
  Fiber& self = worker.running();
  self.site = __builtin_return_address(0);
  worker.block().converging.push(&self);
  worker.suspend(Wait::convergence);
  return static_cast<std::uint32_t>(self.result);
}

extern "C" void kevolve_simt_thread_exited() {
  Worker& worker = *Worker::current();
  Block& block = worker.block();
  const std::uint32_t rank = kevolve_simt_thread_index.rank;
  Warp& warp = block.warps[rank / 32];
  const std::uint32_t bit = 1U << rank % 32;
  if ((warp.bound & bit) != 0) {
    warp.bound &= ~bit;
    --block.queue.bound;
  }
  if (block.arrived != 0 && block.all_arrived()) complete_barrier(worker, block);
  for (std::uint32_t i = 0; i < warp.group_count;) {
    WarpGroup& group = warp.groups[i];
    if (any_can_come(worker, block, rank / 32, group.mask & ~group.arrived)) {
      ++i;
    } else {
      complete_group(worker, warp, group);
    }
  }
}

extern "C" void kevolve_simt_yield() {
  Worker::current()->yield();
}

extern "C" void kevolve_simt_grid_barrier() {
  Worker& worker = *Worker::current();
  if (!worker.launch().config.cooperative) {
    fail(worker, LaunchStatus::Kind::trap,
         "A grid-wide sync() needs a cooperative launch: set \"cooperative\": true");
  }
  worker.wait_for_grid();
}

extern "C" void* kevolve_simt_shared(std::uint64_t key, std::size_t size_bytes, std::size_t alignment) {
  Worker& worker = *Worker::current();
  if (void* address = worker.block().shared.reserve(key, size_bytes, alignment)) return address;
  fail(worker, LaunchStatus::Kind::launch_error,
       "The kernel's static __shared__ declarations exceed 48 KiB or 64 declarations; use dynamic shared "
       "memory "
       "(extern __shared__ and shared_bytes)");
}

extern "C" void kevolve_simt_trap(const char* expression, const char* file, unsigned line) {
  Worker& worker = *Worker::current();
  if (expression == nullptr) fail(worker, LaunchStatus::Kind::trap, "The kernel executed __trap()");
  worker.fail(failure_at(
      worker, LaunchStatus::Kind::assertion,
      std::string("Assertion `") + expression + "` failed at " + file + ":" + std::to_string(line)));
}
