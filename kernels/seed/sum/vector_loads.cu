/*kevolve
{
  "idea": "Read four neighbouring elements with one 128-bit load, and issue LOADS of them before the first addition needs any: a quarter of the load instructions, more bytes in flight per thread, and additions that do not depend on each other.",
  "tunables": { "BLOCK": [256, 32, 64, 512, 1024], "LOADS": [4, 1, 8] },
  "constraints": ["L % (4 * BLOCK * LOADS) == 0"],
  "launches": [
    { "kernel": "sum_row", "grid": ["ROWS"], "block": ["BLOCK"], "args": ["x", "y"] }
  ],
  "playbook": {
    "regimes": ["memory_bound", "latency_bound"],
    "evidence": "Bandwidth below 85 % with 32-bit loads (LDG.E without .128), long_scoreboard stalls, many load instructions per byte."
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
  const float4* in = reinterpret_cast<const float4*>(x + (long long)blockIdx.x * L);
  constexpr int kVectors = L / 4, kStep = BLOCK * LOADS;
  double total = 0.0;
  for (int begin = 0; begin < kVectors; begin += kRun * kStep) {
    const int end = min(begin + kRun * kStep, kVectors);
    float4 sum[LOADS];
#pragma unroll
    for (int k = 0; k < LOADS; ++k) sum[k] = make_float4(0.0f, 0.0f, 0.0f, 0.0f);
    for (int i = begin + threadIdx.x; i < end; i += kStep) {
      float4 v[LOADS];
#pragma unroll
      for (int k = 0; k < LOADS; ++k) v[k] = __ldcs(in + i + k * BLOCK);
#pragma unroll
      for (int k = 0; k < LOADS; ++k) {
        sum[k].x += v[k].x;
        sum[k].y += v[k].y;
        sum[k].z += v[k].z;
        sum[k].w += v[k].w;
      }
    }
#pragma unroll
    for (int k = 0; k < LOADS; ++k) total += (sum[k].x + sum[k].y) + (sum[k].z + sum[k].w);
  }
  total = block_sum(total);
  if (threadIdx.x == 0) y[blockIdx.x] = (float)total;
}
