/*kevolve
{
  "idea": "Half of the threads wait at a barrier that the others never reach.",
  "launches": [ { "kernel": "gelu_kernel", "grid": ["ceil_div(ROWS * COLS, 128)"], "block": [128], "args": ["x", "y"] } ]
}
*/
__device__ float gelu(float v) { return 0.5f * v * (1.0f + erff(v * 0.70710678118654752440f)); }

__global__ void gelu_kernel(const float* x, float* y) {
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= ROWS * COLS) return;
  if (threadIdx.x < 64) {
    __syncthreads();
    y[i] = gelu(x[i]);
  } else {
    y[i] = gelu(x[i]);
    while (*(volatile float*)(y + i - 64) != *(volatile float*)(y + i - 64) || threadIdx.x < 64) {
    }
  }
}
