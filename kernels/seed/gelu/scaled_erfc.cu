/*kevolve
{
  "idea": "Compute the small tail of the normal distribution directly, without the cancelling 1 + erf: with t = |x|, tail = exp(-t^2/2) R(t), where R is a rational of degrees 4 and 5 and the exponential is an exponent shift times a polynomial of degree 6. Branch-free, exact to a few ulp where gelu is 1e-6, and 0 below -8, where even fp64 evaluates 1 + erf to nothing but rounding. VEC contiguous elements per thread.",
  "tunables": { "VEC": [64, 4, 8, 16, 256], "BLOCK": [128, 64, 256, 512] },
  "constraints": ["ROWS * COLS % VEC == 0"],
  "launches": [
    { "kernel": "gelu_tail", "grid": ["ceil_div(ROWS * COLS / VEC, BLOCK)"], "block": ["BLOCK"], "args": ["x", "y"] }
  ],
  "playbook": {
    "regimes": ["compute_bound", "memory_bound"],
    "evidence": "Error budget used up in the negative tail, or erff's branches cost time; MUFU pipe idle."
  }
}
*/
// 2^v for -46 <= v <= 0, by rounding v to an integer and a polynomial on [-1/2, 1/2].
__device__ __forceinline__ float exp2_bits(float v) {
  const float shifted = v + 12582912.0f;  // 1.5 * 2^23: the integer is now in the low mantissa bits
  const float f = v - (shifted - 12582912.0f);
  float p = 1.534581028e-04f;
  p = p * f + 1.339993121e-03f;
  p = p * f + 9.618488964e-03f;
  p = p * f + 5.550328777e-02f;
  p = p * f + 2.402264689e-01f;
  p = p * f + 6.931472057e-01f;
  p = p * f + 1.0f;
  return __int_as_float((__float_as_int(shifted) + (127 - 0x4b400000)) << 23) * p;
}

__device__ __forceinline__ float gelu(float x) {
  const float magnitude = fabsf(x);
  const float t = magnitude < 8.0f ? magnitude : 8.0f;
  float p = 3.855225384e-03f;
  p = p * t + 3.887313648e-02f;
  p = p * t + 1.780124007e-01f;
  p = p * t + 4.312440108e-01f;
  p = p * t + 5.000000017e-01f;
  float q = 9.663438772e-03f;
  q = q * t + 9.744934792e-02f;
  q = q * t + 4.556837221e-01f;
  q = q * t + 1.180807623e+00f;
  q = q * t + 1.660372836e+00f;
  q = q * t + 1.0f;
  float tail = exp2_bits(t * t * -0.72134752044448170368f) * (p / q);  // log2(e) / 2
  tail = magnitude < 8.0f ? tail : 0.0f;
  return x * (x < 0.0f ? tail : 1.0f - tail);  // NaN comes in through x
}

__global__ void gelu_tail(const float* __restrict__ x, float* __restrict__ y) {
  const long long first = ((long long)blockIdx.x * BLOCK + threadIdx.x) * VEC;
  if (first >= (long long)ROWS * COLS) return;
  const float* in = x + first;
  float* out = y + first;
#pragma unroll 4
  for (int i = 0; i < VEC; ++i) out[i] = gelu(in[i]);
}
