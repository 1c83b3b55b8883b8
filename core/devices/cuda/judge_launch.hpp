#pragma once
// Geometry of the judge's launches: how many blocks, and which room their findings need. Pure functions; they
// depend on sizes alone, so that sums are taken in the same order on every GPU.

#include <algorithm>
#include <cstdint>

#include "core/devices/cuda/kernels/judge_types.hpp"

namespace kevolve::cuda {

/// More than any GPU runs at once (132 multiprocessors of 2048 threads are 1056 blocks), and few enough to
/// bring the findings of each to the host.
inline constexpr std::uint64_t kMostBlocks = 2048;
inline constexpr std::uint64_t kMostSearchBlocks = 512;

constexpr std::uint32_t blocks_of(std::uint64_t work, std::uint64_t per_block, std::uint64_t most) {
  return static_cast<std::uint32_t>(std::clamp<std::uint64_t>((work + per_block - 1) / per_block, 1, most));
}

/// One element a thread.
constexpr std::uint32_t blocks_for_each(std::uint64_t count) {
  return blocks_of(count, kJudgeThreads, 0x7FFFFFFF);
}
constexpr std::uint32_t fill_blocks(std::uint64_t count) {
  return blocks_of(count, kFillChunk, 0x7FFFFFFF);
}
/// At least 16 elements a thread, before there are more blocks.
constexpr std::uint32_t stride_blocks(std::uint64_t count) {
  return blocks_of(count, 16 * kJudgeThreads, kMostBlocks);
}
/// A warp a tile.
constexpr std::uint32_t measure_blocks(const gates::Tiles& tiles) {
  return blocks_of(tiles.number, kJudgeWarps, kMostBlocks);
}
constexpr std::uint32_t search_blocks(const gates::Tiles& tiles) {
  return blocks_of(tiles.number, kJudgeWarps, kMostSearchBlocks);
}

}  // namespace kevolve::cuda
