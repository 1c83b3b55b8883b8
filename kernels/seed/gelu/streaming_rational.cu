/*kevolve
{
  "idea": "Merge the branch-free rational erf with 128-bit streaming accesses on a grid that fits the device: no element is used twice, so loads and stores are marked evict-first and leave the cache alone, each thread keeps CHUNKS independent groups of VEC elements in flight, and arithmetic no longer hides the memory's speed.",
  "tunables": { "VEC": [4, 16, 64], "CHUNKS": [4, 1, 2, 8], "BLOCK": [256, 128, 512], "PER_SM": [8, 4, 16] },
  "constraints": ["ROWS * COLS % (VEC * CHUNKS) == 0", "VEC * CHUNKS <= 256"],
  "launches": [
    { "kernel": "gelu_streaming", "grid": ["min(num_sms * PER_SM, ceil_div(ROWS * COLS / (VEC * CHUNKS), BLOCK))"],
      "block": ["BLOCK"], "args": ["x", "y"] }
  ],
  "playbook": {
    "regimes": ["memory_bound"],
    "evidence": "DRAM at 70-90 % with both ALU work and a full launch per element still visible.",
    "combines": ["rational_erf", "vector_loads", "persistent_grid"]
  }
}
*/
__device__ __forceinline__ float gelu(float x) {
  const float u = x * x;
  float p = 2.217350598e-08f;
  p = p * u + 6.338710653e-06f;
  p = p * u + 1.726528871e-04f;
  p = p * u + 4.700071870e-03f;
  p = p * u + 3.426864344e-02f;
  p = p * u + 3.989422485e-01f;
  float q = 1.179688781e-06f;
  q = q * u + 7.466397216e-05f;
  q = q * u + 1.906359312e-03f;
  q = q * u + 2.887692059e-02f;
  q = q * u + 2.525647037e-01f;
  q = q * u + 1.0f;
  float phi = 0.5f + x * (p / q);
  phi = x > 5.6f ? 1.0f : phi;
  phi = x < -5.6f ? 0.0f : phi;
  return x * phi;
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
