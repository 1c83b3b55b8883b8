/*kevolve
{
  "idea": "A warp answers one query: each lane scores one key of 32, the warp agrees on the largest, and the lanes then share out the columns, to which shuffles bring the weights. Sums are rescaled whenever a larger score turns up.",
  "constraints": ["HEAD_DIM == 32"],
  "launches": [
    { "kernel": "attend", "grid": ["ceil_div(BATCH * HEADS * LENGTH, 4)"], "block": [32, 4], "args": ["q", "k", "v", "out"] }
  ]
}
*/
#include <cuda_fp16.h>

__global__ void attend(const __half* q, const __half* k, const __half* v, __half* out) {
  const unsigned all = 0xffffffffu;
  const int lane = threadIdx.x, query = blockIdx.x * 4 + threadIdx.y;
  if (query >= BATCH * HEADS * LENGTH) return;
  const int row = query % LENGTH, first = query - row;  // of its head
  const int keys = CAUSAL ? row + 1 : LENGTH;
  const float own = __half2float(q[query * 32 + lane]);
  float largest = -INFINITY, total = 0.0f, sum = 0.0f;
  for (int tile = 0; tile < keys; tile += 32) {
    const int key = tile + lane;
    float score = 0.0f;
    for (int d = 0; d < 32; ++d) {
      const float element = __shfl_sync(all, own, d);
      if (key < keys) score += element * __half2float(k[(first + key) * 32 + d]);
    }
    score = key < keys ? score * 0.03125f : -INFINITY;
    float most = fmaxf(largest, score);
    for (int apart = 16; apart > 0; apart /= 2) most = fmaxf(most, __shfl_xor_sync(all, most, apart));
    const float centre = most == -INFINITY ? 0.0f : most;
    const float rescale = expf(largest - centre), weight = expf(score - centre);
    largest = most;
    total = total * rescale + weight;
    sum *= rescale;
    for (int other = 0; other < 32 && tile + other < keys; ++other)
      sum += __shfl_sync(all, weight, other) * __half2float(v[(first + tile + other) * 32 + lane]);
  }
  for (int apart = 16; apart > 0; apart /= 2) total += __shfl_xor_sync(all, total, apart);
  out[query * 32 + lane] = __float2half(total == 0.0f ? 0.0f : sum / total);
}
