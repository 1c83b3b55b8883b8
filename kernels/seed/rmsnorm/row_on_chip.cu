/*kevolve
{
  "idea": "Read each row once: KEEP vectors per thread stay in registers and the rest of the row in shared memory, which together hold a row of 256 KiB that neither could hold alone. The scaling then reads no device memory but the weights, and the traffic is one read and one write.",
  "tunables": { "BLOCK": [512, 64, 256, 1024], "KEEP": [24, 4, 8, 16, 32] },
  "constraints": ["L % (4 * BLOCK) == 0", "L - 4 * BLOCK * KEEP > 0", "4 * (L - 4 * BLOCK * KEEP) <= 224 * 1024", "KEEP * BLOCK <= 16384"],
  "launches": [
    { "kernel": "rmsnorm_row", "grid": ["ROWS"], "block": ["BLOCK"], "shared_bytes": "4 * (L - 4 * BLOCK * KEEP)",
      "args": ["x", "weight", "y"] }
  ],
  "playbook": {
    "regimes": ["memory_bound"],
    "evidence": "Device-memory bytes above one read and one write; the row is read by two passes and is larger than shared memory."
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

__device__ float squares(float4 v) {
  return (v.x * v.x + v.y * v.y) + (v.z * v.z + v.w * v.w);
}

__device__ float4 scaled(float4 v, float scale, float4 w) {
  return make_float4(v.x * scale * w.x, v.y * scale * w.y, v.z * scale * w.z, v.w * scale * w.w);
}

__global__ void __launch_bounds__(BLOCK)
    rmsnorm_row(const float* __restrict__ x, const float* __restrict__ weight, float* __restrict__ y) {
  extern __shared__ float4 rest[];
  const float4* in = reinterpret_cast<const float4*>(x + (long long)blockIdx.x * L) + threadIdx.x;
  const float4* factors = reinterpret_cast<const float4*>(weight) + threadIdx.x;
  float4* out = reinterpret_cast<float4*>(y + (long long)blockIdx.x * L) + threadIdx.x;
  constexpr int kKept = BLOCK * KEEP, kRest = L / 4 - kKept;
  float4 kept[KEEP];
#pragma unroll
  for (int k = 0; k < KEEP; ++k) kept[k] = in[k * BLOCK];
  double total = 0.0;
  for (int begin = 0; begin < kRest; begin += kRun * BLOCK) {
    const int end = min(begin + kRun * BLOCK, kRest);
    float sum = 0.0f;
#pragma unroll 8
    for (int i = begin; i < end; i += BLOCK) {
      const float4 v = in[kKept + i];
      rest[i + threadIdx.x] = v;
      sum += squares(v);
    }
    total += sum;
  }
  float sum = 0.0f;
#pragma unroll
  for (int k = 0; k < KEEP; ++k) sum += squares(kept[k]);
  const float scale = rsqrtf((float)(block_sum(total + sum) / L) + (float)EPS);
#pragma unroll
  for (int k = 0; k < KEEP; ++k) __stcs(out + k * BLOCK, scaled(kept[k], scale, factors[k * BLOCK]));
#pragma unroll 8
  for (int i = 0; i < kRest; i += BLOCK) {
    __stcs(out + kKept + i, scaled(rest[i + threadIdx.x], scale, factors[kKept + i]));
  }
}
