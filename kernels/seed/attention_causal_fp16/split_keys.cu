/*kevolve
{
  "idea": "Divide each query's keys among SPLITS blocks that work at the same time, so that few queries and heads still fill the machine. Every block leaves its largest score, the sum of its weights and its weighted values in scratch; a second launch puts each query's parts together.",
  "tunables": { "BM": [16, 32], "BN": [32, 64], "LANES": [8, 16], "SPLITS": [2, 3, 4, 8] },
  "constraints": ["LENGTH % BM == 0", "LENGTH % (BN * SPLITS) == 0", "BN % LANES == 0", "HEAD_DIM % LANES == 0",
                  "HEAD_DIM / LANES <= 128", "4 * ((BM + 2 * BN) * (HEAD_DIM + 1) + BM * (BN + 1)) <= 227 * 1024"],
  "scratch": {
    "sums": { "dtype": "f32", "elements": "SPLITS * BATCH * HEADS * LENGTH * HEAD_DIM" },
    "scales": { "dtype": "f32", "elements": "2 * SPLITS * BATCH * HEADS * LENGTH" }
  },
  "launches": [
    { "kernel": "attend_to_part", "grid": ["LENGTH / BM", "SPLITS", "BATCH * HEADS"], "block": ["BM * LANES"],
      "shared_bytes": "4 * ((BM + 2 * BN) * (HEAD_DIM + 1) + BM * (BN + 1))", "args": ["q", "k", "v", "sums", "scales"] },
    { "kernel": "merge_parts", "grid": ["ceil_div(BATCH * HEADS * LENGTH * HEAD_DIM, 128)"], "block": [128],
      "args": ["sums", "scales", "out"] }
  ],
  "playbook": {
    "regimes": ["latency_bound"],
    "evidence": "Fewer blocks than the GPU runs at a time, each with a long loop over keys; most SMs idle."
  }
}
*/
#include <cuda_fp16.h>
#include <math_constants.h>

constexpr int kThreads = BM * LANES, kPart = LENGTH / SPLITS;
constexpr int kRow = HEAD_DIM + 1, kWeights = BN + 1;  // floats from one row to the next: no two rows in one bank
constexpr int kKeys = BN / LANES, kColumns = HEAD_DIM / LANES;  // of one thread
constexpr int kQueries = BATCH * HEADS * LENGTH;

__device__ __forceinline__ void fetch(float* tile, const __half* from, int rows) {
  for (int i = threadIdx.x; i < rows * HEAD_DIM; i += kThreads)
    tile[i / HEAD_DIM * kRow + i % HEAD_DIM] = __half2float(from[i]);
}

__global__ void __launch_bounds__(kThreads)
    attend_to_part(const __half* __restrict__ q, const __half* __restrict__ k, const __half* __restrict__ v,
                   float* __restrict__ sums, float* __restrict__ scales) {
  extern __shared__ float dynamic[];
  float* queries = dynamic;
  float* keys = queries + BM * kRow;
  float* values = keys + BN * kRow;
  float* weights = values + BN * kRow;
  const int lane = threadIdx.x % LANES, own = threadIdx.x / LANES;
  const int first = blockIdx.x * BM, row = first + own;
  const long long head = (long long)blockIdx.z * LENGTH * HEAD_DIM;
  const float scale = 1.0f / sqrtf(HEAD_DIM);

  fetch(queries, q + head + first * HEAD_DIM, BM);
  float largest = -CUDART_INF_F, total = 0.0f, sum[kColumns];  // `total` of this thread's keys only
#pragma unroll
  for (int i = 0; i < kColumns; ++i) sum[i] = 0.0f;
  const int begin = blockIdx.y * kPart, part_end = begin + kPart;
  const int end = CAUSAL && first + BM < part_end ? first + BM : part_end;
  for (int tile = begin; tile < end; tile += BN) {
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
    const float centre = most == -CUDART_INF_F ? 0.0f : most;  // of keys that are hidden or -Inf all weights are 0
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
  const long long query = (long long)blockIdx.y * kQueries + (long long)blockIdx.z * LENGTH + row;
#pragma unroll
  for (int i = 0; i < kColumns; ++i) sums[query * HEAD_DIM + lane + i * LANES] = sum[i];
  if (lane == 0) {
    scales[2 * query] = largest;
    scales[2 * query + 1] = total;
  }
}

__global__ void merge_parts(const float* __restrict__ sums, const float* __restrict__ scales, __half* __restrict__ out) {
  const long long at = (long long)blockIdx.x * blockDim.x + threadIdx.x;
  if (at >= (long long)kQueries * HEAD_DIM) return;
  const long long query = at / HEAD_DIM;
  float largest = -CUDART_INF_F, sum = 0.0f, total = 0.0f;
#pragma unroll
  for (int part = 0; part < SPLITS; ++part) largest = fmaxf(largest, scales[2 * (part * (long long)kQueries + query)]);
#pragma unroll
  for (int part = 0; part < SPLITS; ++part) {
    const long long other = part * (long long)kQueries + query;
    const float of_all = scales[2 * other + 1];
    if (of_all == 0.0f) continue;  // no key of the part has a weight
    const float rescale = expf(scales[2 * other] - largest);
    total += rescale * of_all;
    sum += rescale * sums[other * HEAD_DIM + at % HEAD_DIM];
  }
  out[at] = __float2half(total == 0.0f ? 0.0f : sum / total);
}
