/*kevolve
{
  "idea": "Two kernels: one thread computes one element of the convolution with its ReLU into memory, then one thread takes the maximum of one pooling window. Slow, obvious and correct.",
  "scratch": {
    "conv": { "dtype": "f32", "elements": "BATCH * FILTERS * ((HEIGHT + 4 - KERNEL) / 4 + 1) * ((WIDTH + 4 - KERNEL) / 4 + 1)" }
  },
  "launches": [
    { "kernel": "conv_relu",
      "grid": ["ceil_div((WIDTH + 4 - KERNEL) / 4 + 1, 16)", "ceil_div((HEIGHT + 4 - KERNEL) / 4 + 1, 16)", "BATCH * FILTERS"],
      "block": [16, 16], "args": ["x", "weight", "bias", "conv"] },
    { "kernel": "max_pool",
      "grid": ["ceil_div(((WIDTH + 4 - KERNEL) / 4 - 2) / 2 + 1, 16)", "ceil_div(((HEIGHT + 4 - KERNEL) / 4 - 2) / 2 + 1, 16)", "BATCH * FILTERS"],
      "block": [16, 16], "args": ["conv", "y"] }
  ]
}
*/
constexpr int kStride = 4, kPad = 2;
constexpr int kConvRows = (HEIGHT + 2 * kPad - KERNEL) / kStride + 1;
constexpr int kConvColumns = (WIDTH + 2 * kPad - KERNEL) / kStride + 1;
constexpr int kPoolRows = (kConvRows - 3) / 2 + 1;
constexpr int kPoolColumns = (kConvColumns - 3) / 2 + 1;

__global__ void conv_relu(const float* x, const float* weight, const float* bias, float* conv) {
  const int column = blockIdx.x * blockDim.x + threadIdx.x;
  const int row = blockIdx.y * blockDim.y + threadIdx.y;
  const int image = blockIdx.z / FILTERS;
  const int filter = blockIdx.z % FILTERS;
  if (row >= kConvRows || column >= kConvColumns) return;
  float sum = bias[filter];
  for (int channel = 0; channel < CHANNELS; ++channel) {
    for (int i = 0; i < KERNEL; ++i) {
      for (int j = 0; j < KERNEL; ++j) {
        const int in_row = row * kStride - kPad + i;
        const int in_column = column * kStride - kPad + j;
        if (in_row < 0 || in_row >= HEIGHT || in_column < 0 || in_column >= WIDTH) continue;
        sum += x[((image * CHANNELS + channel) * HEIGHT + in_row) * WIDTH + in_column] *
               weight[((filter * CHANNELS + channel) * KERNEL + i) * KERNEL + j];
      }
    }
  }
  // Not fmaxf: it would turn NaN into 0, and PyTorch's ReLU keeps it.
  conv[(blockIdx.z * kConvRows + row) * kConvColumns + column] = sum < 0.0f ? 0.0f : sum;
}

__global__ void max_pool(const float* conv, float* y) {
  const int column = blockIdx.x * blockDim.x + threadIdx.x;
  const int row = blockIdx.y * blockDim.y + threadIdx.y;
  if (row >= kPoolRows || column >= kPoolColumns) return;
  float best = conv[(blockIdx.z * kConvRows + 2 * row) * kConvColumns + 2 * column];
  for (int i = 0; i < 3; ++i) {
    for (int j = 0; j < 3; ++j) {
      const float value = conv[(blockIdx.z * kConvRows + 2 * row + i) * kConvColumns + 2 * column + j];
      if (value > best || isnan(value)) best = value;  // a NaN in the window wins, and then stays
    }
  }
  y[(blockIdx.z * kPoolRows + row) * kPoolColumns + column] = best;
}
