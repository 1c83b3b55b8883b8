/*kevolve
{
  "idea": "Fuse the three operators: a thread computes the convolution values under PX neighbouring pooling windows in registers, row by row, keeps their maxima, and adds bias and ReLU once per window (both are monotone, so they commute with the maximum). The convolution never reaches memory; the price is that overlapping windows of neighbouring threads compute shared values twice.",
  "tunables": { "PX": [3, 1, 2, 4], "PY": [1, 2, 3], "BLOCK": [32, 64, 128, 96] },
  "launches": [
    { "kernel": "conv_relu_pool",
      "grid": ["ceil_div(FILTERS * ceil_div((((WIDTH + 4 - KERNEL) / 4 - 2) / 2 + 1), PX), BLOCK)", "ceil_div((((HEIGHT + 4 - KERNEL) / 4 - 2) / 2 + 1), PY)", "BATCH"],
      "block": ["BLOCK"], "args": ["x", "weight", "bias", "y"] }
  ],
  "playbook": {
    "regimes": ["memory_bound"],
    "evidence": "DRAM bytes far above the minimum: an intermediate of the convolution's size is written and read again."
  }
}
*/
constexpr int kStride = 4, kPad = 2;
constexpr int kConvRows = (HEIGHT + 2 * kPad - KERNEL) / kStride + 1;
constexpr int kConvColumns = (WIDTH + 2 * kPad - KERNEL) / kStride + 1;
constexpr int kPoolRows = (kConvRows - 3) / 2 + 1;
constexpr int kPoolColumns = (kConvColumns - 3) / 2 + 1;
constexpr int kTaps = CHANNELS * KERNEL * KERNEL;

// Maximum in which a NaN wins and stays.
__device__ __forceinline__ float max_nan(float best, float value) { return value > best || value != value ? value : best; }
__device__ __forceinline__ float relu(float value) { return value < 0.0f ? 0.0f : value; }

__global__ void conv_relu_pool(const float* __restrict__ x, const float* __restrict__ weight,
                               const float* __restrict__ bias, float* __restrict__ y) {
  constexpr int kStrips = (kPoolColumns + PX - 1) / PX;
  constexpr int kPixels = 2 * PX + 1;
  const int item = blockIdx.x * BLOCK + threadIdx.x;
  if (item >= FILTERS * kStrips) return;
  const int filter = item / kStrips, first = item % kStrips * PX;
  const float* taps = weight + filter * kTaps;
  float best[PY][PX];
#pragma unroll
  for (int r = 0; r < 2 * PY + 1; ++r) {
    const int row = blockIdx.y * PY * 2 + r;
    float sum[kPixels];
#pragma unroll
    for (int p = 0; p < kPixels; ++p) sum[p] = 0.0f;
    for (int channel = 0; channel < CHANNELS; ++channel) {
      for (int i = 0; i < KERNEL; ++i) {
        const int in_row = row * kStride - kPad + i;
        if (in_row < 0 || in_row >= HEIGHT) continue;
        const float* in = x + ((long long)(blockIdx.z * CHANNELS + channel) * HEIGHT + in_row) * WIDTH;
#pragma unroll
        for (int j = 0; j < KERNEL; ++j) {
          const float w = taps[(channel * KERNEL + i) * KERNEL + j];
#pragma unroll
          for (int p = 0; p < kPixels; ++p) {
            const int column = (2 * first + p) * kStride - kPad + j;
            sum[p] += w * (column >= 0 && column < WIDTH ? in[column] : 0.0f);
          }
        }
      }
    }
#pragma unroll
    for (int s = 0; s < PX; ++s) {
      const float across = max_nan(max_nan(sum[2 * s], sum[2 * s + 1]), sum[2 * s + 2]);
      // Convolution row r lies in window r / 2, and an even one also ends window r / 2 - 1.
      if (r % 2 == 0 && r > 0) best[r / 2 - 1][s] = max_nan(best[r / 2 - 1][s], across);
      if (r % 2 == 0 && r / 2 < PY) best[r / 2][s] = across;
      if (r % 2 == 1) best[r / 2][s] = max_nan(best[r / 2][s], across);
    }
  }
#pragma unroll
  for (int q = 0; q < PY; ++q) {
    const int row = blockIdx.y * PY + q;
    if (row >= kPoolRows) break;
#pragma unroll
    for (int s = 0; s < PX; ++s) {
      if (first + s < kPoolColumns)
        y[((long long)(blockIdx.z * FILTERS + filter) * kPoolRows + row) * kPoolColumns + first + s] =
            relu(best[q][s] + bias[filter]);
    }
  }
}
