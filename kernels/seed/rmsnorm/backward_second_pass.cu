/*kevolve
{
  "idea": "Walk the row forwards for the sum of squares and backwards for the scaling: the elements read last are still in the nearest cache when the second pass begins, so part of the row is never fetched twice. Reads are 128 bits wide; results are stored as streaming data, which leaves the cache to the row.",
  "tunables": { "BLOCK": [512, 32, 64, 256, 1024], "LOADS": [4, 1, 8] },
  "constraints": ["L % (4 * BLOCK * LOADS) == 0"],
  "launches": [
    { "kernel": "rmsnorm_row", "grid": ["ROWS"], "block": ["BLOCK"], "args": ["x", "weight", "y"] }
  ],
  "playbook": {
    "regimes": ["memory_bound"],
    "evidence": "Device-memory bytes above one read and one write: the second pass misses the cache that the first has filled."
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
  const float4* in = reinterpret_cast<const float4*>(x + (long long)blockIdx.x * L);
  const float4* factors = reinterpret_cast<const float4*>(weight);
  float4* out = reinterpret_cast<float4*>(y + (long long)blockIdx.x * L);
  constexpr int kVectors = L / 4, kStep = BLOCK * LOADS;
  double total = 0.0;
  for (int begin = 0; begin < kVectors; begin += kRun * kStep) {
    const int end = min(begin + kRun * kStep, kVectors);
    float4 sum[LOADS];
#pragma unroll
    for (int k = 0; k < LOADS; ++k) sum[k] = make_float4(0.0f, 0.0f, 0.0f, 0.0f);
    for (int i = begin + threadIdx.x; i < end; i += kStep) {
#pragma unroll
      for (int k = 0; k < LOADS; ++k) {
        const float4 v = in[i + k * BLOCK];
        sum[k].x += v.x * v.x;
        sum[k].y += v.y * v.y;
        sum[k].z += v.z * v.z;
        sum[k].w += v.w * v.w;
      }
    }
#pragma unroll
    for (int k = 0; k < LOADS; ++k) total += (sum[k].x + sum[k].y) + (sum[k].z + sum[k].w);
  }
  const float scale = rsqrtf((float)(block_sum(total) / L) + (float)EPS);
  for (int i = kVectors - kStep + threadIdx.x; i >= 0; i -= kStep) {
    float4 v[LOADS];
#pragma unroll
    for (int k = 0; k < LOADS; ++k) v[k] = in[i + k * BLOCK];
#pragma unroll
    for (int k = 0; k < LOADS; ++k) {
      const float4 w = factors[i + k * BLOCK];
      __stcs(out + i + k * BLOCK, make_float4(v[k].x * scale * w.x, v[k].y * scale * w.y,
                                              v[k].z * scale * w.z, v[k].w * scale * w.w));
    }
  }
}
