/*kevolve
{
  "idea": "Half of each warp waits for the warp, the other half for the block.",
  "launches": [ { "kernel": "gelu_kernel", "grid": ["ceil_div(ROWS * COLS, 128)"], "block": [128], "args": ["x", "y"] } ]
}
*/
__device__ float gelu(float v) { return 0.5f * v * (1.0f + erff(v * 0.70710678118654752440f)); }

__global__ void gelu_kernel(const float* x, float* y) {
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= ROWS * COLS) return;
  __shared__ float tile[128];
  tile[threadIdx.x] = gelu(x[i]);
  if (threadIdx.x % 32 < 16) __syncwarp();
  __syncthreads();
  if (threadIdx.x % 32 >= 16) __syncwarp();
  y[i] = tile[threadIdx.x];
}
