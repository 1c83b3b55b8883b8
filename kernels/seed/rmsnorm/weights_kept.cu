/*kevolve
{
  "idea": "Find one factor per row first; then let every block own a strip of columns and walk down GROUP rows with its weights in registers, so that each weight is read once per GROUP rows instead of once per row.",
  "tunables": { "GROUP": [16, 4, 32], "BLOCK": [128, 1, 4, 256], "ITEMS": [4, 16, 64] },
  "constraints": ["ROWS % GROUP == 0", "L % (BLOCK * ITEMS) == 0", "BLOCK * ITEMS <= 4096"],
  "scratch": {
    "scales": { "dtype": "f32", "elements": "ROWS" }
  },
  "launches": [
    { "kernel": "row_scales", "grid": ["ROWS"], "block": ["BLOCK"], "args": ["x", "scales"] },
    { "kernel": "scale_strip", "grid": ["L / (BLOCK * ITEMS)", "ROWS / GROUP"], "block": ["BLOCK"],
      "args": ["x", "weight", "scales", "y"] }
  ],
  "playbook": {
    "regimes": ["memory_bound"],
    "evidence": "Weights come from L2 for every row: L2 bytes well above device-memory bytes, or weights as large as a row."
  }
}
*/
constexpr int kRun = 64;  // fp32 additions in a row before a sum is folded into a double

// The sum over the block in a fixed order, in every thread.
__device__ double block_sum(double value) {
#if BLOCK >= 32
  for (int offset = 16; offset > 0; offset /= 2) value += __shfl_xor_sync(0xffffffffu, value, offset);
#endif
#if BLOCK != 1 && BLOCK != 32
  constexpr int kParts = BLOCK > 32 ? BLOCK / 32 : BLOCK;
  __shared__ double parts[kParts];
  if (BLOCK < 32 || threadIdx.x % 32 == 0) parts[threadIdx.x * kParts / BLOCK] = value;
  __syncthreads();
  value = 0.0;
  for (int i = 0; i < kParts; ++i) value += parts[i];
#endif
  return value;
}

// The sum of squares over this thread's tiles of ITEMS contiguous elements; tiles are dealt to threads in
// turn.
__device__ double tiles_squares(const float* __restrict__ in, int tiles) {
  double total = 0.0;
  for (int begin = threadIdx.x; begin < tiles; begin += kRun * BLOCK) {
    const int end = min(begin + kRun * BLOCK, tiles);
    float sum[ITEMS];
#pragma unroll
    for (int j = 0; j < ITEMS; ++j) sum[j] = 0.0f;
    for (int tile = begin; tile < end; tile += BLOCK) {
#pragma unroll
      for (int j = 0; j < ITEMS; ++j) sum[j] += in[tile * ITEMS + j] * in[tile * ITEMS + j];
    }
#pragma unroll
    for (int width = ITEMS / 2; width > 0; width /= 2) {
#pragma unroll
      for (int j = 0; j < width; ++j) sum[j] += sum[j + width];
    }
    total += sum[0];
  }
  return total;
}

__global__ void __launch_bounds__(BLOCK) row_scales(const float* __restrict__ x, float* __restrict__ scales) {
  const double total = block_sum(tiles_squares(x + (long long)blockIdx.x * L, L / ITEMS));
  if (threadIdx.x == 0) scales[blockIdx.x] = rsqrtf((float)(total / L) + (float)EPS);
}

__global__ void __launch_bounds__(BLOCK)
    scale_strip(const float* __restrict__ x, const float* __restrict__ weight,
                const float* __restrict__ scales, float* __restrict__ y) {
  const int column = (blockIdx.x * BLOCK + threadIdx.x) * ITEMS;
  float w[ITEMS];
#pragma unroll
  for (int j = 0; j < ITEMS; ++j) w[j] = weight[column + j];
  for (int row = blockIdx.y * GROUP; row < (int)(blockIdx.y + 1) * GROUP; ++row) {
    const float* in = x + (long long)row * L + column;
    float* out = y + (long long)row * L + column;
    const float scale = scales[row];
#pragma unroll
    for (int j = 0; j < ITEMS; ++j) out[j] = in[j] * scale * w[j];
  }
}
