#include "core/devices/cpu/simt/launch.hpp"

#include <algorithm>
#include <numeric>
#include <random>

namespace kevolve::simt {
namespace {

__extension__ using Wide = unsigned __int128;

// 16 bits that are a NaN as half and as bfloat16, and four of them as float and double.
std::uint64_t poison_for(Order order, std::uint64_t seed) {
  std::uint64_t pattern = 0x7fff;
  if (order == Order::reverse) pattern = 0xfff5;
  if (order == Order::shuffled) pattern = 0x7fc1 + seed % 60 + (seed % 2 << 15);
  return pattern * 0x0001000100010001ULL;
}

}  // namespace

Launch::Launch(const Entry& kernel, const LaunchConfig& launch_config, void* const* values, int worker_count)
    : entry(kernel),
      config(launch_config),
      arguments(values),
      workers(worker_count),
      blocks(config.grid[0] * config.grid[1] * config.grid[2]),
      block_threads(static_cast<std::uint32_t>(config.block[0] * config.block[1] * config.block[2])),
      poison(poison_for(config.order, config.order_seed)) {
  order_threads();
  if (config.order != Order::shuffled) return;
  // An affine permutation: any stride without a common factor with the number of blocks.
  std::mt19937_64 random(config.order_seed ^ 0x5eedULL);
  do stride_ = 1 + static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(blocks));
  while (std::gcd(stride_, blocks) != 1);
  offset_ = static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(blocks));
}

void Launch::order_threads() {
  order.reserve(block_threads);
  std::uint32_t rank = 0;
  for (std::uint32_t z = 0; z < config.block[2]; ++z)
    for (std::uint32_t y = 0; y < config.block[1]; ++y)
      for (std::uint32_t x = 0; x < config.block[0]; ++x) order.push_back({x, y, z, rank++});
  if (config.order == Order::reverse) std::reverse(order.begin(), order.end());
  if (config.order == Order::shuffled) {
    std::mt19937_64 random(config.order_seed);
    std::shuffle(order.begin(), order.end(), random);
  }
  position.resize(block_threads);
  for (std::uint32_t i = 0; i < block_threads; ++i) position[order[i].rank] = i;
}

std::array<std::uint32_t, 3> Launch::block_at(std::int64_t place) const {
  if (config.order == Order::reverse) place = blocks - 1 - place;
  if (config.order == Order::shuffled) {
    const Wide scaled = static_cast<Wide>(place) * static_cast<Wide>(stride_) + static_cast<Wide>(offset_);
    place = static_cast<std::int64_t>(scaled % static_cast<Wide>(blocks));
  }
  const std::int64_t x = config.grid[0], y = config.grid[1];
  return {static_cast<std::uint32_t>(place % x), static_cast<std::uint32_t>(place / x % y),
          static_cast<std::uint32_t>(place / x / y)};
}

void Launch::fail(LaunchStatus status) {
  const std::lock_guard lock(mutex_);
  if (status_.ok()) status_ = std::move(status);
  stop.store(true);
}

}  // namespace kevolve::simt
