/*kevolve
{
  "idea": "Merge the phase split with the fusion: over the zero-bordered copy in four column phases, a thread computes PIXELS contiguous pixels of FT filters with vector loads, keeps the running maximum over the rows of a pooling window in registers, and takes the maximum across columns when it stores. Neither border checks nor the convolution's result cost memory traffic; only the columns that two strips share are computed twice.",
  "tunables": { "PIXELS": [20, 7, 16, 32, 56], "FT": [4, 2, 6, 8], "PY": [3, 1, 2, 5, 9], "BLOCK": [12, 24, 96, 48] },
  "constraints": ["FILTERS % FT == 0", "PIXELS * FT <= 160"],
  "scratch": {
    "phases": { "dtype": "f32", "alignment": 64,
      "elements": "BATCH * CHANNELS * (((HEIGHT + 4 - KERNEL) / 4 + 1 + 2 * PY) * 4 + KERNEL) * 4 * (((WIDTH + 4 - KERNEL) / 4 + 1) + PIXELS + KERNEL / 4 + 1)" }
  },
  "launches": [
    { "kernel": "split_phases", "grid": ["((HEIGHT + 4 - KERNEL) / 4 + 1 + 2 * PY) * 4 + KERNEL", "BATCH * CHANNELS"], "block": [64], "args": ["x", "phases"] },
    { "kernel": "conv_relu_pool",
      "grid": ["ceil_div(ceil_div(((WIDTH + 4 - KERNEL) / 4 - 2) / 2 + 1, (PIXELS - 1) / 2) * (FILTERS / FT), BLOCK)", "ceil_div(((HEIGHT + 4 - KERNEL) / 4 - 2) / 2 + 1, PY)", "BATCH"],
      "block": ["BLOCK"], "args": ["phases", "weight", "bias", "y"] }
  ],
  "playbook": {
    "regimes": ["memory_bound", "compute_bound"],
    "evidence": "After undoing the stride, writing and re-reading the convolution's result is what is left of the traffic.",
    "combines": ["phase_split", "fused_pool"]
  }
}
*/
constexpr int kStride = 4, kPad = 2;
constexpr int kConvRows = (HEIGHT + 2 * kPad - KERNEL) / kStride + 1;
constexpr int kConvColumns = (WIDTH + 2 * kPad - KERNEL) / kStride + 1;
constexpr int kPoolRows = (kConvRows - 3) / 2 + 1;
constexpr int kPoolColumns = (kConvColumns - 3) / 2 + 1;
constexpr int kTaps = CHANNELS * KERNEL * KERNEL;
constexpr int kWindows = (PIXELS - 1) / 2;  // of a strip
constexpr int kStrips = (kPoolColumns + kWindows - 1) / kWindows;
constexpr int kPhaseColumns = kConvColumns + PIXELS + KERNEL / 4 + 1;
constexpr int kPaddedRows = (kConvRows + 2 * PY) * 4 + KERNEL;

// Maximum in which a NaN wins and stays.
__device__ __forceinline__ float max_nan(float best, float value) { return value > best || value != value ? value : best; }

// phases[image][channel][padded row][column % 4][column / 4], where padded row and column count from the border.
__global__ void split_phases(const float* __restrict__ x, float* __restrict__ phases) {
  const int row = (int)blockIdx.x - kPad;
  const float* in = x + ((long long)blockIdx.y * HEIGHT + row) * WIDTH;
  float* out = phases + ((long long)blockIdx.y * kPaddedRows + blockIdx.x) * 4 * kPhaseColumns;
  for (int i = threadIdx.x; i < 4 * kPhaseColumns; i += blockDim.x) {
    const int column = i - kPad;
    const bool inside = row >= 0 && row < HEIGHT && column >= 0 && column < WIDTH;
    out[i % 4 * kPhaseColumns + i / 4] = inside ? in[column] : 0.0f;
  }
}

__global__ void conv_relu_pool(const float* __restrict__ phases, const float* __restrict__ weight,
                               const float* __restrict__ bias, float* __restrict__ y) {
  const int item = blockIdx.x * BLOCK + threadIdx.x;
  if (item >= kStrips * (FILTERS / FT)) return;
  const int first_window = item % kStrips * kWindows, filter = item / kStrips * FT;
  const int first_row = blockIdx.y * PY * 2;
  float best[FT][PIXELS];
  for (int r = 0; r < 2 * PY + 1; ++r) {
    const int row = first_row + r;
    float sum[FT][PIXELS];
#pragma unroll
    for (int f = 0; f < FT; ++f) {
#pragma unroll
      for (int p = 0; p < PIXELS; ++p) sum[f][p] = 0.0f;
    }
    for (int channel = 0; channel < CHANNELS; ++channel) {
      for (int i = 0; i < KERNEL; ++i) {
        const float* in = phases + ((long long)(blockIdx.z * CHANNELS + channel) * kPaddedRows + row * 4 + i) * 4 * kPhaseColumns + 2 * first_window;
        const float* taps = weight + filter * kTaps + (channel * KERNEL + i) * KERNEL;
        for (int j = 0; j < KERNEL; ++j) {
          float value[PIXELS];
#pragma unroll
          for (int p = 0; p < PIXELS; ++p) value[p] = in[j % 4 * kPhaseColumns + j / 4 + p];
#pragma unroll
          for (int f = 0; f < FT; ++f) {
            const float w = taps[f * kTaps + j];
#pragma unroll
            for (int p = 0; p < PIXELS; ++p) sum[f][p] += w * value[p];
          }
        }
      }
    }
    // Rows 2q, 2q + 1 and 2q + 2 belong to window q: an even row ends one window and begins the next.
    const int window_row = first_row / 2 + r / 2 - 1;
#pragma unroll
    for (int f = 0; f < FT; ++f) {
      if (r > 0) {
#pragma unroll
        for (int p = 0; p < PIXELS; ++p) best[f][p] = max_nan(best[f][p], sum[f][p]);
      }
      if (r % 2 == 0 && r > 0 && window_row < kPoolRows) {
        float* out = y + ((long long)(blockIdx.z * FILTERS + filter + f) * kPoolRows + window_row) * kPoolColumns + first_window;
#pragma unroll
        for (int s = 0; s < kWindows; ++s) {
          const float value = max_nan(max_nan(best[f][2 * s], best[f][2 * s + 1]), best[f][2 * s + 2]) + bias[filter + f];
          if (first_window + s < kPoolColumns) out[s] = value < 0.0f ? 0.0f : value;  // keeps NaN
        }
      }
      if (r % 2 == 0) {
#pragma unroll
        for (int p = 0; p < PIXELS; ++p) best[f][p] = sum[f][p];
      }
    }
  }
}
