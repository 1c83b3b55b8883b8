#pragma once
// Barriers and warp collectives.

#include "index.hpp"

namespace kevolve::simt {

__forceinline__ int lane_id() {
  return static_cast<int>(threadIdx.rank & 31);
}

template <class T>
concept WarpNumber = std::is_arithmetic_v<T> && sizeof(T) <= 8;
/// Small integers are promoted, as CUDA's overloads do.
template <class T>
using Shuffled = std::conditional_t<(sizeof(T) < 4), int, T>;

template <class T>
__forceinline__ std::uint64_t to_bits(T value) {
  std::uint64_t bits = 0;
  __builtin_memcpy(&bits, &value, sizeof(T));
  return bits;
}
template <class T>
__forceinline__ T from_bits(std::uint64_t bits) {
  T value;
  __builtin_memcpy(&value, &bits, sizeof(T));
  return value;
}

// Source lanes: those beyond the segment of `width` lanes give the own value (-1), as PTX shfl does.
__forceinline__ int source_index(int lane, int width) {
  return (lane_id() & -width) + (lane & (width - 1));
}
__forceinline__ int source_up(unsigned delta, int width) {
  const int source = lane_id() - static_cast<int>(delta);
  return source < (lane_id() & -width) ? -1 : source;
}
__forceinline__ int source_down(unsigned delta, int width) {
  const int source = lane_id() + static_cast<int>(delta);
  return source > (lane_id() | (width - 1)) || delta > 31 ? -1 : source;
}
__forceinline__ int source_xor(int lanes, int width) {
  const int source = lane_id() ^ lanes;
  return source > (lane_id() | (width - 1)) || source < 0 ? -1 : source;
}

template <class T>
__forceinline__ T shuffle(unsigned mask, T value, int source) {
  return from_bits<T>(kevolve_simt_warp(WarpOperation::shuffle, mask, to_bits(value), source));
}

__forceinline__ unsigned collective(WarpOperation operation, unsigned mask, std::uint64_t operand) {
  return static_cast<unsigned>(kevolve_simt_warp(operation, mask, operand, -1));
}

}  // namespace kevolve::simt

__forceinline__ void __syncthreads() {
  kevolve_simt_block_barrier(kevolve::simt::BlockBarrier::sync, 0);
}
__forceinline__ int __syncthreads_count(int predicate) {
  return kevolve_simt_block_barrier(kevolve::simt::BlockBarrier::count, predicate);
}
__forceinline__ int __syncthreads_and(int predicate) {
  return kevolve_simt_block_barrier(kevolve::simt::BlockBarrier::all_of, predicate);
}
__forceinline__ int __syncthreads_or(int predicate) {
  return kevolve_simt_block_barrier(kevolve::simt::BlockBarrier::any_of, predicate);
}
__forceinline__ void __barrier_sync(unsigned) {
  __syncthreads();
}
__forceinline__ void __syncwarp(unsigned mask = 0xffffffffU) {
  kevolve::simt::collective(kevolve::simt::WarpOperation::sync, mask, 0);
}
__forceinline__ unsigned __activemask() {
  return kevolve_simt_active_lanes();
}

template <kevolve::simt::WarpNumber T>
__forceinline__ kevolve::simt::Shuffled<T> __shfl_sync(unsigned mask, T value, int lane, int width = 32) {
  return kevolve::simt::shuffle<kevolve::simt::Shuffled<T>>(mask, value,
                                                            kevolve::simt::source_index(lane, width));
}
template <kevolve::simt::WarpNumber T>
__forceinline__ kevolve::simt::Shuffled<T> __shfl_up_sync(unsigned mask, T value, unsigned delta,
                                                          int width = 32) {
  return kevolve::simt::shuffle<kevolve::simt::Shuffled<T>>(mask, value,
                                                            kevolve::simt::source_up(delta, width));
}
template <kevolve::simt::WarpNumber T>
__forceinline__ kevolve::simt::Shuffled<T> __shfl_down_sync(unsigned mask, T value, unsigned delta,
                                                            int width = 32) {
  return kevolve::simt::shuffle<kevolve::simt::Shuffled<T>>(mask, value,
                                                            kevolve::simt::source_down(delta, width));
}
template <kevolve::simt::WarpNumber T>
__forceinline__ kevolve::simt::Shuffled<T> __shfl_xor_sync(unsigned mask, T value, int lanes,
                                                           int width = 32) {
  return kevolve::simt::shuffle<kevolve::simt::Shuffled<T>>(mask, value,
                                                            kevolve::simt::source_xor(lanes, width));
}

__forceinline__ unsigned __ballot_sync(unsigned mask, int predicate) {
  return kevolve::simt::collective(kevolve::simt::WarpOperation::ballot, mask, predicate != 0);
}
__forceinline__ int __any_sync(unsigned mask, int predicate) {
  return __ballot_sync(mask, predicate) != 0;
}
__forceinline__ int __all_sync(unsigned mask, int predicate) {
  return __ballot_sync(mask, predicate == 0) == 0;
}

template <kevolve::simt::WarpNumber T>
__forceinline__ unsigned __match_any_sync(unsigned mask, T value) {
  return kevolve::simt::collective(kevolve::simt::WarpOperation::match_any, mask,
                                   kevolve::simt::to_bits(value));
}
template <kevolve::simt::WarpNumber T>
__forceinline__ unsigned __match_all_sync(unsigned mask, T value, int* predicate) {
  const unsigned lanes =
      kevolve::simt::collective(kevolve::simt::WarpOperation::match_all, mask, kevolve::simt::to_bits(value));
  *predicate = lanes != 0;
  return lanes;
}

#define KEVOLVE_SIMT_REDUCE(name, type, operation)                                                    \
  __forceinline__ type name(unsigned mask, type value) {                                              \
    return static_cast<type>(kevolve::simt::collective(kevolve::simt::WarpOperation::operation, mask, \
                                                       static_cast<unsigned>(value)));                \
  }
KEVOLVE_SIMT_REDUCE(__reduce_add_sync, int, add_i32)
KEVOLVE_SIMT_REDUCE(__reduce_add_sync, unsigned, add_u32)
KEVOLVE_SIMT_REDUCE(__reduce_min_sync, int, min_i32)
KEVOLVE_SIMT_REDUCE(__reduce_min_sync, unsigned, min_u32)
KEVOLVE_SIMT_REDUCE(__reduce_max_sync, int, max_i32)
KEVOLVE_SIMT_REDUCE(__reduce_max_sync, unsigned, max_u32)
KEVOLVE_SIMT_REDUCE(__reduce_and_sync, unsigned, bit_and)
KEVOLVE_SIMT_REDUCE(__reduce_or_sync, unsigned, bit_or)
KEVOLVE_SIMT_REDUCE(__reduce_xor_sync, unsigned, bit_xor)
#undef KEVOLVE_SIMT_REDUCE
