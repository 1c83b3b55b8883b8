/*kevolve
{
  "idea": "All blocks of the device take one row together: each keeps its slice of the row in shared memory, a grid-wide barrier exchanges mean and squares of the slices, and the slice is normalised from shared memory. x is read once; statistics of the next row start right behind the stores of the present one.",
  "tunables": { "BLOCK": [1024, 1, 32, 256], "LANES": [4, 16], "PER_SM": [1, 2] },
  "constraints": ["L % LANES == 0", "4 * ceil_div(ceil_div(L, LANES), PER_SM * num_sms) * LANES <= 220 * 1024 / PER_SM"],
  "scratch": {
    "means": { "dtype": "f64", "elements": "ROWS * PER_SM * num_sms" },
    "squares": { "dtype": "f64", "elements": "ROWS * PER_SM * num_sms" }
  },
  "launches": [
    { "kernel": "layernorm_rows", "grid": ["PER_SM * num_sms"], "block": ["BLOCK"], "shared_bytes": "4 * ceil_div(ceil_div(L, LANES), PER_SM * num_sms) * LANES", "cooperative": true,
      "args": ["x", "weight", "bias", "means", "squares", "y"] }
  ],
  "playbook": {
    "regimes": ["memory_bound"],
    "evidence": "Two reads of x where a row fits in the shared memory of all SMs together: device-memory bytes half above the minimum.",
    "combines": ["split_rows"]
  }
}
*/
#include <cooperative_groups.h>

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

__global__ void __launch_bounds__(BLOCK) layernorm_rows(const float* __restrict__ x, const float* __restrict__ weight,
                                                        const float* __restrict__ bias, double* means, double* squares,
                                                        float* __restrict__ y) {
  extern __shared__ float slice[];
  const int blocks = gridDim.x, groups = (L / LANES + blocks - 1) / blocks;
  const int begin = min((int)blockIdx.x * groups, L / LANES) * LANES;
  const int elements = min(((int)blockIdx.x + 1) * groups, L / LANES) * LANES - begin;
  for (int row = 0; row < ROWS; ++row) {
    const float* in = x + (long long)row * L + begin;
    const float origin = elements > 0 ? in[0] : 0.0f;
    double totals[2] = {0.0, 0.0}, own = 0.0;
    float centre = origin;
    for (int pass = 0; pass < 2; ++pass) {  // distances to some element while loading, then squares around the mean
      double total = 0.0;
      for (int run = threadIdx.x * LANES; run < elements; run += kRun * BLOCK * LANES) {
        float lane[LANES];
#pragma unroll
        for (int j = 0; j < LANES; ++j) lane[j] = 0.0f;
        const int end = min(run + kRun * BLOCK * LANES, elements);
#pragma unroll 4
        for (int i = run; i < end; i += BLOCK * LANES) {
#pragma unroll
          for (int j = 0; j < LANES; ++j) {
            const float value = pass == 0 ? in[i + j] : slice[i + j];
            if (pass == 0) slice[i + j] = value;
            lane[j] += pass == 0 ? value - centre : (value - centre) * (value - centre);
          }
        }
#pragma unroll
        for (int j = 0; j < LANES; ++j) total += lane[j];
      }
      totals[pass] = block_sum(total);
      if (pass == 0 && elements > 0) own = origin + totals[0] / elements;
      centre = (float)own;
    }
    if (threadIdx.x == 0) {
      means[row * blocks + blockIdx.x] = own;
      squares[row * blocks + blockIdx.x] = totals[1] - elements * (own - centre) * (own - centre);
    }
    cooperative_groups::this_grid().sync();
    double sum = 0.0;
    for (int k = threadIdx.x; k < blocks; k += BLOCK) {
      const int size = (min((k + 1) * groups, L / LANES) - min(k * groups, L / LANES)) * LANES;
      sum += means[row * blocks + k] * size;
    }
    const double mean = block_sum(sum) / L;
    sum = 0.0;
    for (int k = threadIdx.x; k < blocks; k += BLOCK) {
      const int size = (min((k + 1) * groups, L / LANES) - min(k * groups, L / LANES)) * LANES;
      const double delta = means[row * blocks + k] - mean;
      sum += squares[row * blocks + k] + delta * delta * size;
    }
    const float scale = rsqrtf((float)(block_sum(sum) / L) + (float)EPS);
    const float high = (float)mean, low = (float)(mean - high);
    float* out = y + (long long)row * L + begin;
    for (int i = threadIdx.x * LANES; i < elements; i += BLOCK * LANES) {
#pragma unroll
      for (int j = 0; j < LANES; ++j) {
        out[i + j] = ((slice[i + j] - high) - low) * scale * weight[begin + i + j] + bias[begin + i + j];
      }
    }
  }
}
