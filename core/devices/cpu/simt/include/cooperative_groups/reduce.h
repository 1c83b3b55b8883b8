#pragma once
// reduce() over tiles and coalesced groups: every thread gets the result.

#include "../cooperative_groups.h"

namespace cooperative_groups {

#define KEVOLVE_SIMT_FUNCTOR(name, expression)                          \
  template <class T = void>                                             \
  struct name {                                                         \
    __forceinline__ T operator()(T a, T b) const { return expression; } \
  };
KEVOLVE_SIMT_FUNCTOR(plus, a + b)
KEVOLVE_SIMT_FUNCTOR(less, b < a ? b : a)
KEVOLVE_SIMT_FUNCTOR(greater, a < b ? b : a)
KEVOLVE_SIMT_FUNCTOR(bit_and, a& b)
KEVOLVE_SIMT_FUNCTOR(bit_or, a | b)
KEVOLVE_SIMT_FUNCTOR(bit_xor, a ^ b)
#undef KEVOLVE_SIMT_FUNCTOR

template <unsigned Size, class Parent, class T, class Operation>
__forceinline__ T reduce(const thread_block_tile<Size, Parent>& tile, T value, Operation operation) {
  for (unsigned lanes = Size / 2; lanes > 0; lanes /= 2)
    value = operation(value, tile.shfl_xor(value, static_cast<int>(lanes)));
  return value;
}
template <class T, class Operation>
__forceinline__ T reduce(const coalesced_group& group, T value, Operation operation) {
  T result = group.shfl(value, 0);
  for (unsigned rank = 1; rank < group.size(); ++rank)
    result = operation(result, group.shfl(value, static_cast<int>(rank)));
  return result;
}

}  // namespace cooperative_groups
