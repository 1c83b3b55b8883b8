/*kevolve
{
  "idea": "Undo the stride: a first launch copies the image with its zero border into four column phases (column modulo 4), so that the inputs of neighbouring pixels are contiguous for every tap. Each thread then computes PIXELS contiguous pixels for FT filters with vector loads and no bounds check at all; a third launch pools.",
  "tunables": { "PIXELS": [16, 8, 4, 28], "FT": [8, 4, 2, 6], "BLOCK": [12, 24, 96, 48] },
  "constraints": ["FILTERS % FT == 0", "PIXELS * FT <= 256"],
  "scratch": {
    "phases": { "dtype": "f32", "alignment": 64,
      "elements": "BATCH * CHANNELS * (((HEIGHT + 4 - KERNEL) / 4 + 1) * 4 + KERNEL) * 4 * (ceil_div(((WIDTH + 4 - KERNEL) / 4 + 1), PIXELS) * PIXELS + KERNEL / 4 + 1)" },
    "conv": { "dtype": "f32", "elements": "BATCH * FILTERS * ((HEIGHT + 4 - KERNEL) / 4 + 1) * ((WIDTH + 4 - KERNEL) / 4 + 1)" }
  },
  "launches": [
    { "kernel": "split_phases", "grid": ["((HEIGHT + 4 - KERNEL) / 4 + 1) * 4 + KERNEL", "BATCH * CHANNELS"], "block": [64], "args": ["x", "phases"] },
    { "kernel": "conv_relu",
      "grid": ["ceil_div(ceil_div(((WIDTH + 4 - KERNEL) / 4 + 1), PIXELS) * (FILTERS / FT), BLOCK)", "((HEIGHT + 4 - KERNEL) / 4 + 1)", "BATCH"], "block": ["BLOCK"],
      "args": ["phases", "weight", "bias", "conv"] },
    { "kernel": "max_pool", "grid": ["ceil_div((((WIDTH + 4 - KERNEL) / 4 - 2) / 2 + 1), 32)", "(((HEIGHT + 4 - KERNEL) / 4 - 2) / 2 + 1)", "BATCH * FILTERS"], "block": [32], "args": ["conv", "y"] }
  ],
  "playbook": {
    "regimes": ["memory_bound", "compute_bound"],
    "evidence": "Strided input reads (few bytes used per sector) and predicates of the border in the innermost loop."
  }
}
*/
constexpr int kStride = 4, kPad = 2;
constexpr int kConvRows = (HEIGHT + 2 * kPad - KERNEL) / kStride + 1;
constexpr int kConvColumns = (WIDTH + 2 * kPad - KERNEL) / kStride + 1;
constexpr int kPoolRows = (kConvRows - 3) / 2 + 1;
constexpr int kPoolColumns = (kConvColumns - 3) / 2 + 1;
constexpr int kTaps = CHANNELS * KERNEL * KERNEL;
constexpr int kStrips = (kConvColumns + PIXELS - 1) / PIXELS;
constexpr int kPhaseColumns = kStrips * PIXELS + KERNEL / 4 + 1;
constexpr int kPaddedRows = kConvRows * 4 + KERNEL;

// Maximum in which a NaN wins and stays.
__device__ __forceinline__ float max_nan(float best, float value) { return value > best || value != value ? value : best; }
__device__ __forceinline__ float relu(float value) { return value < 0.0f ? 0.0f : value; }

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

__global__ void conv_relu(const float* __restrict__ phases, const float* __restrict__ weight,
                          const float* __restrict__ bias, float* __restrict__ conv) {
  const int item = blockIdx.x * BLOCK + threadIdx.x;
  if (item >= kStrips * (FILTERS / FT)) return;
  const int first = item % kStrips * PIXELS, filter = item / kStrips * FT, row = blockIdx.y;
  float sum[FT][PIXELS];
#pragma unroll
  for (int f = 0; f < FT; ++f) {
#pragma unroll
    for (int p = 0; p < PIXELS; ++p) sum[f][p] = bias[filter + f];
  }
  for (int channel = 0; channel < CHANNELS; ++channel) {
    for (int i = 0; i < KERNEL; ++i) {
      const float* in = phases + ((long long)(blockIdx.z * CHANNELS + channel) * kPaddedRows + row * 4 + i) * 4 * kPhaseColumns + first;
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
#pragma unroll
  for (int f = 0; f < FT; ++f) {
    float* out = conv + ((long long)(blockIdx.z * FILTERS + filter + f) * kConvRows + row) * kConvColumns + first;
#pragma unroll
    for (int p = 0; p < PIXELS; ++p) {
      if (first + p < kConvColumns) out[p] = relu(sum[f][p]);
    }
  }
}

__global__ void max_pool(const float* __restrict__ conv, float* __restrict__ y) {
  const int column = blockIdx.x * blockDim.x + threadIdx.x, row = blockIdx.y;
  if (column >= kPoolColumns) return;
  const float* window = conv + ((long long)blockIdx.z * kConvRows + 2 * row) * kConvColumns + 2 * column;
  float best = window[0];
#pragma unroll
  for (int i = 0; i < 3; ++i) {
#pragma unroll
    for (int j = 0; j < 3; ++j) best = max_nan(best, window[i * kConvColumns + j]);
  }
  y[((long long)blockIdx.z * kPoolRows + row) * kPoolColumns + column] = best;
}
