/*kevolve
{
  "idea": "One block per row: inclusive scan of each tile by __shfl_up_sync and a scan of the warps' totals, with a carry from tile to tile.",
  "tunables": { "BLOCK": [128, 32, 256] },
  "launches": [ { "kernel": "row_scan<BLOCK>", "grid": ["ROWS"], "block": ["BLOCK"], "args": ["x", "y"] } ]
}
*/
template <int kThreads>
__global__ void row_scan(const float* __restrict__ x, float* __restrict__ y) {
  constexpr int kWarps = kThreads / 32;
  __shared__ float totals[kWarps];
  const int lane = threadIdx.x & 31, warp = threadIdx.x >> 5;
  const float* in = x + (size_t)blockIdx.x * L;
  float* out = y + (size_t)blockIdx.x * L;
  float carry = 0.f;
  for (int base = 0; base < L; base += kThreads) {
    const int i = base + threadIdx.x;
    float v = i < L ? in[i] : 0.f;
    for (int d = 1; d < 32; d <<= 1) {
      const float left = __shfl_up_sync(0xffffffffu, v, d);
      if (lane >= d) v += left;
    }
    if (lane == 31) totals[warp] = v;
    __syncthreads();
    float before = carry;
    for (int w = 0; w < kWarps; ++w) {
      if (w < warp) before += totals[w];
    }
    if (i < L) out[i] = before + v;
    __syncthreads();
  }
}
