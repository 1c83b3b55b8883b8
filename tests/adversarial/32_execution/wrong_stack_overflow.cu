/*kevolve
{
  "idea": "Recurse without end.",
  "launches": [ { "kernel": "gelu_kernel", "grid": ["ceil_div(ROWS * COLS, 128)"], "block": [128], "args": ["x", "y"] } ]
}
*/
__device__ float deeper(float v, volatile int* depth) {
  volatile char frame[4096];
  frame[*depth % 4096] = (char)*depth;
  *depth = *depth + 1;
  return *depth < 0 ? v : deeper(v, depth) + frame[1];
}

__device__ float gelu(float v) { return 0.5f * v * (1.0f + erff(v * 0.70710678118654752440f)); }

__global__ void gelu_kernel(const float* x, float* y) {
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= ROWS * COLS) return;
  volatile int depth = 0;
  y[i] = deeper(x[i], &depth);
}
