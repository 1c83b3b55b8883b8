/*kevolve
{
  "idea": "Three-dimensional blocks (column, row, filter) with a __constant__ table of window offsets; one thread per pooled output recomputes the nine values it needs.",
  "launches": [
    { "kernel": "fused", "block": [4, 2, 8], "args": ["x", "weight", "bias", "y"],
      "grid": ["ceil_div(((WIDTH + 4 - KERNEL) / 4 - 2) / 2 + 1, 4)", "ceil_div(((HEIGHT + 4 - KERNEL) / 4 - 2) / 2 + 1, 2)", "BATCH * ceil_div(FILTERS, 8)"] }
  ]
}
*/
__constant__ const int2 window[9] = {{0, 0}, {0, 1}, {0, 2}, {1, 0}, {1, 1}, {1, 2}, {2, 0}, {2, 1}, {2, 2}};
#define CONV_H ((HEIGHT + 4 - KERNEL) / 4 + 1)
#define CONV_W ((WIDTH + 4 - KERNEL) / 4 + 1)
#define OUT_H ((CONV_H - 3) / 2 + 1)
#define OUT_W ((CONV_W - 3) / 2 + 1)

__device__ float conv_at(const float* image, const float* filter, int p, int q) {
  float sum = 0.f;
  for (int c = 0; c < CHANNELS; ++c)
    for (int i = 0; i < KERNEL; ++i)
      for (int j = 0; j < KERNEL; ++j) {
        int r = 4 * p - 1 + i, s = 4 * q - 1 + j;
        if ((unsigned)r < HEIGHT && (unsigned)s < WIDTH)
          sum += image[(c * HEIGHT + r) * WIDTH + s] * filter[(c * KERNEL + i) * KERNEL + j];
      }
  return sum;
}

__global__ void fused(const float* x, const float* weight, const float* bias, float* y) {
  const int groups = (FILTERS + 7) / 8;
  int q = blockIdx.x * blockDim.x + threadIdx.x, p = blockIdx.y * blockDim.y + threadIdx.y;
  int f = blockIdx.z % groups * 8 + threadIdx.z, n = blockIdx.z / groups;
  if (q >= OUT_W || p >= OUT_H || f >= FILTERS) return;
  float best = 0.f;
  for (int k = 0; k < 9; ++k) {
    float v = conv_at(x + n * CHANNELS * HEIGHT * WIDTH, weight + f * CHANNELS * KERNEL * KERNEL, 2 * p + window[k].x, 2 * q + window[k].y) + bias[f];
    if (!(v <= best)) best = v;
    if (isnan(best)) break;
  }
  y[((n * FILTERS + f) * OUT_H + p) * OUT_W + q] = best;
}
