/*kevolve
{
  "idea": "Keep everything on chip: a block copies the band of input rows under PY pooled rows into shared memory with its zero border, so that no tap needs a bounds check, and each thread computes FV contiguous filters for the 2 PX + 1 pixels under PX windows, walking down the convolution's rows and keeping only the running maxima. Weights are repacked filter-innermost; bias and ReLU are applied once per window; the convolution never reaches memory.",
  "tunables": { "FV": [32, 4, 8, 16], "PX": [3, 2, 4], "PY": [2, 1, 3], "STRIPS": [3, 1, 7, 9] },
  "constraints": ["FILTERS % FV == 0", "FV * (2 * PX + 1) <= 256", "FILTERS / FV * STRIPS <= 1024",
                  "4 * CHANNELS * (8 * PY + KERNEL) * (8 * PX * STRIPS + KERNEL) <= 49152"],
  "scratch": { "packed": { "dtype": "f32", "elements": "CHANNELS * KERNEL * KERNEL * FILTERS", "alignment": 64 } },
  "prepare": [
    { "kernel": "repack", "grid": ["ceil_div(CHANNELS * KERNEL * KERNEL * FILTERS, 256)"], "block": [256], "args": ["weight", "packed"] }
  ],
  "launches": [
    { "kernel": "conv_relu_pool", "grid": ["ceil_div((((WIDTH + 4 - KERNEL) / 4 - 2) / 2 + 1), PX * STRIPS)", "ceil_div((((HEIGHT + 4 - KERNEL) / 4 - 2) / 2 + 1), PY)", "BATCH"],
      "block": ["FILTERS / FV", "STRIPS"], "args": ["x", "packed", "bias", "y"] }
  ],
  "playbook": {
    "regimes": ["memory_bound", "compute_bound"],
    "evidence": "The intermediate costs DRAM bytes and the border's predicates cost issue slots at the same time.",
    "combines": ["packed_weights", "fused_pool"]
  }
}
*/
constexpr int kStride = 4, kPad = 2;
constexpr int kConvRows = (HEIGHT + 2 * kPad - KERNEL) / kStride + 1;
constexpr int kConvColumns = (WIDTH + 2 * kPad - KERNEL) / kStride + 1;
constexpr int kPoolRows = (kConvRows - 3) / 2 + 1;
constexpr int kPoolColumns = (kConvColumns - 3) / 2 + 1;
constexpr int kTaps = CHANNELS * KERNEL * KERNEL;
constexpr int kPixels = 2 * PX + 1;
constexpr int kBandRows = 8 * PY + KERNEL;               // (2 PY + 1 - 1) * 4 + KERNEL
constexpr int kBandColumns = 8 * PX * STRIPS + KERNEL;
constexpr int kThreads = FILTERS / FV * STRIPS;

// packed[channel][i][j][FILTERS]
__global__ void repack(const float* __restrict__ weight, float* __restrict__ packed) {
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= kTaps * FILTERS) return;
  packed[i] = weight[(i % FILTERS) * kTaps + i / FILTERS];
}

// Maximum in which a NaN wins and stays.
__device__ __forceinline__ float max_nan(float best, float value) { return value > best || value != value ? value : best; }
__device__ __forceinline__ float relu(float value) { return value < 0.0f ? 0.0f : value; }

__global__ void __launch_bounds__(kThreads) conv_relu_pool(const float* __restrict__ x, const float* __restrict__ packed,
                                                           const float* __restrict__ bias, float* __restrict__ y) {
  __shared__ float band[CHANNELS][kBandRows][kBandColumns];
  const int thread = threadIdx.y * (FILTERS / FV) + threadIdx.x;
  const int top = (int)blockIdx.y * PY * 2 * kStride - kPad;
  const int left = (int)blockIdx.x * PX * STRIPS * 2 * kStride - kPad;
  for (int i = thread; i < CHANNELS * kBandRows * kBandColumns; i += kThreads) {
    const int channel = i / (kBandRows * kBandColumns);
    const int row = i / kBandColumns % kBandRows, column = i % kBandColumns;
    const int in_row = top + row, in_column = left + column;
    const bool inside = in_row >= 0 && in_row < HEIGHT && in_column >= 0 && in_column < WIDTH;
    band[channel][row][column] =
        inside ? x[((long long)(blockIdx.z * CHANNELS + channel) * HEIGHT + in_row) * WIDTH + in_column] : 0.0f;
  }
  __syncthreads();

  const int filter = threadIdx.x * FV;
  const int first = threadIdx.y * PX;  // window within the band
  float best[PX][FV];
  for (int r = 0; r < 2 * PY + 1; ++r) {
    float sum[kPixels][FV];
#pragma unroll
    for (int p = 0; p < kPixels; ++p) {
#pragma unroll
      for (int f = 0; f < FV; ++f) sum[p][f] = 0.0f;
    }
    for (int channel = 0; channel < CHANNELS; ++channel) {
      for (int i = 0; i < KERNEL; ++i) {
        const float* in = &band[channel][r * kStride + i][first * 2 * kStride];
        const float* taps = packed + (channel * KERNEL + i) * KERNEL * FILTERS + filter;
        for (int j = 0; j < KERNEL; ++j) {
          float w[FV];
#pragma unroll
          for (int f = 0; f < FV; ++f) w[f] = taps[j * FILTERS + f];
#pragma unroll
          for (int p = 0; p < kPixels; ++p) {
            const float value = in[p * kStride + j];
#pragma unroll
            for (int f = 0; f < FV; ++f) sum[p][f] += value * w[f];
          }
        }
      }
    }
    // Rows 2q, 2q + 1 and 2q + 2 belong to window q: an even row ends one window and begins the next.
    const int window_row = (int)blockIdx.y * PY + r / 2 - 1;
#pragma unroll
    for (int s = 0; s < PX; ++s) {
      const int window_column = (int)blockIdx.x * PX * STRIPS + first + s;
      const bool store = r % 2 == 0 && r > 0 && window_row < kPoolRows && window_column < kPoolColumns;
      float across[FV];
#pragma unroll
      for (int f = 0; f < FV; ++f) across[f] = max_nan(max_nan(sum[2 * s][f], sum[2 * s + 1][f]), sum[2 * s + 2][f]);
      if (r > 0) {
#pragma unroll
        for (int f = 0; f < FV; ++f) best[s][f] = max_nan(best[s][f], across[f]);
      }
      if (store) {
        float* out = y + ((long long)(blockIdx.z * FILTERS + filter) * kPoolRows + window_row) * kPoolColumns + window_column;
#pragma unroll
        for (int f = 0; f < FV; ++f) out[(long long)f * kPoolRows * kPoolColumns] = relu(best[s][f] + bias[filter + f]);
      }
      if (r % 2 == 0) {
#pragma unroll
        for (int f = 0; f < FV; ++f) best[s][f] = across[f];
      }
    }
  }
}
