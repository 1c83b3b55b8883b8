/*kevolve
{
  "idea": "Replace erff, which branches on its argument, by a branch-free formula without exponential: the tail of the normal distribution is 1 / (2 q^16), where q is a polynomial of degree 10 in |x| fitted on [0, 5.7] (relative error of the tail 2e-6, so it stays right where 1 + erf cancels), and 0 beyond. One instruction stream serves all lanes and vectorises. VEC contiguous elements per thread amortise the index arithmetic.",
  "tunables": { "VEC": [64, 4, 8, 16, 256], "BLOCK": [128, 64, 256, 512] },
  "constraints": ["ROWS * COLS % VEC == 0"],
  "launches": [
    { "kernel": "gelu_power", "grid": ["ceil_div(ROWS * COLS / VEC, BLOCK)"], "block": ["BLOCK"], "args": ["x", "y"] }
  ],
  "playbook": {
    "regimes": ["compute_bound", "memory_bound"],
    "evidence": "ALU or FMA pipe above 40 % in an elementwise kernel, divergence inside erff, or a cpu where erff is a call."
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

__global__ void gelu_power(const float* __restrict__ x, float* __restrict__ y) {
  const long long first = ((long long)blockIdx.x * BLOCK + threadIdx.x) * VEC;
  if (first >= (long long)ROWS * COLS) return;
  const float* in = x + first;
  float* out = y + first;
#pragma unroll 4
  for (int i = 0; i < VEC; ++i) out[i] = gelu(in[i]);
}
