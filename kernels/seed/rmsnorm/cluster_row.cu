/*kevolve
{
  "idea": "Spread each row over a cluster of CLUSTER blocks. Every block keeps its piece in shared memory, the blocks exchange one number each through distributed shared memory, and all finish their own piece from there: one read and one write of device memory, with several blocks per SM so that some load while others store.",
  "tunables": { "CLUSTER": [4, 2, 8], "BLOCK": [512, 256, 1024] },
  "constraints": ["L % (4 * CLUSTER * BLOCK) == 0", "4 * L / CLUSTER <= 224 * 1024"],
  "launches": [
    { "kernel": "rmsnorm_piece", "grid": ["CLUSTER", "ROWS"], "block": ["BLOCK"], "cluster": ["CLUSTER"], "shared_bytes": "4 * L / CLUSTER",
      "args": ["x", "weight", "y"] }
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

constexpr int kRun = 64;  // fp32 additions in a row before a sum is folded into a double
constexpr int kPiece = L / CLUSTER;

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

__global__ void __launch_bounds__(BLOCK)
    rmsnorm_piece(const float* __restrict__ x, const float* __restrict__ weight, float* __restrict__ y) {
  extern __shared__ float4 piece[];
  __shared__ double mine;
  cooperative_groups::cluster_group cluster = cooperative_groups::this_cluster();
  const int begin = cluster.block_rank() * kPiece;
  const long long offset = (long long)blockIdx.y * L + begin;
  const float4* in = reinterpret_cast<const float4*>(x + offset);
  const float4* factors = reinterpret_cast<const float4*>(weight + begin);
  float4* out = reinterpret_cast<float4*>(y + offset);
  double total = 0.0;
  for (int run = 0; run < kPiece / 4; run += kRun * BLOCK) {
    float sum = 0.0f;
    const int end = min(run + kRun * BLOCK, kPiece / 4);
#pragma unroll 8
    for (int i = run + threadIdx.x; i < end; i += BLOCK) {
      const float4 v = __ldcs(in + i);
      piece[i] = v;
      sum += (v.x * v.x + v.y * v.y) + (v.z * v.z + v.w * v.w);
    }
    total += sum;
  }
  total = block_sum(total);
  if (threadIdx.x == 0) mine = total;
  cluster.sync();
  total = 0.0;
  for (int rank = 0; rank < CLUSTER; ++rank) total += *cluster.map_shared_rank(&mine, rank);
  cluster.sync();  // no block leaves while another still reads its number
  const float scale = rsqrtf((float)(total / L) + (float)EPS);
#pragma unroll 8
  for (int i = threadIdx.x; i < kPiece / 4; i += BLOCK) {
    const float4 v = piece[i], w = factors[i];
    __stcs(out + i, make_float4(v.x * scale * w.x, v.y * scale * w.y, v.z * scale * w.z, v.w * scale * w.w));
  }
}
