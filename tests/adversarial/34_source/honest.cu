/*kevolve
{
  "idea": "Ordinary includes, macros and comments that speak of printf, malloc and #include </etc/passwd>; the honest twin of everything in this folder.",
  "launches": [ { "kernel": "gelu_kernel", "grid": ["ceil_div(ROWS * COLS, 128)"], "block": [128], "args": ["x", "y"] } ]
}
*/
#include <cuda_runtime.h>
#include <cuda_fp16.h>
#include <cuda/std/cstdint>
#define GELU(v) gelu(v)  // no printf, no malloc(4)
/* #include "/etc/passwd" */
__device__ float gelu(float v) { return 0.5f * v * (1.0f + erff(v * 0.70710678118654752440f)); }

__global__ void gelu_kernel(const float* x, float* y) {
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= ROWS * COLS) return;
  y[i] = GELU(x[i]);
}
