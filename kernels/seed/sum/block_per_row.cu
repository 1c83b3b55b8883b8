/*kevolve
{
  "idea": "Give a whole block to each row. Neighbouring threads read neighbouring elements, so every memory transaction is full; ACCUMULATORS independent sums per thread keep as many loads in flight; warps reduce by shuffles and only the warps' results pass through shared memory.",
  "tunables": { "BLOCK": [256, 32, 64, 512, 1024], "ACCUMULATORS": [4, 1, 16] },
  "constraints": ["L % (BLOCK * ACCUMULATORS) == 0"],
  "launches": [
    { "kernel": "sum_row", "grid": ["ROWS"], "block": ["BLOCK"], "args": ["x", "y"] }
  ],
  "playbook": {
    "regimes": ["latency_bound", "memory_bound"],
    "evidence": "One thread walks a whole row: few bytes used per sector, grid far below the number of SMs, long_scoreboard stalls."
  }
}
*/
constexpr int kRun = 64;  // fp32 additions in a row before a sum is folded into a double

__device__ double block_sum(double value) {
  __shared__ double partial[32];
  for (int offset = 16; offset > 0; offset /= 2) value += __shfl_xor_sync(0xffffffffu, value, offset);
  if (threadIdx.x % 32 == 0) partial[threadIdx.x / 32] = value;
  __syncthreads();
  double sum = 0.0;
  for (int warp = 0; warp < BLOCK / 32; ++warp) sum += partial[warp];
  return sum;
}

__global__ void __launch_bounds__(BLOCK) sum_row(const float* x, float* y) {
  const float* in = x + (long long)blockIdx.x * L;
  constexpr int kStep = BLOCK * ACCUMULATORS;
  double total = 0.0;
  for (int begin = 0; begin < L; begin += kRun * kStep) {
    const int end = min(begin + kRun * kStep, L);
    float sum[ACCUMULATORS];
#pragma unroll
    for (int k = 0; k < ACCUMULATORS; ++k) sum[k] = 0.0f;
    for (int i = begin + threadIdx.x; i < end; i += kStep) {
#pragma unroll
      for (int k = 0; k < ACCUMULATORS; ++k) sum[k] += in[i + k * BLOCK];
    }
#pragma unroll
    for (int k = 0; k < ACCUMULATORS; ++k) total += sum[k];
  }
  total = block_sum(total);
  if (threadIdx.x == 0) y[blockIdx.x] = (float)total;
}
