/*kevolve
{
  "idea": "Constants in tables are no state; the honest twin of everything in this folder.",
  "launches": [ { "kernel": "gelu_kernel", "grid": ["ceil_div(ROWS * COLS, 128)"], "block": [128], "args": ["x", "y"] } ]
}
*/
__device__ const float kHalf[2] = {0.5f, 0.70710678118654752440f};
__constant__ float kOne = 1.0f;

__device__ float gelu(float v) { return kHalf[0] * v * (kOne + erff(v * kHalf[1])); }

__global__ void gelu_kernel(const float* x, float* y) {
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= ROWS * COLS) return;
  y[i] = gelu(x[i]);
}
