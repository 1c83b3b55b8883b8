/*kevolve
{
  "idea": "Merge the branch-free tail 1 / (2 q^16) with 128-bit streaming accesses on a grid that fits the device: no element is used twice, so loads and stores are marked evict-first and leave the cache alone, each thread keeps CHUNKS independent groups of VEC elements in flight, and arithmetic no longer hides the memory's speed.",
  "tunables": { "VEC": [4, 16, 64], "CHUNKS": [4, 1, 2, 8], "BLOCK": [256, 128, 512], "PER_SM": [8, 4, 16] },
  "constraints": ["ROWS * COLS % (VEC * CHUNKS) == 0", "VEC * CHUNKS <= 256"],
  "launches": [
    { "kernel": "gelu_streaming", "grid": ["min(num_sms * PER_SM, ceil_div(ROWS * COLS / (VEC * CHUNKS), BLOCK))"],
      "block": ["BLOCK"], "args": ["x", "y"] }
  ],
  "playbook": {
    "regimes": ["memory_bound"],
    "evidence": "DRAM at 70-90 % with both ALU work and a full launch per element still visible.",
    "combines": ["reciprocal_power", "vector_loads", "persistent_grid"]
  }
}
*/
// Fitted for the least relative error on [0, 5.7].
__device__ __forceinline__ float gelu(float x) {
  const float magnitude = fabsf(x);
  const float t = magnitude < 5.7f ? magnitude : 5.7f;
  float q = 2.556925785e-09f;
  q = q * t - 5.150519558e-08f;
  q = q * t + 5.838594768e-07f;
  q = q * t - 3.024034471e-06f;
  q = q * t + 1.249283409e-05f;
  q = q * t + 4.255148049e-05f;
  q = q * t + 3.625964102e-05f;
  q = q * t + 3.283695218e-03f;
  q = q * t + 2.113807492e-02f;
  q = q * t + 4.986769325e-02f;
  q = q * t + 1.0f;
  q = q * q;
  q = q * q;
  q = q * q;
  q = q * q;
  float tail = 0.5f / q;
  tail = magnitude < 5.7f ? tail : 0.0f;        // exactly 0: minus infinity must become NaN, as in 1 + erf
  return x * (x < 0.0f ? tail : 1.0f - tail);   // NaN comes in through x
}

// A step of a block covers CHUNKS groups of BLOCK * VEC elements, so that neighbouring threads touch neighbouring memory.
__global__ void __launch_bounds__(BLOCK) gelu_streaming(const float* __restrict__ x, float* __restrict__ y) {
  constexpr long long kElements = (long long)ROWS * COLS;
  constexpr long long kStep = (long long)BLOCK * VEC * CHUNKS;
  for (long long base = blockIdx.x * kStep; base < kElements; base += gridDim.x * kStep) {
    float v[CHUNKS][VEC];
#pragma unroll
    for (int c = 0; c < CHUNKS; ++c) {
      const long long first = base + ((long long)c * BLOCK + threadIdx.x) * VEC;
      if (first >= kElements) continue;
#pragma unroll
      for (int i = 0; i < VEC; i += 4) {
        const float4 four = __ldcs(reinterpret_cast<const float4*>(x + first + i));
        v[c][i] = four.x;
        v[c][i + 1] = four.y;
        v[c][i + 2] = four.z;
        v[c][i + 3] = four.w;
      }
    }
#pragma unroll
    for (int c = 0; c < CHUNKS; ++c) {
#pragma unroll
      for (int i = 0; i < VEC; ++i) v[c][i] = gelu(v[c][i]);
    }
#pragma unroll
    for (int c = 0; c < CHUNKS; ++c) {
      const long long first = base + ((long long)c * BLOCK + threadIdx.x) * VEC;
      if (first >= kElements) continue;
#pragma unroll
      for (int i = 0; i < VEC; i += 4)
        __stcs(reinterpret_cast<float4*>(y + first + i), make_float4(v[c][i], v[c][i + 1], v[c][i + 2], v[c][i + 3]));
    }
  }
}
