/*kevolve
{
  "idea": "Give a whole block to each row. Neighbouring threads read neighbouring elements, so every memory transaction is full; ACCUMULATORS independent sums per thread keep as many loads in flight; warps reduce by shuffles and only the warps' results pass through shared memory.",
  "tunables": { "BLOCK": [256, 32, 64, 512, 1024], "ACCUMULATORS": [4, 1, 16] },
  "constraints": ["L % (BLOCK * ACCUMULATORS) == 0"],
  "launches": [
    { "kernel": "rmsnorm_row", "grid": ["ROWS"], "block": ["BLOCK"], "args": ["x", "weight", "y"] }
  ],
  "playbook": {
    "regimes": ["latency_bound", "memory_bound"],
    "evidence": "One thread walks a whole row: few bytes used per sector, grid far below the number of SMs, long_scoreboard stalls."
  }
}
*/
constexpr int kRun = 64;  // fp32 additions in a row before a sum is folded into a double

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
    rmsnorm_row(const float* __restrict__ x, const float* __restrict__ weight, float* __restrict__ y) {
  const float* in = x + (long long)blockIdx.x * L;
  float* out = y + (long long)blockIdx.x * L;
  constexpr int kStep = BLOCK * ACCUMULATORS;
  double total = 0.0;
  for (int begin = 0; begin < L; begin += kRun * kStep) {
    const int end = min(begin + kRun * kStep, L);
    float sum[ACCUMULATORS];
#pragma unroll
    for (int k = 0; k < ACCUMULATORS; ++k) sum[k] = 0.0f;
    for (int i = begin + threadIdx.x; i < end; i += kStep) {
#pragma unroll
      for (int k = 0; k < ACCUMULATORS; ++k) sum[k] += in[i + k * BLOCK] * in[i + k * BLOCK];
    }
#pragma unroll
    for (int k = 0; k < ACCUMULATORS; ++k) total += sum[k];
  }
  const float scale = rsqrtf((float)(block_sum(total) / L) + (float)EPS);
#pragma unroll 4
  for (int i = threadIdx.x; i < L; i += BLOCK) out[i] = in[i] * scale * weight[i];
}
