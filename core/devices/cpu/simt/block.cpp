#include "core/devices/cpu/simt/block.hpp"

namespace kevolve::simt {

void Block::clear() {
  queue = {};
  at_barrier = converging = {};
  arrived = predicate_count = at_grid_barrier = 0;
  for (Warp& warp : warps) {
    warp.bound = warp.group_count = 0;
  }
}

}  // namespace kevolve::simt
