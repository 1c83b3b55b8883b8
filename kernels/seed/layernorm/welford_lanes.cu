/*kevolve
{
  "idea": "Welford's online update in LANES independent lanes per thread: every lane keeps its own running mean and squares, and since all lanes have seen equally many elements they share one reciprocal per step. One pass over the data, exact at any mean, no division in the lanes; runs of 64 steps, lanes and threads merge by Chan's formula.",
  "tunables": { "LANES": [16, 4, 64], "BLOCK": [256, 1, 4, 64, 512] },
  "constraints": ["L % (LANES * BLOCK) == 0", "LANES * BLOCK <= 8192"],
  "launches": [
    { "kernel": "layernorm_row", "grid": ["ROWS"], "block": ["BLOCK"], "args": ["x", "weight", "bias", "y"] }
  ],
  "playbook": {
    "regimes": ["memory_bound", "latency_bound"],
    "evidence": "Separate passes for mean and variance, both limited by memory; registers to spare."
  }
}
*/
// What a part of a row says about mean and variance: its own mean, and the squared distances to it, added up.
struct Moments {
  double mean, squares;
};

// Two parts of `count` elements each as one (Chan, Golub and LeVeque): exact at any mean.
__device__ Moments merged(Moments a, Moments b, double count) {
  const double delta = b.mean - a.mean;
  return Moments{0.5 * (a.mean + b.mean), a.squares + b.squares + delta * delta * (0.5 * count)};
}

// Appends part number `k` (from 1) to k - 1 parts of the same `count` elements.
__device__ void append(Moments& all, Moments part, int k, double count) {
  const double share = 1.0f / (float)k;
  const double delta = part.mean - all.mean;
  all.mean += delta * share;
  all.squares += part.squares + delta * delta * count * (1.0 - share);
}

// The moments of the block's elements, `count` per thread, in every thread; BLOCK is a power of two.
__device__ Moments block_moments(Moments mine, double count) {
#if BLOCK >= 32
  for (int offset = 1; offset < 32; offset *= 2) {
    const Moments other{__shfl_xor_sync(0xffffffffu, mine.mean, offset),
                        __shfl_xor_sync(0xffffffffu, mine.squares, offset)};
    mine = merged(mine, other, count);
    count *= 2;
  }
#endif
#if BLOCK != 1 && BLOCK != 32
  constexpr int kParts = BLOCK > 32 ? BLOCK / 32 : BLOCK;
  __shared__ Moments parts[kParts];
  if (BLOCK < 32 || threadIdx.x % 32 == 0) parts[threadIdx.x * kParts / BLOCK] = mine;
  __syncthreads();
  mine = parts[0];
  for (int k = 1; k < kParts; ++k) append(mine, parts[k], k + 1, count);
#endif
  return mine;
}

constexpr int kRun = 64;  // online updates in fp32 before a run is merged into doubles

// Moments of this thread's elements: LANES contiguous ones at a time, dealt to the block's threads in turn. A
// run's means are kept relative to its first element, which keeps their rounding at the size of the spread.
__device__ Moments lanes_moments(const float* __restrict__ in) {
  constexpr int kSteps = L / (BLOCK * LANES), kRunSteps = kSteps % kRun == 0 ? kRun : 1;
  double all_mean[LANES], all_squares[LANES];
#pragma unroll
  for (int j = 0; j < LANES; ++j) all_mean[j] = all_squares[j] = 0.0;
  for (int run = 0; run < kSteps / kRunSteps; ++run) {
    const float* from = in + (run * kRunSteps * BLOCK + threadIdx.x) * LANES;
    const float origin = from[0];
    float mean[LANES], squares[LANES];
#pragma unroll
    for (int j = 0; j < LANES; ++j) mean[j] = squares[j] = 0.0f;
    for (int k = 0; k < kRunSteps; ++k) {
      const float share = 1.0f / (float)(k + 1);
#pragma unroll
      for (int j = 0; j < LANES; ++j) {
        const float value = from[k * BLOCK * LANES + j] - origin, d = value - mean[j];
        mean[j] += d * share;
        squares[j] += d * (value - mean[j]);
      }
    }
    const double share = 1.0f / (float)(run + 1);
#pragma unroll
    for (int j = 0; j < LANES; ++j) {  // equal counts, as in append()
      const double d = ((double)origin + mean[j]) - all_mean[j];
      all_mean[j] += d * share;
      all_squares[j] += squares[j] + d * d * kRunSteps * (1.0 - share);
    }
  }
  Moments all{all_mean[0], all_squares[0]};
  for (int j = 1; j < LANES; ++j) append(all, Moments{all_mean[j], all_squares[j]}, j + 1, kSteps);
  return all;
}

// y of `elements` elements; each thread takes LANES contiguous ones at a time. The mean comes in two parts:
// at mean 1000 and standard deviation 0.1 its rounding to fp32 alone would be 3e-4 of the answer.
__device__ void normalise(const float* __restrict__ in, const float* __restrict__ weight,
                          const float* __restrict__ bias, float* __restrict__ out, double mean, float scale,
                          int elements) {
  const float high = (float)mean, low = (float)(mean - high);
  for (int i = threadIdx.x * LANES; i < elements; i += BLOCK * LANES) {
#pragma unroll
    for (int j = 0; j < LANES; ++j) {
      out[i + j] = ((in[i + j] - high) - low) * scale * weight[i + j] + bias[i + j];
    }
  }
}

__global__ void __launch_bounds__(BLOCK)
    layernorm_row(const float* __restrict__ x, const float* __restrict__ weight,
                  const float* __restrict__ bias, float* __restrict__ y) {
  const float* in = x + (long long)blockIdx.x * L;
  const Moments row = block_moments(lanes_moments(in), L / BLOCK);
  normalise(in, weight, bias, y + (long long)blockIdx.x * L, row.mean,
            rsqrtf((float)(row.squares / L) + (float)EPS), L);
}
