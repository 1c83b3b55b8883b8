/*kevolve
{
  "idea": "Walk the keys in tiles that lie in shared memory, widened to fp32, and never store the scores: keep each query's largest score so far, the sum of its weights and the weighted sum of values, and rescale both sums when a tile brings a larger score (online softmax). A block answers BM queries, so each key and value is fetched once for all of them; LANES threads share a query.",
  "tunables": { "BM": [32, 16, 64], "BN": [32, 16, 64], "LANES": [8, 4, 16] },
  "constraints": ["LENGTH % BM == 0", "LENGTH % BN == 0", "BN % LANES == 0", "HEAD_DIM % LANES == 0", "HEAD_DIM / LANES <= 128",
                  "BM * LANES <= 1024", "4 * ((BM + 2 * BN) * (HEAD_DIM + 1) + BM * (BN + 1)) <= 227 * 1024"],
  "launches": [
    { "kernel": "online_tiles", "grid": ["LENGTH / BM", "BATCH * HEADS"], "block": ["BM * LANES"],
      "shared_bytes": "4 * ((BM + 2 * BN) * (HEAD_DIM + 1) + BM * (BN + 1))", "args": ["q", "k", "v", "out"] }
  ],
  "playbook": {
    "regimes": ["memory_bound", "compute_bound"],
    "evidence": "L2 or DRAM bytes far above those of q, k, v and out: each query fetches all keys and values again; scores that go through memory."
  }
}
*/
#include <cuda_fp16.h>
#include <math_constants.h>

constexpr int kThreads = BM * LANES;
constexpr int kRow = HEAD_DIM + 1, kWeights = BN + 1;  // floats from one row to the next: no two rows in one bank
constexpr int kKeys = BN / LANES, kColumns = HEAD_DIM / LANES;  // of one thread

__device__ __forceinline__ void fetch(float* tile, const __half* from, int rows) {
  for (int i = threadIdx.x; i < rows * HEAD_DIM; i += kThreads)
    tile[i / HEAD_DIM * kRow + i % HEAD_DIM] = __half2float(from[i]);
}

__global__ void __launch_bounds__(kThreads)
    online_tiles(const __half* __restrict__ q, const __half* __restrict__ k, const __half* __restrict__ v,
                 __half* __restrict__ out) {
  extern __shared__ float dynamic[];
  float* queries = dynamic;
  float* keys = queries + BM * kRow;
  float* values = keys + BN * kRow;
  float* weights = values + BN * kRow;
  const int lane = threadIdx.x % LANES, own = threadIdx.x / LANES;
  const int first = (CAUSAL ? gridDim.x - 1 - blockIdx.x : blockIdx.x) * BM, row = first + own;  // longest rows first
  const long long head = (long long)blockIdx.y * LENGTH * HEAD_DIM;
  const float scale = 1.0f / sqrtf(HEAD_DIM);

  fetch(queries, q + head + first * HEAD_DIM, BM);
  float largest = -CUDART_INF_F, total = 0.0f;  // `total` of this thread's keys only
  float sum[kColumns];
#pragma unroll
  for (int i = 0; i < kColumns; ++i) sum[i] = 0.0f;
  const int end = CAUSAL ? first + BM : LENGTH;
  for (int tile = 0; tile < end; tile += BN) {
    __syncthreads();  // all are done with the tile before
    fetch(keys, k + head + (long long)tile * HEAD_DIM, BN);
    fetch(values, v + head + (long long)tile * HEAD_DIM, BN);
    __syncthreads();
    float score[kKeys];
#pragma unroll
    for (int i = 0; i < kKeys; ++i) score[i] = 0.0f;
    for (int d = 0; d < HEAD_DIM; ++d) {
      const float query = queries[own * kRow + d];
#pragma unroll
      for (int i = 0; i < kKeys; ++i) score[i] += query * keys[(lane + i * LANES) * kRow + d];
    }
    float most = largest;
#pragma unroll
    for (int i = 0; i < kKeys; ++i) {
      score[i] *= scale;
      if (CAUSAL && tile + lane + i * LANES > row) score[i] = -CUDART_INF_F;
      most = fmaxf(most, score[i]);
    }
#pragma unroll
    for (int apart = LANES / 2; apart > 0; apart /= 2)
      most = fmaxf(most, __shfl_xor_sync(0xffffffffu, most, apart));
    const float centre = most == -CUDART_INF_F ? 0.0f : most;  // of nothing but -Inf all weights are 0
    const float rescale = expf(largest - centre);
    largest = most;
    total *= rescale;
#pragma unroll
    for (int i = 0; i < kKeys; ++i) {
      const float weight = expf(score[i] - centre);
      total += weight;
      weights[own * kWeights + lane + i * LANES] = weight;
    }
    __syncwarp();  // a query's threads are of one warp
#pragma unroll
    for (int i = 0; i < kColumns; ++i) sum[i] *= rescale;
    for (int key = 0; key < BN; ++key) {
      const float weight = weights[own * kWeights + key];
#pragma unroll
      for (int i = 0; i < kColumns; ++i) sum[i] += weight * values[key * kRow + lane + i * LANES];
    }
  }
#pragma unroll
  for (int apart = LANES / 2; apart > 0; apart /= 2) total += __shfl_xor_sync(0xffffffffu, total, apart);
#pragma unroll
  for (int i = 0; i < kColumns; ++i)
    out[head + (long long)row * HEAD_DIM + lane + i * LANES] =
        __float2half(total == 0.0f ? 0.0f : sum[i] / total);
}
