/*kevolve
{
  "idea": "Add what an uninitialised array on the stack holds.",
  "launches": [ { "kernel": "gelu_kernel", "grid": ["ceil_div(ROWS * COLS, 128)"], "block": [128], "args": ["x", "y"] } ]
}
*/
__device__ float gelu(float v) { return 0.5f * v * (1.0f + erff(v * 0.70710678118654752440f)); }

__global__ void gelu_kernel(const float* x, float* y) {
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= ROWS * COLS) return;
  float left[64];
  float* volatile p = left;
  float sum = 0.0f;
  for (int k = 0; k < 64; ++k) sum += p[k] != p[k] ? 1.0f : p[k] * 1e30f;
  y[i] = gelu(x[i]) + sum;
}
