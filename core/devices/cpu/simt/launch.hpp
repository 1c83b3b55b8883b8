#pragma once
// Launch: what all OS threads share while one kernel runs. Made by Executor::launch(); the counters and
// fail() are thread-safe, everything else is constant during the launch.

#include <atomic>
#include <cstdint>
#include <mutex>
#include <vector>

#include "core/devices/cpu/simt/executor.hpp"

namespace kevolve::simt {

class Launch {
 public:
  Launch(const Entry& entry, const LaunchConfig& config, void* const* arguments, int workers);

  const Entry& entry;
  const LaunchConfig& config;
  void* const* arguments;
  const int workers;  ///< OS threads that take part
  std::int64_t blocks;
  std::uint32_t block_threads;
  std::uint64_t poison;
  std::vector<ThreadIndex> order;       ///< threads of a block in the order in which they begin
  std::vector<std::uint32_t> position;  ///< rank → place in `order`

  std::atomic<std::int64_t> next_block{0};  ///< place in the order of blocks
  std::atomic<bool> stop{false};            ///< a block has failed; the others end as soon as they can
  std::atomic<std::int64_t> finished_blocks{0};
  std::atomic<std::int64_t> blocks_at_grid_barrier{0};
  std::atomic<std::uint64_t> grid_generation{0};

  /// The coordinates of the block at `place` of the order.
  [[nodiscard]] std::array<std::uint32_t, 3> block_at(std::int64_t place) const;
  /// The first failure is kept.
  void fail(LaunchStatus status);
  LaunchStatus take_status() { return std::move(status_); }

 private:
  void order_threads();

  std::int64_t stride_ = 1, offset_ = 0;  ///< of the shuffled order of blocks
  std::mutex mutex_;
  LaunchStatus status_;
};

}  // namespace kevolve::simt
