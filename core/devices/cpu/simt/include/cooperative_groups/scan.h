#pragma once
// Prefix sums over tiles and coalesced groups.

#include "reduce.h"

namespace cooperative_groups {

template <class Group, class T, class Operation>
__forceinline__ T inclusive_scan(const Group& group, T value, Operation operation) {
  for (unsigned delta = 1; delta < group.size(); delta *= 2) {
    const T before = group.shfl_up(value, delta);
    if (group.thread_rank() >= delta) value = operation(before, value);
  }
  return value;
}
template <class Group, class T>
__forceinline__ T inclusive_scan(const Group& group, T value) {
  return inclusive_scan(group, value, plus<T>{});
}
template <class Group, class T, class Operation>
__forceinline__ T exclusive_scan(const Group& group, T value, Operation operation) {
  const T before = group.shfl_up(inclusive_scan(group, value, operation), 1);
  return group.thread_rank() == 0 ? T{} : before;
}
template <class Group, class T>
__forceinline__ T exclusive_scan(const Group& group, T value) {
  return exclusive_scan(group, value, plus<T>{});
}

}  // namespace cooperative_groups
