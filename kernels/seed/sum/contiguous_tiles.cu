/*kevolve
{
  "idea": "Give every thread contiguous tiles of ITEMS elements and one accumulator per position of the tile. The additions are independent of each other, so none waits for another, and a vectorising compiler turns a tile into whole vector registers. With BLOCK 1 a thread owns a row and no barrier is left.",
  "tunables": { "ITEMS": [64, 4, 16], "BLOCK": [1, 4, 64, 256] },
  "constraints": ["L % (ITEMS * BLOCK) == 0", "ITEMS * BLOCK <= 4096"],
  "launches": [
    { "kernel": "sum_row", "grid": ["ROWS"], "block": ["BLOCK"], "args": ["x", "y"] }
  ],
  "playbook": {
    "regimes": ["latency_bound", "compute_bound"],
    "evidence": "Additions wait for earlier additions (one accumulator per thread), barriers cost more than the reduction, or a scalar loop runs where vectors would do."
  }
}
*/
constexpr int kRun = 64;  // fp32 additions in a row before a sum is folded into a double

__device__ double tiles_sum(const float* in, int tiles) {
  double total = 0.0;
  for (int begin = threadIdx.x; begin < tiles; begin += kRun * BLOCK) {
    const int end = min(begin + kRun * BLOCK, tiles);
    float sum[ITEMS];
#pragma unroll
    for (int j = 0; j < ITEMS; ++j) sum[j] = 0.0f;
    for (int tile = begin; tile < end; tile += BLOCK) {
#pragma unroll
      for (int j = 0; j < ITEMS; ++j) sum[j] += in[tile * ITEMS + j];
    }
#pragma unroll
    for (int width = ITEMS / 2; width > 0; width /= 2) {
#pragma unroll
      for (int j = 0; j < width; ++j) sum[j] += sum[j + width];
    }
    total += sum[0];
  }
  return total;
}

__global__ void __launch_bounds__(BLOCK) sum_row(const float* x, float* y) {
  double total = tiles_sum(x + (long long)blockIdx.x * L, L / ITEMS);
#if BLOCK > 1
  __shared__ double partial[BLOCK];
  partial[threadIdx.x] = total;
  __syncthreads();
  for (int width = BLOCK / 2; width > 0; width /= 2) {
    if (threadIdx.x < width) partial[threadIdx.x] += partial[threadIdx.x + width];
    __syncthreads();
  }
  total = partial[0];
#endif
  if (threadIdx.x == 0) y[blockIdx.x] = (float)total;
}
