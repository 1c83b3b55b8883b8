/*kevolve
{
  "idea": "Each thread loads CHUNKS independent groups of four elements with 128-bit loads before it computes any of them, and stores them with 128-bit stores: fewer instructions per byte and more bytes in flight per thread.",
  "tunables": { "CHUNKS": [2, 1, 4, 8], "BLOCK": [256, 128, 512, 1024] },
  "constraints": ["ROWS * COLS % (4 * CHUNKS * BLOCK) == 0"],
  "launches": [
    { "kernel": "gelu_vector", "grid": ["ROWS * COLS / (4 * CHUNKS * BLOCK)"], "block": ["BLOCK"], "args": ["x", "y"] }
  ],
  "playbook": {
    "regimes": ["memory_bound"],
    "evidence": "DRAM below 90 % with scalar loads; stalls on long scoreboard; sectors per request above the ideal."
  }
}
*/
__device__ __forceinline__ float gelu(float x) { return 0.5f * x * (1.0f + erff(x * 0.70710678118654752440f)); }

__global__ void __launch_bounds__(BLOCK) gelu_vector(const float* __restrict__ x, float* __restrict__ y) {
  const long long first = (long long)blockIdx.x * (CHUNKS * BLOCK) + threadIdx.x;
  const float4* in = reinterpret_cast<const float4*>(x) + first;
  float4* out = reinterpret_cast<float4*>(y) + first;
  float4 v[CHUNKS];
#pragma unroll
  for (int i = 0; i < CHUNKS; ++i) v[i] = in[i * BLOCK];
#pragma unroll
  for (int i = 0; i < CHUNKS; ++i)
    out[i * BLOCK] = make_float4(gelu(v[i].x), gelu(v[i].y), gelu(v[i].z), gelu(v[i].w));
}
