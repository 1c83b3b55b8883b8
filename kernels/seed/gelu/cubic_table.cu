/*kevolve
{
  "idea": "Tabulate: a first launch computes the normal distribution function and its density at 385 points of [-6, 6] and writes cubic Hermite coefficients; the second evaluates gelu by one table row and three multiply-adds per element. Interpolation error 2e-9; no erf, no division, no exponential per element.",
  "tunables": { "VEC": [64, 4, 16, 256], "BLOCK": [128, 64, 256] },
  "constraints": ["ROWS * COLS % VEC == 0"],
  "scratch": { "table": { "dtype": "f32", "elements": "4 * 384", "alignment": 64 } },
  "launches": [
    { "kernel": "fill_table", "grid": [3], "block": [128], "args": ["table"] },
    { "kernel": "gelu_table", "grid": ["ceil_div(ROWS * COLS / VEC, BLOCK)"], "block": ["BLOCK"], "args": ["x", "table", "y"] }
  ],
  "playbook": {
    "regimes": ["compute_bound"],
    "evidence": "Arithmetic per element dominates while the L1 hit rate is free to use: issue slots high, few loads."
  }
}
*/
constexpr float kLow = -6.0f, kStep = 1.0f / 32.0f;

// Row r: coefficients of 1, f, f^2, f^3 on [kLow + r step, kLow + (r + 1) step], f in [0, 1].
__global__ void fill_table(float* table) {
  const int r = blockIdx.x * blockDim.x + threadIdx.x;
  if (r >= 384) return;
  const double left = kLow + r * (double)kStep, right = left + kStep;
  const double value_left = 0.5 * erfc(-left * 0.70710678118654752440);
  const double value_right = 0.5 * erfc(-right * 0.70710678118654752440);
  const double slope_left = kStep * 0.39894228040143267794 * exp(-0.5 * left * left);
  const double slope_right = kStep * 0.39894228040143267794 * exp(-0.5 * right * right);
  const double rise = value_right - value_left;
  table[4 * r] = (float)value_left;
  table[4 * r + 1] = (float)slope_left;
  table[4 * r + 2] = (float)(3.0 * rise - 2.0 * slope_left - slope_right);
  table[4 * r + 3] = (float)(slope_left + slope_right - 2.0 * rise);
}

__device__ __forceinline__ float gelu(float x, const float* __restrict__ table) {
  const float position = (x - kLow) * (1.0f / kStep);
  const float inside = position >= 0.0f ? (position < 383.5f ? position : 383.5f) : 0.0f;  // NaN: row 0
  const int r = (int)inside;
  const float f = inside - (float)r;
  const float* row = table + 4 * r;
  float phi = row[0] + f * (row[1] + f * (row[2] + f * row[3]));
  phi = x > 5.98f ? 1.0f : phi;
  phi = x < -5.98f ? 0.0f : phi;
  return x * phi;
}

__global__ void gelu_table(const float* __restrict__ x, const float* __restrict__ table, float* __restrict__ y) {
  const long long first = ((long long)blockIdx.x * BLOCK + threadIdx.x) * VEC;
  if (first >= (long long)ROWS * COLS) return;
  const float* in = x + first;
  float* out = y + first;
#pragma unroll 4
  for (int i = 0; i < VEC; ++i) out[i] = gelu(in[i], table);
}
