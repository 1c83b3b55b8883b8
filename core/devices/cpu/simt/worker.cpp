#include "core/devices/cpu/simt/worker.hpp"

#include <sched.h>

#include <algorithm>

#include "core/devices/cpu/simt/describe.hpp"

extern "C" {
constinit __thread kevolve::simt::BlockView kevolve_simt_block KEVOLVE_SIMT_TLS = {};
constinit __thread kevolve::simt::ThreadIndex kevolve_simt_thread_index KEVOLVE_SIMT_TLS = {};
constinit __thread std::uint32_t kevolve_simt_block_index[3] KEVOLVE_SIMT_TLS = {};
constinit __thread std::uint32_t kevolve_simt_block_dim[3] KEVOLVE_SIMT_TLS = {};
constinit __thread std::uint32_t kevolve_simt_grid_dim[3] KEVOLVE_SIMT_TLS = {};
}

namespace kevolve::simt {
constinit __thread Worker* current_worker KEVOLVE_SIMT_TLS = nullptr;

Worker::Worker(std::size_t fibers) : pool_(fibers, &Worker::fiber_main) {
  for (auto& block : blocks_) block = std::make_unique<Block>();
  reset();
}

ThreadPlace Worker::place() const {
  const ThreadIndex& thread = kevolve_simt_thread_index;
  return {block_ ? block_->index : std::array<std::uint32_t, 3>{}, {thread.x, thread.y, thread.z}};
}

void Worker::enter(Block* block) {
  block_ = block;
  kevolve_simt_block = block->shared.view();
  kevolve_simt_block.spins_left = kSpins;
  kevolve_simt_block.cooperative = launch_->config.cooperative;
  for (std::size_t i = 0; i < 3; ++i) kevolve_simt_block_index[i] = block->index[i];
}

bool Worker::can_begin_block() const {
  const std::size_t resident = kResidentBlocks - free_block_count_;
  return free_block_count_ > 0 && (resident + 1) * launch_->block_threads <= pool_.size() &&
         begun_ < quota_ && !launch_->stop.load(std::memory_order_relaxed) &&
         (taken_ < taken_end_ || launch_->next_block.load(std::memory_order_relaxed) < launch_->blocks);
}

// Blocks are taken a few at a time, so that tiny blocks do not contend for the counter.
Block* Worker::begin_block() {
  if (!can_begin_block()) return nullptr;
  if (taken_ == taken_end_) {
    const std::int64_t share = launch_->config.cooperative
                                   ? 1
                                   : std::clamp<std::int64_t>(launch_->blocks / launch_->workers / 16, 1, 64);
    taken_ = launch_->next_block.fetch_add(share, std::memory_order_relaxed);
    taken_end_ = std::min(taken_ + share, launch_->blocks);
    if (taken_ >= launch_->blocks) {
      taken_ = taken_end_;
      return nullptr;
    }
  }
  Block* block = free_blocks_[--free_block_count_];
  ++begun_;
  block->index = launch_->block_at(taken_++);
  block->queue = {launch_->order.data(), 0, launch_->block_threads, 0};
  block->shared.start_block();
  opening_ = block;
  return block;
}

void Worker::finish_block(Block* block) {
  free_blocks_[free_block_count_++] = block;
  block_ = nullptr;  // the same object will soon be another block: enter() it anew
  if (launch_->config.cooperative) launch_->finished_blocks.fetch_add(1);
}

void Worker::fiber_main() {
  Worker& worker = *current_worker;
  Fiber* self = worker.running_;
  for (;;) {
    Block* block = self->block;
    if (worker.block_ != block) worker.enter(block);
    worker.launch_->entry.run(&block->queue, worker.launch_->arguments);
    if (block->queue.bound == 0) {
      worker.finish_block(block);
      if (worker.ready_.empty()) {
        if (Block* next = worker.begin_block()) {
          self->block = next;
          continue;
        }
      }
    }
    worker.pool_.give_back(self);
    Fiber* next = worker.pick(worker.launch_->config.cooperative);
    if (next != self) worker.jump(next);
  }
}

Fiber* Worker::pick_rarer(bool may_begin_block) {
  if (!release_converging() && (!may_begin_block || !begin_block())) return &root_;
  return ready_.empty() ? take_for_opening() : ready_.pop();
}

void Worker::yield() {
  kevolve_simt_block.spins_left = kSpins;
  if (launch_->stop.load(std::memory_order_relaxed)) jump(&root_);  // what it polls for may never come
  // When everybody polls, what they wait for may lie behind an __activemask() or in a block not begun.
  if (++idle_yields_ > 4 * pool_.size() && !has_unbegun()) {
    idle_yields_ = 0;
    if (!release_converging() && !begin_block()) sched_yield();
  }
  if (!has_unbegun() && ready_.empty()) {
    sched_yield();
    return;
  }
  Fiber* self = running_;
  bind();
  Fiber* next = has_unbegun() ? take_for_opening() : ready_.pop();
  ready_.push(self);
  switch_from(self, next);
}

// Threads of one warp that stand at the same call have converged when no other thread can run.
bool Worker::release_converging() {
  bool released = false;
  for (const auto& block : blocks_) {
    FiberList waiting = block->converging;
    block->converging = {};
    for (Fiber* fiber = waiting.head; fiber != nullptr; fiber = fiber->next) {
      std::uint32_t lanes = 0;
      for (Fiber* other = waiting.head; other != nullptr; other = other->next) {
        const bool together =
            other->site == fiber->site && other->thread.rank / 32 == fiber->thread.rank / 32;
        if (together) lanes |= 1U << other->thread.rank % 32;
      }
      fiber->result = lanes;
      released = true;
    }
    ready_.append(waiting);
  }
  return released;
}

void Worker::wait_for_grid() {
  bind();
  ++block_->at_grid_barrier;
  at_grid_.push(running_);
  suspend(Wait::grid_barrier);
}

void Worker::fail(LaunchStatus status) {
  launch_->fail(std::move(status));
  jump(&root_);
  __builtin_unreachable();
}

bool Worker::pass_grid_barrier() {
  Launch& launch = *launch_;
  std::int64_t here = 0;
  for (const auto& block : blocks_) {
    if (block->queue.bound != block->at_grid_barrier) return false;
    if (block->queue.bound != 0) ++here;
  }
  const std::uint64_t generation = launch.grid_generation.load();
  if (launch.blocks_at_grid_barrier.fetch_add(here) + here == launch.blocks) {
    launch.blocks_at_grid_barrier.store(0);
    launch.grid_generation.fetch_add(1);
  }
  while (launch.grid_generation.load() == generation) {
    if (launch.stop.load()) return true;
    const std::int64_t finished = launch.finished_blocks.load();
    if (finished > 0 && launch.blocks_at_grid_barrier.load() + finished == launch.blocks) return false;
    sched_yield();
  }
  for (const auto& block : blocks_) block->at_grid_barrier = 0;
  ready_.append(at_grid_);
  return true;
}

void Worker::work(Launch& launch) {
  launch_ = &launch;
  current_worker = this;
  taken_ = taken_end_ = begun_ = 0;
  idle_yields_ = 0;
  quota_ = launch.config.cooperative ? (launch.blocks + launch.workers - 1) / launch.workers : launch.blocks;
  for (std::size_t i = 0; i < 3; ++i) {
    kevolve_simt_block_dim[i] = static_cast<std::uint32_t>(launch.config.block[i]);
    kevolve_simt_grid_dim[i] = static_cast<std::uint32_t>(launch.config.grid[i]);
  }
  for (const auto& block : blocks_)
    block->shared.start_launch(launch.config.dynamic_shared_bytes, launch.poison);
  opening_ = blocks_[0].get();
  opening_->queue = {};
  running_ = &root_;
  schedule();
  block_ = nullptr;
  current_worker = nullptr;
}

void Worker::schedule() {
  for (;;) {
    Fiber* next = pick(true);
    if (next != &root_) {
      jump(next);
      if (launch_->stop.load()) return reset();
      continue;
    }
    if (free_block_count_ == kResidentBlocks) return;  // nothing begun, nothing left to begin
    if (!launch_->config.cooperative || !pass_grid_barrier()) report_deadlock();
    if (launch_->stop.load()) return reset();
  }
}

void Worker::report_deadlock() {
  std::vector<const Fiber*> waiting;
  for (const Fiber& fiber : pool_.fibers()) {
    if (!fiber.parked) waiting.push_back(&fiber);
  }
  launch_->fail(describe_deadlock(waiting));
}

void Worker::reset() {
  pool_.abandon_all();
  ready_ = at_grid_ = {};
  free_block_count_ = 0;
  for (const auto& block : blocks_) {
    block->clear();
    free_blocks_[free_block_count_++] = block.get();
  }
}

bool Worker::in_shared_guard(const void* address) const {
  for (const auto& block : blocks_) {
    if (block->shared.in_guard(address)) return true;
  }
  return false;
}

}  // namespace kevolve::simt
