/*kevolve
{
  "idea": "Give one warp to each row: 32 lanes read whole lines, reduce by shuffles alone, and no warp ever waits for another at a barrier. WARPS rows share a block only to fill the SM.",
  "tunables": { "WARPS": [4, 1, 8], "LOADS": [4, 1, 2, 8] },
  "constraints": ["L % (128 * LOADS) == 0"],
  "launches": [
    { "kernel": "sum_rows", "grid": ["ceil_div(ROWS, WARPS)"], "block": [32, "WARPS"], "args": ["x", "y"] }
  ],
  "playbook": {
    "regimes": ["latency_bound"],
    "evidence": "Barrier stalls, rows short against the block, and more rows than the SMs can hold warps."
  }
}
*/
constexpr int kRun = 64;  // fp32 additions in a row before a sum is folded into a double

__global__ void sum_rows(const float* x, float* y) {
  const int row = blockIdx.x * WARPS + threadIdx.y;
  if (row >= ROWS) return;
  const float4* in = reinterpret_cast<const float4*>(x + (long long)row * L);
  constexpr int kVectors = L / 4, kStep = 32 * LOADS;
  double total = 0.0;
  for (int begin = 0; begin < kVectors; begin += kRun * kStep) {
    const int end = min(begin + kRun * kStep, kVectors);
    float4 sum[LOADS];
#pragma unroll
    for (int k = 0; k < LOADS; ++k) sum[k] = make_float4(0.0f, 0.0f, 0.0f, 0.0f);
    for (int i = begin + threadIdx.x; i < end; i += kStep) {
#pragma unroll
      for (int k = 0; k < LOADS; ++k) {
        const float4 v = in[i + k * 32];
        sum[k].x += v.x;
        sum[k].y += v.y;
        sum[k].z += v.z;
        sum[k].w += v.w;
      }
    }
#pragma unroll
    for (int k = 0; k < LOADS; ++k) total += (sum[k].x + sum[k].y) + (sum[k].z + sum[k].w);
  }
  for (int offset = 16; offset > 0; offset /= 2) total += __shfl_xor_sync(0xffffffffu, total, offset);
  if (threadIdx.x == 0) y[row] = (float)total;
}
