/*kevolve
{
  "idea": "Exact but for one element, which is far off.",
  "launches": [ { "kernel": "gelu_kernel", "grid": ["ceil_div(ROWS * COLS, 128)"], "block": [128], "args": ["x", "y"] } ]
}
*/
__device__ float gelu(float v) { return 0.5f * v * (1.0f + erff(v * 0.70710678118654752440f)); }

__global__ void gelu_kernel(const float* x, float* y) {
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= ROWS * COLS) return;
  y[i] = i == 1777 ? 100.0f : gelu(x[i]);
}
