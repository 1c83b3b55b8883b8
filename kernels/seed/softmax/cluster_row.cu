/*kevolve
{
  "idea": "Spread each row over a cluster of CLUSTER blocks. Every block keeps its piece in shared memory, the blocks exchange one maximum and one sum each through distributed shared memory, and all finish their own piece from there with one exponential per element: one read and one write of device memory, with several blocks per SM so that some load while others store.",
  "tunables": { "CLUSTER": [4, 2, 8], "BLOCK": [512, 256, 1024] },
  "constraints": ["L % (4 * CLUSTER * BLOCK) == 0", "4 * L / CLUSTER <= 224 * 1024"],
  "launches": [
    { "kernel": "softmax_piece", "grid": ["CLUSTER", "ROWS"], "block": ["BLOCK"], "cluster": ["CLUSTER"], "shared_bytes": "4 * L / CLUSTER",
      "args": ["x", "y"] }
  ],
  "playbook": {
    "regimes": ["memory_bound"],
    "evidence": "Device-memory bytes above one read and one write, or one block per SM that loads, waits and stores in turn.",
    "requires": ["clusters"],
    "combines": ["row_on_chip", "split_rows"]
  }
}
*/
#include <cooperative_groups.h>

#define NOTHING __int_as_float(0xff800000)  // -Inf, the maximum of no elements
constexpr int kRun = 64;                    // fp32 additions in a row before a sum is folded into a double
constexpr int kVectors = L / CLUSTER / 4;   // 128-bit vectors of a piece

// The largest value of the block, in every thread.
__device__ float block_max(float value) {
#if BLOCK >= 32
  for (int offset = 16; offset > 0; offset /= 2) {
    const float other = __shfl_xor_sync(0xffffffffu, value, offset);
    value = other > value ? other : value;
  }
#endif
#if BLOCK != 1 && BLOCK != 32
  constexpr int kParts = BLOCK > 32 ? BLOCK / 32 : BLOCK;
  __shared__ float parts[kParts];
  if (BLOCK < 32 || threadIdx.x % 32 == 0) parts[threadIdx.x * kParts / BLOCK] = value;
  __syncthreads();
  for (int i = 0; i < kParts; ++i) value = parts[i] > value ? parts[i] : value;
#endif
  return value;
}

// The sum over the block in a fixed order, in every thread.
__device__ double block_sum(double value) {
#if BLOCK >= 32
  for (int offset = 16; offset > 0; offset /= 2) value += __shfl_xor_sync(0xffffffffu, value, offset);
#endif
#if BLOCK != 1 && BLOCK != 32
  constexpr int kParts = BLOCK > 32 ? BLOCK / 32 : BLOCK;
  __shared__ double parts[kParts];
  if (BLOCK < 32 || threadIdx.x % 32 == 0) parts[threadIdx.x * kParts / BLOCK] = value;
  __syncthreads();
  value = 0.0;
  for (int i = 0; i < kParts; ++i) value += parts[i];
#endif
  return value;
}

// A part of a row: its largest element and the sum of exp(element - largest).
struct Part {
  float largest;
  double sum;
};

// `count` parts as one: the largest element first, so that each sum is rescaled once and errors do not pile
// up. A part of nothing but -Inf adds nothing and must not make a NaN of Inf - Inf.
__device__ Part merged(const Part* parts, int count) {
  Part all{NOTHING, 0.0};
  for (int k = 0; k < count; ++k)
    all.largest = parts[k].largest > all.largest ? parts[k].largest : all.largest;
  for (int k = 0; k < count; ++k) {
    all.sum += all.largest == NOTHING ? parts[k].sum : parts[k].sum * expf(parts[k].largest - all.largest);
  }
  return all;
}

__device__ float largest_of(float4 v) {
  const float a = v.x > v.y ? v.x : v.y, b = v.z > v.w ? v.z : v.w;
  return a > b ? a : b;
}

__device__ float4 exponentials(float4 v, float largest) {
  return make_float4(expf(v.x - largest), expf(v.y - largest), expf(v.z - largest), expf(v.w - largest));
}

__device__ float4 times(float4 v, float scale) {
  return make_float4(v.x * scale, v.y * scale, v.z * scale, v.w * scale);
}

__global__ void __launch_bounds__(BLOCK) softmax_piece(const float* __restrict__ x, float* __restrict__ y) {
  extern __shared__ float4 piece[];
  __shared__ Part mine;
  cooperative_groups::cluster_group cluster = cooperative_groups::this_cluster();
  const int first = cluster.block_rank() * kVectors;
  const float4* in = reinterpret_cast<const float4*>(x + (long long)blockIdx.y * L) + first;
  float4* out = reinterpret_cast<float4*>(y + (long long)blockIdx.y * L) + first;
  float most = NOTHING;
#pragma unroll 8
  for (int i = threadIdx.x; i < kVectors; i += BLOCK) {
    const float4 v = __ldcs(in + i);
    piece[i] = v;
    const float of_vector = largest_of(v);
    most = of_vector > most ? of_vector : most;
  }
  most = block_max(most);
  const float centre = most == NOTHING ? 0.0f : most;
  double total = 0.0;
  for (int begin = 0; begin < kVectors; begin += kRun * BLOCK) {
    const int end = min(begin + kRun * BLOCK, kVectors);
    float sum = 0.0f;
    for (int i = begin + threadIdx.x; i < end; i += BLOCK) {
      const float4 e = exponentials(piece[i], centre);
      piece[i] = e;
      sum += (e.x + e.y) + (e.z + e.w);
    }
    total += sum;
  }
  total = block_sum(total);
  if (threadIdx.x == 0) mine = Part{most, total};
  cluster.sync();
  Part parts[CLUSTER];
  for (int rank = 0; rank < CLUSTER; ++rank) parts[rank] = *cluster.map_shared_rank(&mine, rank);
  const Part row = merged(parts, CLUSTER);
  cluster.sync();  // no block leaves while another still reads its part
  const float scale = (float)(expf(centre - row.largest) / row.sum);
#pragma unroll 8
  for (int i = threadIdx.x; i < kVectors; i += BLOCK) __stcs(out + i, times(piece[i], scale));
}
