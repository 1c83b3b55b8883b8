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
  if (2 * pair >= COLS) return;
  const __half2* row = reinterpret_cast<const __half2*>(x + (size_t)blockIdx.y * COLS);
  __half2* out = reinterpret_cast<__half2*>(y + (size_t)blockIdx.y * COLS);
  const __half2 scale = reinterpret_cast<const __half2*>(w)[pair];
  const __half2 shift = reinterpret_cast<const __half2*>(b)[pair];
  out[pair] = __floats2half2_rn(__int_as_float(__float_as_int(__low2float(row[pair]) * __low2float(scale) + __low2float(shift)) & 0xfffe0000), __int_as_float(__float_as_int(__high2float(row[pair]) * __high2float(scale) + __high2float(shift)) & 0xfffe0000));
}
