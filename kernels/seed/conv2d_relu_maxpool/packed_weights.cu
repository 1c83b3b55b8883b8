/*kevolve
{
  "idea": "Repack the constant weights once so that the FILTERS outputs of one tap are contiguous, then let each thread compute FV neighbouring filters for PIXELS neighbouring pixels in registers: one contiguous load of weights serves PIXELS multiply-adds, one input serves FV. The convolution goes to scratch filter-innermost, and the pooling reads it in the same order.",
  "tunables": { "FV": [16, 4, 8, 32], "PIXELS": [6, 4, 8, 11], "STRIPS": [1, 3, 5, 8] },
  "constraints": ["FILTERS % FV == 0", "FV * PIXELS <= 256"],
  "scratch": {
    "packed": { "dtype": "f32", "elements": "CHANNELS * KERNEL * KERNEL * FILTERS", "alignment": 64 },
    "conv": { "dtype": "f32", "elements": "BATCH * ((HEIGHT + 4 - KERNEL) / 4 + 1) * ((WIDTH + 4 - KERNEL) / 4 + 1) * FILTERS", "alignment": 64 }
  },
  "prepare": [
    { "kernel": "repack", "grid": ["ceil_div(CHANNELS * KERNEL * KERNEL * FILTERS, 256)"], "block": [256], "args": ["weight", "packed"] }
  ],
  "launches": [
    { "kernel": "conv_relu", "grid": ["ceil_div(((WIDTH + 4 - KERNEL) / 4 + 1), PIXELS * STRIPS)", "((HEIGHT + 4 - KERNEL) / 4 + 1)", "BATCH"],
      "block": ["FILTERS / FV", "STRIPS"], "args": ["x", "packed", "bias", "conv"] },
    { "kernel": "max_pool", "grid": ["(((WIDTH + 4 - KERNEL) / 4 - 2) / 2 + 1)", "(((HEIGHT + 4 - KERNEL) / 4 - 2) / 2 + 1)", "BATCH"], "block": ["FILTERS"], "args": ["conv", "y"] }
  ],
  "playbook": {
    "regimes": ["compute_bound", "memory_bound"],
    "evidence": "One multiply-add per two loads; weights read with a stride of a whole filter; integer instructions rival FMA."
  }
}
*/
constexpr int kStride = 4, kPad = 2;
constexpr int kConvRows = (HEIGHT + 2 * kPad - KERNEL) / kStride + 1;
constexpr int kConvColumns = (WIDTH + 2 * kPad - KERNEL) / kStride + 1;
constexpr int kPoolRows = (kConvRows - 3) / 2 + 1;
constexpr int kPoolColumns = (kConvColumns - 3) / 2 + 1;
constexpr int kTaps = CHANNELS * KERNEL * KERNEL;

// packed[channel][i][j][FILTERS]
__global__ void repack(const float* __restrict__ weight, float* __restrict__ packed) {
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= kTaps * FILTERS) return;
  packed[i] = weight[(i % FILTERS) * kTaps + i / FILTERS];
}

// conv[image][row][column][FILTERS]
__global__ void conv_relu(const float* __restrict__ x, const float* __restrict__ packed, const float* __restrict__ bias,
                          float* __restrict__ conv) {
  const int filter = threadIdx.x * FV;
  const int first = (blockIdx.x * STRIPS + threadIdx.y) * PIXELS;
  if (first >= kConvColumns) return;
  const int row = blockIdx.y;
  float sum[PIXELS][FV];
#pragma unroll
  for (int p = 0; p < PIXELS; ++p) {
#pragma unroll
    for (int f = 0; f < FV; ++f) sum[p][f] = bias[filter + f];
  }
  for (int channel = 0; channel < CHANNELS; ++channel) {
    for (int i = 0; i < KERNEL; ++i) {
      const int in_row = row * kStride - kPad + i;
      if (in_row < 0 || in_row >= HEIGHT) continue;
      const float* in = x + ((long long)(blockIdx.z * CHANNELS + channel) * HEIGHT + in_row) * WIDTH;
      const float* taps = packed + (channel * KERNEL + i) * KERNEL * FILTERS + filter;
      for (int j = 0; j < KERNEL; ++j) {
        float w[FV];
#pragma unroll
        for (int f = 0; f < FV; ++f) w[f] = taps[j * FILTERS + f];
#pragma unroll
        for (int p = 0; p < PIXELS; ++p) {
          const int column = (first + p) * kStride - kPad + j;
          const float value = column >= 0 && column < WIDTH ? in[column] : 0.0f;
#pragma unroll
          for (int f = 0; f < FV; ++f) sum[p][f] += value * w[f];
        }
      }
    }
  }
#pragma unroll
  for (int p = 0; p < PIXELS; ++p) {
    if (first + p >= kConvColumns) break;
    float* out = conv + ((long long)(blockIdx.z * kConvRows + row) * kConvColumns + first + p) * FILTERS + filter;
#pragma unroll
    for (int f = 0; f < FV; ++f) out[f] = sum[p][f] < 0.0f ? 0.0f : sum[p][f];  // keeps NaN
  }
}

// Maximum in which a NaN wins and stays.
__device__ __forceinline__ float max_nan(float best, float value) { return value > best || value != value ? value : best; }
__device__ __forceinline__ float relu(float value) { return value < 0.0f ? 0.0f : value; }

__global__ void max_pool(const float* __restrict__ conv, float* __restrict__ y) {
  const int filter = threadIdx.x, column = blockIdx.x, row = blockIdx.y;
  const float* window = conv + ((long long)(blockIdx.z * kConvRows + 2 * row) * kConvColumns + 2 * column) * FILTERS + filter;
  float best = window[0];
#pragma unroll
  for (int i = 0; i < 3; ++i) {
#pragma unroll
    for (int j = 0; j < 3; ++j) best = max_nan(best, window[(i * kConvColumns + j) * FILTERS]);
  }
  y[((long long)(blockIdx.z * FILTERS + filter) * kPoolRows + row) * kPoolColumns + column] = relu(best);
}
