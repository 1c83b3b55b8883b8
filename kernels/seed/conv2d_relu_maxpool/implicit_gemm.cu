/*kevolve
{
  "idea": "See the convolution as a matrix product: pixels of all images by filters, summed over the taps. A block stages a DEPTH x PIXELS slice of the patches, gathered on the fly, in shared memory and multiplies it with the repacked weights; the patch matrix never exists. The index arithmetic of a tap is done once per staged element instead of once per multiply-add. A second launch pools.",
  "tunables": { "PIXELS": [64, 32, 128], "TP": [4, 8, 16], "TF": [32, 8, 4, 16], "DEPTH": [121, 33, 11] },
  "constraints": ["FILTERS % TF == 0", "PIXELS % TP == 0", "TP * TF <= 256", "CHANNELS * KERNEL * KERNEL % DEPTH == 0",
                  "PIXELS / TP * (FILTERS / TF) <= 1024", "PIXELS * DEPTH * 4 <= 49152"],
  "scratch": {
    "packed": { "dtype": "f32", "elements": "CHANNELS * KERNEL * KERNEL * FILTERS", "alignment": 64 },
    "conv": { "dtype": "f32", "elements": "BATCH * ((HEIGHT + 4 - KERNEL) / 4 + 1) * ((WIDTH + 4 - KERNEL) / 4 + 1) * FILTERS", "alignment": 64 }
  },
  "prepare": [
    { "kernel": "repack", "grid": ["ceil_div(CHANNELS * KERNEL * KERNEL * FILTERS, 256)"], "block": [256], "args": ["weight", "packed"] }
  ],
  "launches": [
    { "kernel": "conv_relu", "grid": ["ceil_div(BATCH * ((HEIGHT + 4 - KERNEL) / 4 + 1) * ((WIDTH + 4 - KERNEL) / 4 + 1), PIXELS)"], "block": ["FILTERS / TF", "PIXELS / TP"],
      "args": ["x", "packed", "bias", "conv"] },
    { "kernel": "max_pool", "grid": ["(((WIDTH + 4 - KERNEL) / 4 - 2) / 2 + 1)", "(((HEIGHT + 4 - KERNEL) / 4 - 2) / 2 + 1)", "BATCH"], "block": ["FILTERS"], "args": ["conv", "y"] }
  ],
  "playbook": {
    "regimes": ["compute_bound"],
    "evidence": "ALU share high from index arithmetic; FMA pipe below 60 %; small images leave row-wise tiles ragged.",
    "combines": ["packed_weights"]
  }
}
*/
constexpr int kStride = 4, kPad = 2;
constexpr int kConvRows = (HEIGHT + 2 * kPad - KERNEL) / kStride + 1;
constexpr int kConvColumns = (WIDTH + 2 * kPad - KERNEL) / kStride + 1;
constexpr int kPoolRows = (kConvRows - 3) / 2 + 1;
constexpr int kPoolColumns = (kConvColumns - 3) / 2 + 1;
constexpr int kTaps = CHANNELS * KERNEL * KERNEL;
constexpr int kPixels = BATCH * kConvRows * kConvColumns;
constexpr int kThreads = (FILTERS / TF) * (PIXELS / TP);

// packed[channel][i][j][FILTERS]
__global__ void repack(const float* __restrict__ weight, float* __restrict__ packed) {
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= kTaps * FILTERS) return;
  packed[i] = weight[(i % FILTERS) * kTaps + i / FILTERS];
}

// conv[pixel][FILTERS], pixels of all images in order
__global__ void __launch_bounds__(kThreads) conv_relu(const float* __restrict__ x, const float* __restrict__ packed,
                                                      const float* __restrict__ bias, float* __restrict__ conv) {
  __shared__ __align__(16) float patches[DEPTH][PIXELS];
  const int filter = threadIdx.x * TF, first = threadIdx.y * TP;
  const int block_pixel = blockIdx.x * PIXELS;
  const int thread = threadIdx.y * (FILTERS / TF) + threadIdx.x;
  float sum[TP][TF];
#pragma unroll
  for (int p = 0; p < TP; ++p) {
#pragma unroll
    for (int f = 0; f < TF; ++f) sum[p][f] = bias[filter + f];
  }
  for (int tap0 = 0; tap0 < kTaps; tap0 += DEPTH) {
    for (int i = thread; i < DEPTH * PIXELS; i += kThreads) {
      const int pixel = block_pixel + i % PIXELS, tap = tap0 + i / PIXELS;
      const int image = pixel / (kConvRows * kConvColumns), place = pixel % (kConvRows * kConvColumns);
      const int channel = tap / (KERNEL * KERNEL), offset = tap % (KERNEL * KERNEL);
      const int row = place / kConvColumns * kStride - kPad + offset / KERNEL;
      const int column = place % kConvColumns * kStride - kPad + offset % KERNEL;
      const bool inside = pixel < kPixels && row >= 0 && row < HEIGHT && column >= 0 && column < WIDTH;
      patches[i / PIXELS][i % PIXELS] =
          inside ? x[((long long)(image * CHANNELS + channel) * HEIGHT + row) * WIDTH + column] : 0.0f;
    }
    __syncthreads();
    const float* taps = packed + tap0 * FILTERS + filter;
#pragma unroll 4
    for (int k = 0; k < DEPTH; ++k) {
      float w[TF];
#pragma unroll
      for (int f = 0; f < TF; ++f) w[f] = taps[k * FILTERS + f];
#pragma unroll
      for (int p = 0; p < TP; ++p) {
        const float value = patches[k][first + p];
#pragma unroll
        for (int f = 0; f < TF; ++f) sum[p][f] += value * w[f];
      }
    }
    __syncthreads();
  }
#pragma unroll
  for (int p = 0; p < TP; ++p) {
    if (block_pixel + first + p >= kPixels) break;
    float* out = conv + (long long)(block_pixel + first + p) * FILTERS + filter;
#pragma unroll
    for (int f = 0; f < TF; ++f) out[f] = sum[p][f] < 0.0f ? 0.0f : sum[p][f];  // keeps NaN
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
