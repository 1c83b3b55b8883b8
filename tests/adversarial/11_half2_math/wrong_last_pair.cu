/*kevolve
{
  "idea": "Two halves per instruction: __hmul2 and __hadd2 over half2, each step rounded as the reference does.",
  "constraints": ["COLS % 2 == 0"],
  "launches": [
    { "kernel": "affine2", "grid": ["ceil_div(COLS / 2, 32)", "ROWS"], "block": [32], "args": ["x", "w", "b", "y"] }
  ]
}
*/
#include <cuda_fp16.h>

__global__ void affine2(const __half* x, const __half* w, const __half* b, __half* y) {
  const int pair = blockIdx.x * blockDim.x + threadIdx.x;
  if (2 * pair + 2 >= COLS) return;
  const __half2* row = reinterpret_cast<const __half2*>(x + (size_t)blockIdx.y * COLS);
  __half2* out = reinterpret_cast<__half2*>(y + (size_t)blockIdx.y * COLS);
  const __half2 scale = reinterpret_cast<const __half2*>(w)[pair];
  const __half2 shift = reinterpret_cast<const __half2*>(b)[pair];
  out[pair] = __hadd2_rn(__hmul2_rn(row[pair], scale), shift);
}
