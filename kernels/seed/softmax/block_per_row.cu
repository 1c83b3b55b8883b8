/*kevolve
{
  "idea": "Give a whole block to each row. Neighbouring threads read neighbouring elements, so every memory transaction is full; ACCUMULATORS independent maxima and sums per thread keep as many loads in flight; warps reduce by shuffles and only the warps' results pass through shared memory.",
  "tunables": { "BLOCK": [256, 32, 64, 512, 1024], "ACCUMULATORS": [4, 1, 8] },
  "constraints": ["L % (BLOCK * ACCUMULATORS) == 0"],
  "launches": [
    { "kernel": "softmax_row", "grid": ["ROWS"], "block": ["BLOCK"], "args": ["x", "y"] }
  ],
  "playbook": {
    "regimes": ["latency_bound", "memory_bound"],
    "evidence": "One thread walks a whole row: few bytes used per sector, grid far below the number of SMs, long_scoreboard stalls."
  }
}
*/
#define NOTHING __int_as_float(0xff800000)  // -Inf, the maximum of no elements
constexpr int kRun = 64;                    // fp32 additions in a row before a sum is folded into a double

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

__global__ void __launch_bounds__(BLOCK) softmax_row(const float* __restrict__ x, float* __restrict__ y) {
  const float* in = x + (long long)blockIdx.x * L;
  float* out = y + (long long)blockIdx.x * L;
  constexpr int kStep = BLOCK * ACCUMULATORS;
  float most[ACCUMULATORS];
#pragma unroll
  for (int k = 0; k < ACCUMULATORS; ++k) most[k] = NOTHING;
  for (int i = threadIdx.x; i < L; i += kStep) {
#pragma unroll
    for (int k = 0; k < ACCUMULATORS; ++k)
      most[k] = in[i + k * BLOCK] > most[k] ? in[i + k * BLOCK] : most[k];
  }
#pragma unroll
  for (int k = 1; k < ACCUMULATORS; ++k) most[0] = most[k] > most[0] ? most[k] : most[0];
  const float largest = block_max(most[0]);
  double total = 0.0;
  for (int begin = 0; begin < L; begin += kRun * kStep) {
    const int end = min(begin + kRun * kStep, L);
    float sum[ACCUMULATORS];
#pragma unroll
    for (int k = 0; k < ACCUMULATORS; ++k) sum[k] = 0.0f;
    for (int i = begin + threadIdx.x; i < end; i += kStep) {
#pragma unroll
      for (int k = 0; k < ACCUMULATORS; ++k) sum[k] += expf(in[i + k * BLOCK] - largest);
    }
#pragma unroll
    for (int k = 0; k < ACCUMULATORS; ++k) total += sum[k];
  }
  const float scale = (float)(1.0 / block_sum(total));
#pragma unroll 4
  for (int i = threadIdx.x; i < L; i += BLOCK) out[i] = expf(in[i] - largest) * scale;
}
