/*kevolve
{
  "idea": "Persistent clusters of CLUSTER blocks stream rows: every block keeps its part of a row in a shared-memory ring filled by thread-private cp.async, whose spare tiles always hold copies of the next row in flight; maximum and sum are taken online, every warp sends its pair to all blocks of the cluster, and one cluster barrier a row lets each warp merge them and write the final exponentials.",
  "tunables": { "BLOCK": [512, 256], "CLUSTER": [2, 4] },
  "constraints": ["L % (16 * CLUSTER * BLOCK) == 0", "L / (16 * CLUSTER * BLOCK) < 3584 / BLOCK"],
  "launches": [
    { "kernel": "softmax_clusters", "grid": ["num_sms / CLUSTER * CLUSTER"], "block": ["BLOCK"], "cluster": ["CLUSTER"],
      "shared_bytes": "64 * BLOCK * (3584 / BLOCK)", "args": ["x", "y"] }
  ],
  "playbook": {
    "regimes": ["memory_bound", "latency_bound"],
    "evidence": "Memory idles at the end of each row, while maximum and sum are agreed on.",
    "requires": ["clusters", "inline_ptx"]
  }
}
*/
#include <cooperative_groups.h>

constexpr int kPiece = L / 4 / CLUSTER;         // 128-bit vectors of a block's part of a row
constexpr int kTiles = kPiece / (4 * BLOCK);  // tiles of 4 vectors a thread in a piece
constexpr int kSlots = 3584 / BLOCK;      // tiles in the ring
constexpr int kWarps = BLOCK / 32;
constexpr int kParts = CLUSTER * kWarps;  // warps that share a row
#define LOWEST (-3.0e38f)                 // the maximum of no elements: finite, so that differences are no NaN

__device__ __forceinline__ void wait_pending(int pending) {
  switch (pending) {
    case 1: asm volatile("cp.async.wait_group 1;" ::: "memory"); break;
    case 2: asm volatile("cp.async.wait_group 2;" ::: "memory"); break;
    case 3: asm volatile("cp.async.wait_group 3;" ::: "memory"); break;
    case 4: asm volatile("cp.async.wait_group 4;" ::: "memory"); break;
    case 5: asm volatile("cp.async.wait_group 5;" ::: "memory"); break;
    case 6: asm volatile("cp.async.wait_group 6;" ::: "memory"); break;
    case 7: asm volatile("cp.async.wait_group 7;" ::: "memory"); break;
    case 8: asm volatile("cp.async.wait_group 8;" ::: "memory"); break;
    case 9: asm volatile("cp.async.wait_group 9;" ::: "memory"); break;
    case 10: asm volatile("cp.async.wait_group 10;" ::: "memory"); break;
    case 11: asm volatile("cp.async.wait_group 11;" ::: "memory"); break;
    case 12: asm volatile("cp.async.wait_group 12;" ::: "memory"); break;
    case 13: asm volatile("cp.async.wait_group 13;" ::: "memory"); break;
    default: asm volatile("cp.async.wait_group 0;" ::: "memory"); break;
  }
}

// Starts the copies of this thread's part of a tile and commits them as one group (an empty one behind the last row).
__device__ __forceinline__ void fetch_tile(unsigned ring, const float4* x4, int row, int tile, int slot,
                                           unsigned long long policy) {
  if (row < ROWS) {
    const float4* from = x4 + (long long)row * (L / 4) + tile * 4 * BLOCK;
    const unsigned to = ring + (unsigned)slot * (64u * BLOCK);
#pragma unroll
    for (int k = 0; k < 4; ++k) {
      asm volatile("cp.async.cg.shared.global.L2::cache_hint [%0], [%1], 16, %2;" ::"r"(to + k * (16u * BLOCK)),
                   "l"(from + k * BLOCK), "l"(policy)
                   : "memory");
    }
  }
  asm volatile("cp.async.commit_group;" ::: "memory");
}

__device__ __forceinline__ float largest_of(float4 v) { return fmaxf(fmaxf(v.x, v.y), fmaxf(v.z, v.w)); }

// Adds 16 elements to a running maximum and sum. A NaN does not show in the maximum but makes the sum NaN.
__device__ __forceinline__ void consume(float4 v0, float4 v1, float4 v2, float4 v3, float& most, float& sum) {
  const float tile = fmaxf(fmaxf(largest_of(v0), largest_of(v1)), fmaxf(largest_of(v2), largest_of(v3)));
  const float now = fmaxf(most, tile);
  const float a = (expf(v0.x - now) + expf(v0.y - now)) + (expf(v0.z - now) + expf(v0.w - now));
  const float b = (expf(v1.x - now) + expf(v1.y - now)) + (expf(v1.z - now) + expf(v1.w - now));
  const float c = (expf(v2.x - now) + expf(v2.y - now)) + (expf(v2.z - now) + expf(v2.w - now));
  const float d = (expf(v3.x - now) + expf(v3.y - now)) + (expf(v3.z - now) + expf(v3.w - now));
  sum = sum * expf(most - now) + ((a + b) + (c + d));
  most = now;
}

__device__ __forceinline__ float warp_max(float value) {
#pragma unroll
  for (int offset = 16; offset > 0; offset /= 2) value = fmaxf(value, __shfl_xor_sync(0xffffffffu, value, offset));
  return value;
}

__device__ __forceinline__ double warp_sum(double value) {
#pragma unroll
  for (int offset = 16; offset > 0; offset /= 2) value += __shfl_xor_sync(0xffffffffu, value, offset);
  return value;
}

__device__ __forceinline__ float4 finished(float4 v, float most, float scale) {
  return make_float4(expf(v.x - most) * scale, expf(v.y - most) * scale, expf(v.z - most) * scale,
                     expf(v.w - most) * scale);
}

__global__ void __launch_bounds__(BLOCK, 1) softmax_clusters(const float* __restrict__ x, float* __restrict__ y) {
  extern __shared__ float4 ring[];
  __shared__ float part_most[2 * kParts];
  __shared__ double part_sum[2 * kParts];
  cooperative_groups::cluster_group cluster = cooperative_groups::this_cluster();
  const int thread = threadIdx.x, lane = thread % 32, warp = thread / 32;
  const int rank = (int)cluster.block_rank();
  const int first_row = (int)blockIdx.x / CLUSTER, stride = (int)gridDim.x / CLUSTER;
  const float4* x4 = reinterpret_cast<const float4*>(x) + rank * kPiece + thread;
  float4* y4 = reinterpret_cast<float4*>(y) + rank * kPiece + thread;
  float4* own = ring + thread;
  const unsigned own_address = (unsigned)__cvta_generic_to_shared(own);
  unsigned long long policy;
  asm volatile("createpolicy.fractional.L2::evict_first.b64 %0, 1.0;" : "=l"(policy));

#pragma unroll
  for (int s = 0; s < kSlots; ++s) {
    fetch_tile(own_address, x4, first_row + (s / kTiles) * stride, s % kTiles, s, policy);
  }
  // Lane r of each warp sends to block r.
  float* to_most = cluster.map_shared_rank(&part_most[0], lane % CLUSTER) + rank * kWarps + warp;
  double* to_sum = cluster.map_shared_rank(&part_sum[0], lane % CLUSTER) + rank * kWarps + warp;
  cluster.sync();  // all blocks have begun: their shared memory may be written

  int slot = 0, parity = 0;
#pragma unroll 1
  for (int row = first_row; row < ROWS; row += stride) {
    float most = LOWEST, sum = 0.0f;
    int s = slot;
#pragma unroll
    for (int i = 0; i < kTiles; ++i) {
      wait_pending(kSlots - 1 - i);
      consume(own[(s * 4) * BLOCK], own[(s * 4 + 1) * BLOCK], own[(s * 4 + 2) * BLOCK], own[(s * 4 + 3) * BLOCK], most,
              sum);
      if (++s == kSlots) s = 0;
    }

    float peak = warp_max(most);
    double total = warp_sum((double)(sum * expf(most - peak)));
    if (lane < CLUSTER) {
      to_most[parity * kParts] = peak;
      to_sum[parity * kParts] = total;
    }
    cluster.sync();  // the other buffer is for the next row, so this barrier is the only one
    most = LOWEST;
#pragma unroll
    for (int k = 0; k < kParts; k += 32) {
      if (k + lane < kParts) most = fmaxf(most, part_most[parity * kParts + k + lane]);
    }
    peak = warp_max(most);
    total = 0.0;
#pragma unroll
    for (int k = 0; k < kParts; k += 32) {
      if (k + lane < kParts) {
        const int part = parity * kParts + k + lane;
        total += part_sum[part] * (double)expf(part_most[part] - peak);
      }
    }
    total = warp_sum(total);
    const float scale = (float)(1.0 / total);
    parity ^= 1;

    float4* out = y4 + (long long)row * (L / 4);
#pragma unroll
    for (int i = 0; i < kTiles; ++i) {
#pragma unroll
      for (int k = 0; k < 4; ++k) {
        __stcs(out + (4 * i + k) * BLOCK, finished(own[(slot * 4 + k) * BLOCK], peak, scale));
      }
      fetch_tile(own_address, x4, row + (i + kSlots) / kTiles * stride, (i + kSlots) % kTiles, slot, policy);
      if (++slot == kSlots) slot = 0;
    }
  }
  asm volatile("cp.async.wait_group 0;" ::: "memory");
}
