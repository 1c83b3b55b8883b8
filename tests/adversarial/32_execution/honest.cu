/*kevolve
{
  "idea": "A loop that ends and a barrier that all threads reach; the honest twin of everything in this folder.",
  "launches": [ { "kernel": "gelu_kernel", "grid": ["ceil_div(ROWS * COLS, 128)"], "block": [128], "args": ["x", "y"] } ]
}
*/
__device__ float gelu(float v) { return 0.5f * v * (1.0f + erff(v * 0.70710678118654752440f)); }

__global__ void gelu_kernel(const float* x, float* y) {
  __shared__ float tile[128];
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  float v = 0.0f;
  for (int rounds = 0; rounds < 1000 && v == 0.0f; ++rounds) v = i < ROWS * COLS ? x[i] : 1.0f;
  tile[127 - threadIdx.x] = v;
  __syncthreads();
  if (i < ROWS * COLS) y[i] = gelu(tile[127 - threadIdx.x]);
}
