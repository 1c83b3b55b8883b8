/*kevolve
{
  "idea": "Replace the library's exponential by one branch-free polynomial: reduce to |f| <= ln 2 / 2, seven multiply-adds, then add to the exponent bits. It runs on the FMA pipe instead of the special-function unit, has no call and no table, so that tiles of ITEMS elements become straight vector code.",
  "tunables": { "ITEMS": [64, 4, 16], "BLOCK": [1, 4, 64, 256, 512] },
  "constraints": ["L % (ITEMS * BLOCK) == 0", "ITEMS * BLOCK <= 8192"],
  "launches": [
    { "kernel": "softmax_row", "grid": ["ROWS"], "block": ["BLOCK"], "args": ["x", "y"] }
  ],
  "playbook": {
    "regimes": ["compute_bound"],
    "evidence": "The special-function pipe (MUFU) is the busiest, or the exponential is a library call that keeps the loop scalar."
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

// exp(d) for d <= 80 to one unit in the last place: d = k ln 2 + f with |f| <= ln 2 / 2, a polynomial for
// exp(f), and 2^k in two factors, so that small results become denormal as they should. NaN stays NaN; no
// table, no call.
__device__ __forceinline__ float exp_fast(float d) {
  d = d < -105.0f ? -105.0f : d;
  const float shifted = fmaf(d, 1.44269504f, 12582912.0f);  // adding 1.5 * 2^23 rounds to an integer
  const int k = __float_as_int(shifted) - 0x4B400000;
  const float whole = shifted - 12582912.0f;
  const float f = fmaf(whole, -1.42860677e-6f, fmaf(whole, -0.693145752f, d));
  float p = fmaf(0.00138145406f, f, 0.00836874545f);
  p = fmaf(p, f, 0.041668389f);
  p = fmaf(p, f, 0.166665211f);
  p = fmaf(p, f, 0.49999994f);
  p = fmaf(p * f, f, f) + 1.0f;
  const int half = k >> 1;
  return p * __int_as_float((half + 127) << 23) * __int_as_float((k - half + 127) << 23);
}

__device__ float tiles_max(const float* __restrict__ in, int tiles) {
  float largest[ITEMS];
#pragma unroll
  for (int j = 0; j < ITEMS; ++j) largest[j] = NOTHING;
  for (int tile = threadIdx.x; tile < tiles; tile += BLOCK) {
#pragma unroll
    for (int j = 0; j < ITEMS; ++j) {
      const float value = in[tile * ITEMS + j];
      largest[j] = value > largest[j] ? value : largest[j];
    }
  }
#pragma unroll
  for (int j = 1; j < ITEMS; ++j) largest[0] = largest[j] > largest[0] ? largest[j] : largest[0];
  return largest[0];
}

__device__ double tiles_exponentials(const float* __restrict__ in, float largest, int tiles) {
  double total = 0.0;
  for (int begin = threadIdx.x; begin < tiles; begin += kRun * BLOCK) {
    const int end = min(begin + kRun * BLOCK, tiles);
    float sum[ITEMS];
#pragma unroll
    for (int j = 0; j < ITEMS; ++j) sum[j] = 0.0f;
    for (int tile = begin; tile < end; tile += BLOCK) {
#pragma unroll
      for (int j = 0; j < ITEMS; ++j) sum[j] += exp_fast(in[tile * ITEMS + j] - largest);
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

__device__ void tiles_write(const float* __restrict__ in, float* __restrict__ out, float largest, float scale,
                            int tiles) {
  for (int tile = threadIdx.x; tile < tiles; tile += BLOCK) {
#pragma unroll
    for (int j = 0; j < ITEMS; ++j) {
      out[tile * ITEMS + j] = exp_fast(in[tile * ITEMS + j] - largest) * scale;
    }
  }
}

__global__ void __launch_bounds__(BLOCK) softmax_row(const float* __restrict__ x, float* __restrict__ y) {
  const float* in = x + (long long)blockIdx.x * L;
  const float largest = block_max(tiles_max(in, L / ITEMS));
  const double sum = block_sum(tiles_exponentials(in, largest, L / ITEMS));
  tiles_write(in, y + (long long)blockIdx.x * L, largest, (float)(1.0 / sum), L / ITEMS);
}
