/*kevolve
{
  "idea": "Read each row once and compute each exponential once: KEEP vectors per thread stay in registers and the rest of the row in shared memory, which together hold a row of 256 KiB that neither could hold alone. Elements are replaced by their exponentials in place, and the last sweep multiplies and stores.",
  "tunables": { "BLOCK": [512, 64, 256, 1024], "KEEP": [24, 4, 8, 16, 32] },
  "constraints": ["L % (4 * BLOCK) == 0", "L - 4 * BLOCK * KEEP > 0", "4 * (L - 4 * BLOCK * KEEP) <= 224 * 1024", "KEEP * BLOCK <= 16384"],
  "launches": [
    { "kernel": "softmax_row", "grid": ["ROWS"], "block": ["BLOCK"], "shared_bytes": "4 * (L - 4 * BLOCK * KEEP)",
      "args": ["x", "y"] }
  ],
  "playbook": {
    "regimes": ["memory_bound"],
    "evidence": "Device-memory bytes above one read and one write; the row is read by several passes and is larger than shared memory."
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

__device__ float largest_of(float4 v) {
  const float a = v.x > v.y ? v.x : v.y, b = v.z > v.w ? v.z : v.w;
  return a > b ? a : b;
}

__device__ float4 exponentials(float4 v, float largest) {
  return make_float4(expf(v.x - largest), expf(v.y - largest), expf(v.z - largest), expf(v.w - largest));
}

__device__ float4 times(float4 v, float scale) {
  return make_float4(v.x * scale, v.y * scale, v.z * scale, v.w * scale);
}

__global__ void __launch_bounds__(BLOCK) softmax_row(const float* __restrict__ x, float* __restrict__ y) {
  extern __shared__ float4 rest[];
  const float4* in = reinterpret_cast<const float4*>(x + (long long)blockIdx.x * L) + threadIdx.x;
  float4* out = reinterpret_cast<float4*>(y + (long long)blockIdx.x * L) + threadIdx.x;
  constexpr int kKept = BLOCK * KEEP, kRest = L / 4 - kKept;
  float4 kept[KEEP];
#pragma unroll
  for (int k = 0; k < KEEP; ++k) kept[k] = __ldcs(in + k * BLOCK);
  float largest = NOTHING;
#pragma unroll 8
  for (int i = 0; i < kRest; i += BLOCK) {
    const float4 v = __ldcs(in + kKept + i);
    rest[i + threadIdx.x] = v;
    const float most = largest_of(v);
    largest = most > largest ? most : largest;
  }
#pragma unroll
  for (int k = 0; k < KEEP; ++k) {
    const float most = largest_of(kept[k]);
    largest = most > largest ? most : largest;
  }
  largest = block_max(largest);
  double total = 0.0;
  for (int begin = 0; begin < kRest; begin += kRun * BLOCK) {
    const int end = min(begin + kRun * BLOCK, kRest);
    float sum = 0.0f;
    for (int i = begin; i < end; i += BLOCK) {
      const float4 e = exponentials(rest[i + threadIdx.x], largest);
      rest[i + threadIdx.x] = e;
      sum += (e.x + e.y) + (e.z + e.w);
    }
    total += sum;
  }
  float sum = 0.0f;
#pragma unroll
  for (int k = 0; k < KEEP; ++k) {
    kept[k] = exponentials(kept[k], largest);
    sum += (kept[k].x + kept[k].y) + (kept[k].z + kept[k].w);
  }
  const float scale = (float)(1.0 / block_sum(total + sum));
#pragma unroll
  for (int k = 0; k < KEEP; ++k) __stcs(out + k * BLOCK, times(kept[k], scale));
#pragma unroll 8
  for (int i = 0; i < kRest; i += BLOCK) __stcs(out + kKept + i, times(rest[i + threadIdx.x], scale));
}
