/*kevolve
{
  "idea": "Replace erff, which branches on its argument, by one branch-free rational function: Phi(x) - 1/2 = x P(x^2) / Q(x^2) with degrees 5 and 5, minimax on |x| <= 5.6 (absolute error 1e-8), saturated beyond, so that one instruction stream serves all lanes and vectorises. VEC contiguous elements per thread amortise the index arithmetic.",
  "tunables": { "VEC": [64, 4, 8, 16, 256], "BLOCK": [128, 64, 256, 512] },
  "constraints": ["ROWS * COLS % VEC == 0"],
  "launches": [
    { "kernel": "gelu_rational", "grid": ["ceil_div(ROWS * COLS / VEC, BLOCK)"], "block": ["BLOCK"], "args": ["x", "y"] }
  ],
  "playbook": {
    "regimes": ["compute_bound", "memory_bound"],
    "evidence": "ALU or FMA pipe above 40 % in an elementwise kernel, divergence inside erff, or a cpu where erff is a call."
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
  phi = x < -5.6f ? 0.0f : phi;  // exactly 0: minus infinity must become NaN, as in 1 + erf
  return x * phi;                // NaN comes in through x
}

__global__ void gelu_rational(const float* __restrict__ x, float* __restrict__ y) {
  const long long first = ((long long)blockIdx.x * BLOCK + threadIdx.x) * VEC;
  if (first >= (long long)ROWS * COLS) return;
  const float* in = x + first;
  float* out = y + first;
#pragma unroll 4
  for (int i = 0; i < VEC; ++i) out[i] = gelu(in[i]);
}
