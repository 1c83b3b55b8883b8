// Kernels of warp_test.cpp. Each thread writes results at y[thread] + column * 64.
#include <cooperative_groups.h>
#include <cooperative_groups/reduce.h>
#include <cooperative_groups/scan.h>
namespace cg = cooperative_groups;
#define FULL 0xffffffffu

__global__ void shuffles(int* y) {
  const int t = threadIdx.x, lane = t % 32;
  y[t] = __shfl_sync(FULL, 100 + t, 5);
  y[t + 64] = __shfl_up_sync(FULL, t, 3);
  y[t + 128] = __shfl_down_sync(FULL, t, 30);
  y[t + 192] = __shfl_xor_sync(FULL, t, 9);
  y[t + 256] = __shfl_sync(FULL, t, 2, 8);
  y[t + 320] = __shfl_down_sync(FULL, t, 3, 8);
  y[t + 384] = __shfl_up_sync(FULL, t, 3, 16);
  y[t + 448] = __shfl_sync(FULL, t, lane + 1);
}

__global__ void wide_types(long long* a, double* b, unsigned long long* c, float* d) {
  const int t = threadIdx.x;
  a[t] = __shfl_xor_sync(FULL, -(1ll << 40) - t, 1);
  b[t] = __shfl_down_sync(FULL, t + 0.5, 1);
  c[t] = __shfl_sync(FULL, 0xffffffff00000000ull + t, 31);
  d[t] = __shfl_up_sync(FULL, t * 0.25f, 1);
}

__global__ void votes(int* y) {
  const int t = threadIdx.x, lane = t % 32;
  y[t] = __ballot_sync(FULL, lane % 4 == 0);
  y[t + 64] = __any_sync(FULL, t == 40);
  y[t + 128] = __all_sync(FULL, t < 32);
  y[t + 192] = __match_any_sync(FULL, lane / 8);
  int pred = -1;
  y[t + 256] = __match_all_sync(FULL, t / 32, &pred);
  y[t + 320] = pred;
  y[t + 384] = __match_all_sync(FULL, 1.5f + (t == 3), &pred);
  y[t + 448] = pred;
}

__global__ void reductions(int* y, unsigned* u) {
  const int t = threadIdx.x, lane = t % 32;
  y[t] = __reduce_add_sync(FULL, lane - 16);
  y[t + 64] = __reduce_min_sync(FULL, 5 - lane);
  y[t + 128] = __reduce_max_sync(FULL, 5 - lane);
  u[t] = __reduce_add_sync(FULL, (unsigned)lane);
  u[t + 64] = __reduce_min_sync(FULL, (unsigned)-1 - lane);
  u[t + 128] = __reduce_max_sync(FULL, (unsigned)-1 - lane);
  u[t + 192] = __reduce_and_sync(FULL, 0xf0u | lane);
  u[t + 256] = __reduce_or_sync(FULL, 1u << lane);
  u[t + 320] = __reduce_xor_sync(FULL, (unsigned)lane);
}

// Four groups of a warp at once, each in its own loop with its own number of rounds.
__global__ void disjoint_groups(int* y) {
  const int t = threadIdx.x, lane = t % 32, group = lane / 8;
  const unsigned mask = 0xffu << (8 * group);
  int v = lane;
  for (int round = 0; round <= group; ++round) {
    v = 0;
    for (int o = 4; o > 0; o >>= 1) v += __shfl_xor_sync(mask, lane, o);
    __syncwarp(mask);
  }
  y[t] = v + (int)__popc(__ballot_sync(mask, lane % 2));
}

__global__ void absent_lanes(unsigned* y) {
  const int lane = threadIdx.x;
  if (lane >= 20) return;
  y[lane] = __shfl_sync(FULL, 7u, lane + 10);       // lanes 20 … have exited
  if (lane < 8) y[lane + 32] = __shfl_sync(0xffu, 7u, lane + 4);   // lanes 8 … are not named
  y[lane + 64] = __ballot_sync(FULL, 1);
}

__global__ void wrong_mask(int* y) { y[threadIdx.x] = __shfl_sync(0xfffffffeu, 1, 1); }

__global__ void converged(unsigned* y) {
  const int t = threadIdx.x;
  y[t] = __activemask();
  if (t % 2 == 0) {
    auto group = cg::coalesced_threads();
    y[t + 64] = group.size() * 100 + group.thread_rank();
    if (group.thread_rank() == 0) atomicAdd(&y[192], group.size());
  } else {
    y[t + 64] = __activemask();
  }
}

__global__ void exchange_without_syncwarp(int* y) {
  __shared__ int s[32];
  s[threadIdx.x] = threadIdx.x;
  y[threadIdx.x] = s[31 - threadIdx.x];
}

__global__ void exchange_with_syncwarp(int* y) {
  __shared__ int s[32];
  s[threadIdx.x] = threadIdx.x;
  __syncwarp();
  y[threadIdx.x] = s[31 - threadIdx.x];
}

__global__ void tiles(int* y, double* d) {
  auto block = cg::this_thread_block();
  auto warp = cg::tiled_partition<32>(block);
  auto tile = cg::tiled_partition<8>(warp);
  const int t = block.thread_rank();
  y[t] = cg::reduce(tile, t, cg::plus<int>());
  y[t + 64] = cg::reduce(warp, t % 7, cg::greater<int>());
  y[t + 128] = tile.shfl(t, 3) * 1000 + tile.meta_group_rank() * 10 + tile.thread_rank();
  y[t + 192] = cg::inclusive_scan(tile, 1);
  y[t + 256] = cg::exclusive_scan(warp, t);
  y[t + 320] = tile.ballot(t % 2) | tile.any(t == 9) << 16 | tile.all(t < 32) << 20;
  auto odd = cg::binary_partition(warp, t % 3 == 0);
  y[t + 384] = cg::reduce(odd, 1, cg::plus<int>()) * 100 + odd.thread_rank();
  block.sync();
  struct Big { double a, b, c; };
  const Big big = warp.shfl_down(Big{1.0 * t, 2.0 * t, 3.0 * t}, 1);
  d[t] = big.a + 10 * big.b + 100 * big.c;
}

KEVOLVE_SIMT_ENTRY(shuffles, shuffles)
KEVOLVE_SIMT_ENTRY(wide_types, wide_types)
KEVOLVE_SIMT_ENTRY(votes, votes)
KEVOLVE_SIMT_ENTRY(reductions, reductions)
KEVOLVE_SIMT_ENTRY(disjoint_groups, disjoint_groups)
KEVOLVE_SIMT_ENTRY(absent_lanes, absent_lanes)
KEVOLVE_SIMT_ENTRY(wrong_mask, wrong_mask)
KEVOLVE_SIMT_ENTRY(converged, converged)
KEVOLVE_SIMT_ENTRY(exchange_race, exchange_without_syncwarp)
KEVOLVE_SIMT_ENTRY(exchange, exchange_with_syncwarp)
KEVOLVE_SIMT_ENTRY(tiles, tiles)
