/*kevolve
{
  "idea": "One block for each query: its threads share out the keys, keep every key's weight in shared memory, and then share out the columns of the result. Sums in fp32. Slow, obvious and correct.",
  "launches": [
    { "kernel": "attention_row", "grid": ["BATCH * HEADS * LENGTH"], "block": [128], "shared_bytes": "4 * LENGTH",
      "args": ["q", "k", "v", "out"] }
  ]
}
*/
#include <cuda_fp16.h>
#include <math_constants.h>

__global__ void attention_row(const __half* q, const __half* k, const __half* v, __half* out) {
  extern __shared__ float weights[];  // of each key
  const long long head = (long long)(blockIdx.x / LENGTH) * LENGTH * HEAD_DIM;
  const int row = blockIdx.x % LENGTH;
  const int keys = CAUSAL ? row + 1 : LENGTH;
  for (int key = threadIdx.x; key < keys; key += blockDim.x) {
    float score = 0.0f;
    for (int d = 0; d < HEAD_DIM; ++d)
      score += __half2float(q[head + row * HEAD_DIM + d]) * __half2float(k[head + key * HEAD_DIM + d]);
    weights[key] = score / sqrtf(HEAD_DIM);
  }
  __syncthreads();
  float largest = weights[0];
  for (int key = 1; key < keys; ++key) largest = fmaxf(largest, weights[key]);
  if (largest == -CUDART_INF_F) largest = 0.0f;  // then all weights are 0, and so is the result
  __syncthreads();
  for (int key = threadIdx.x; key < keys; key += blockDim.x) weights[key] = expf(weights[key] - largest);
  __syncthreads();
  for (int column = threadIdx.x; column < HEAD_DIM; column += blockDim.x) {
    float sum = 0.0f, weight = 0.0f;
    for (int key = 0; key < keys; ++key) {
      sum += weights[key] * __half2float(v[head + key * HEAD_DIM + column]);
      weight += weights[key];
    }
    out[head + row * HEAD_DIM + column] = __float2half(weight == 0.0f ? 0.0f : sum / weight);
  }
}
