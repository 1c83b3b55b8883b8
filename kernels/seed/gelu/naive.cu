/*kevolve
{
  "idea": "One thread computes one element with the library's erff. Slow, obvious and correct.",
  "launches": [
    { "kernel": "gelu_element", "grid": ["ceil_div(ROWS * COLS, 256)"], "block": [256], "args": ["x", "y"] }
  ]
}
*/
__global__ void gelu_element(const float* x, float* y) {
  const long long i = (long long)blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= (long long)ROWS * COLS) return;
  y[i] = 0.5f * x[i] * (1.0f + erff(x[i] * 0.70710678118654752440f));
}
