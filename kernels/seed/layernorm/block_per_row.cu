/*kevolve
{
  "idea": "Give a whole block to each row and make two exact passes, the mean and then the squared distances to it. Neighbouring threads read neighbouring elements, so every memory transaction is full; ACCUMULATORS independent sums per thread keep as many loads in flight; warps reduce by shuffles and only the warps' results pass through shared memory.",
  "tunables": { "BLOCK": [512, 32, 64, 256, 1024], "ACCUMULATORS": [4, 1, 8] },
  "constraints": ["L % (BLOCK * ACCUMULATORS) == 0"],
  "launches": [
    { "kernel": "layernorm_row", "grid": ["ROWS"], "block": ["BLOCK"], "args": ["x", "weight", "bias", "y"] }
  ],
  "playbook": {
    "regimes": ["latency_bound", "memory_bound"],
    "evidence": "One thread walks a whole row: few bytes used per sector, warps with one busy lane, long_scoreboard stalls."
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
  __syncthreads();  // the previous sum has been read
  if (BLOCK < 32 || threadIdx.x % 32 == 0) parts[threadIdx.x * kParts / BLOCK] = value;
  __syncthreads();
  value = 0.0;
  for (int i = 0; i < kParts; ++i) value += parts[i];
#endif
  return value;
}

__global__ void __launch_bounds__(BLOCK)
    layernorm_row(const float* __restrict__ x, const float* __restrict__ weight,
                  const float* __restrict__ bias, float* __restrict__ y) {
  const float* in = x + (long long)blockIdx.x * L;
  float* out = y + (long long)blockIdx.x * L;
  constexpr int kStep = BLOCK * ACCUMULATORS;
  double sums[2];
  float centre = 0.0f;
  for (int pass = 0; pass < 2; ++pass) {  // the elements, then the squares around their mean
    double total = 0.0;
    for (int begin = 0; begin < L; begin += kRun * kStep) {
      const int end = min(begin + kRun * kStep, L);
      // A run's sum is taken of distances to its first element: small numbers round little, however large the
      // mean.
      const float origin = pass == 0 ? in[begin + threadIdx.x] : centre;
      float sum[ACCUMULATORS];
#pragma unroll
      for (int k = 0; k < ACCUMULATORS; ++k) sum[k] = 0.0f;
      for (int i = begin + threadIdx.x; i < end; i += kStep) {
#pragma unroll
        for (int k = 0; k < ACCUMULATORS; ++k) {
          const float d = in[i + k * BLOCK] - origin;
          sum[k] += pass == 0 ? d : d * d;
        }
      }
#pragma unroll
      for (int k = 0; k < ACCUMULATORS; ++k) total += sum[k];
      if (pass == 0) total += (double)origin * ((end - begin) / BLOCK);
    }
    sums[pass] = block_sum(total);
    if (pass == 0) centre = (float)(sums[0] / L);
  }
  const float rest = (float)(sums[0] / L - centre);  // what rounding the mean to fp32 has left
  const float scale = rsqrtf((float)(sums[1] / L - rest * rest) + (float)EPS);
#pragma unroll 4
  for (int i = threadIdx.x; i < L; i += BLOCK)
    out[i] = ((in[i] - centre) - rest) * scale * weight[i] + bias[i];
}
