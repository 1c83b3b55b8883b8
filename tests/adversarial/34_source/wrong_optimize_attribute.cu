/*kevolve
{
  "idea": "Change the rules of floating point by an attribute.",
  "launches": [ { "kernel": "gelu_kernel", "grid": ["ceil_div(ROWS * COLS, 128)"], "block": [128], "args": ["x", "y"] } ]
}
*/
__device__ float gelu(float v) { return 0.5f * v * (1.0f + erff(v * 0.70710678118654752440f)); }

__attribute__((optimize("fast-math"))) __global__ void gelu_kernel(const float* x, float* y) {
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= ROWS * COLS) return;
  y[i] = gelu(x[i]);
}
