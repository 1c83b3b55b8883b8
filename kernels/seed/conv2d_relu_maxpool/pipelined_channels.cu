/*kevolve
{
  "idea": "One fused fp32 kernel: a block computes 3 pooled rows of an image for all filters. The input of a channel, split into column phases with its zero border, and the tap-major weights of that channel come into double-buffered shared memory by cp.async; every thread keeps 7 pixels x FT filters in registers and reads only shared memory; bias, ReLU and the maximum are applied from a tile in shared memory.",
  "tunables": { "FT": [8, 16, 12] },
  "constraints": ["FILTERS == 96", "CHANNELS == 3", "KERNEL == 11", "HEIGHT == 224", "WIDTH == 224", "FILTERS % FT == 0", "FT % 4 == 0"],
  "scratch": { "packed": { "dtype": "f32", "elements": "CHANNELS * KERNEL * KERNEL * FILTERS" } },
  "prepare": [
    { "kernel": "repack", "grid": ["ceil_div(CHANNELS * KERNEL * KERNEL * FILTERS, 256)"], "block": [256], "args": ["weight", "packed"] }
  ],
  "launches": [
    { "kernel": "conv_pool", "grid": [9, "BATCH"], "block": ["FILTERS / FT * 56"], "shared_bytes": 158464,
      "args": ["x", "packed", "bias", "y"] }
  ],
  "playbook": {
    "regimes": ["memory_bound", "compute_bound", "latency_bound"],
    "evidence": "A convolution that goes to memory before it is pooled, or whose FFMA units wait for shared memory.",
    "requires": ["inline_ptx"]
  }
}
*/
constexpr int kTaps = CHANNELS * KERNEL * KERNEL;
constexpr int kPool = 27, kPoolRows = 3, kConvRows = 7;
constexpr int kInRows = 4 * (kConvRows - 1) + KERNEL;
constexpr int kPhase = 58;               // words of one column phase of an input row: 56 pixels and 2 more
constexpr int kLine = 4 * kPhase + 2;    // words of an input row; four of them are 8 banks more than a whole turn
constexpr int kWeights = KERNEL * KERNEL * FILTERS;
constexpr int kBuffer = kWeights + kInRows * kLine + 2;  // floats of a stage, a multiple of 4
constexpr int kThreads = FILTERS / FT * 56;
constexpr int kConvPitch = 396;          // floats of a filter's 7 rows of 56

// packed[channel][i][j][FILTERS]
__global__ void repack(const float* __restrict__ weight, float* __restrict__ packed) {
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= kTaps * FILTERS) return;
  packed[i] = weight[(i % FILTERS) * kTaps + i / FILTERS];
}

// Maximum in which a NaN wins and stays.
__device__ __forceinline__ float max_nan(float best, float value) { return value > best || value != value ? value : best; }
__device__ __forceinline__ float relu(float value) { return value < 0.0f ? 0.0f : value; }

__device__ __forceinline__ void copy16(float* to, const float* from) {
  asm volatile("cp.async.cg.shared.global [%0], [%1], 16;" ::"r"((unsigned)__cvta_generic_to_shared(to)), "l"(from)
               : "memory");
}
// Copies a float, or a zero if `bytes` is 0 instead of 4.
__device__ __forceinline__ void copy4(float* to, const float* from, int bytes) {
  asm volatile("cp.async.ca.shared.global [%0], [%1], 4, %2;" ::"r"((unsigned)__cvta_generic_to_shared(to)), "l"(from),
               "r"(bytes)
               : "memory");
}

// Fetches the weights and the input rows of a channel.
__device__ __forceinline__ void fetch(float* buffer, const float* packed, const float* image, int channel, int first_row) {
  const float* taps = packed + channel * kWeights;
  for (int i = threadIdx.x; i < kWeights / 4; i += kThreads) copy16(buffer + i * 4, taps + i * 4);
  const float* plane = image + channel * (HEIGHT * WIDTH);
  for (int i = threadIdx.x; i < kInRows * 4 * kPhase; i += kThreads) {
    const int line = i / (4 * kPhase), place = i % (4 * kPhase);
    const int row = first_row + line, column = place - 2;
    const bool inside = row >= 0 && row < HEIGHT && column >= 0 && column < WIDTH;
    copy4(buffer + kWeights + line * kLine + place % 4 * kPhase + place / 4,
          inside ? plane + row * WIDTH + column : plane, inside ? 4 : 0);
  }
  asm volatile("cp.async.commit_group;" ::: "memory");
}

__global__ void __launch_bounds__(kThreads, 1)
    conv_pool(const float* __restrict__ x, const float* __restrict__ packed, const float* __restrict__ bias,
              float* __restrict__ y) {
  extern __shared__ float4 raw[];
  float* buffers = reinterpret_cast<float*>(raw);
  const int first_pool_row = blockIdx.x * kPoolRows;
  const float* image = x + (long long)blockIdx.y * (CHANNELS * HEIGHT * WIDTH);
  const int first_row = first_pool_row * 8 - 2;
  const int filter = (int)threadIdx.x / 56 * FT, row = (int)threadIdx.x % 56 / 8, first = (int)threadIdx.x % 8 * 7;

  float sum[7][FT];
#pragma unroll
  for (int p = 0; p < 7; ++p) {
#pragma unroll
    for (int f = 0; f < FT; ++f) sum[p][f] = 0.0f;
  }
  fetch(buffers, packed, image, 0, first_row);
  fetch(buffers + kBuffer, packed, image, 1, first_row);
#pragma unroll 1
  for (int channel = 0; channel < CHANNELS; ++channel) {
    if (channel + 1 < CHANNELS) {
      asm volatile("cp.async.wait_group 1;" ::: "memory");
    } else {
      asm volatile("cp.async.wait_group 0;" ::: "memory");
    }
    __syncthreads();
    float* buffer = buffers + channel % 2 * kBuffer;
    const float* taps = buffer + filter;
    const float* in = buffer + kWeights + row * 4 * kLine + first;
#pragma unroll 1
    for (int i = 0; i < KERNEL; ++i) {
#pragma unroll
      for (int phase = 0; phase < 4; ++phase) {
        float value[9];
#pragma unroll
        for (int p = 0; p < (phase == 3 ? 8 : 9); ++p) value[p] = in[phase * kPhase + p];
#pragma unroll
        for (int q = 0; q < (phase == 3 ? 2 : 3); ++q) {
          float w[FT];
#pragma unroll
          for (int f = 0; f < FT; f += 4) {
            const float4 four = *reinterpret_cast<const float4*>(taps + (phase + 4 * q) * FILTERS + f);
            w[f] = four.x;
            w[f + 1] = four.y;
            w[f + 2] = four.z;
            w[f + 3] = four.w;
          }
#pragma unroll
          for (int p = 0; p < 7; ++p) {
#pragma unroll
            for (int f = 0; f < FT; ++f) sum[p][f] += value[p + q] * w[f];
          }
        }
      }
      taps += KERNEL * FILTERS;
      in += kLine;
    }
    __syncthreads();  // this buffer is free now
    if (channel + 2 < CHANNELS) fetch(buffer, packed, image, channel + 2, first_row);
  }

  // The convolution takes the place of the buffers.
#pragma unroll
  for (int f = 0; f < FT; ++f) {
    const float offset = bias[filter + f];
    float* to = buffers + (filter + f) * kConvPitch + row * 56 + first;
#pragma unroll
    for (int p = 0; p < 7; ++p) to[p] = sum[p][f] + offset;
  }
  __syncthreads();
  float* out = y + (long long)blockIdx.y * (FILTERS * kPool * kPool) + first_pool_row * kPool;
  for (int i = threadIdx.x; i < FILTERS * kPoolRows * kPool; i += kThreads) {
    const int channel = i / (kPoolRows * kPool), place = i % (kPoolRows * kPool);
    const float* window = buffers + channel * kConvPitch + place / kPool * 2 * 56 + place % kPool * 2;
    float best = window[0];
#pragma unroll
    for (int k = 1; k < 9; ++k) best = max_nan(best, window[k / 3 * 56 + k % 3]);
    out[channel * (kPool * kPool) + place] = relu(best);
  }
}
