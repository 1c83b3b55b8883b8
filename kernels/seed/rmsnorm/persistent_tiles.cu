/*kevolve
{
  "idea": "Launch only WAVES blocks per SM and let each walk over many rows with the tiles of its threads: block start-up is paid once instead of once per row, and at any time only as many rows are being worked on as the caches can hold for their second pass.",
  "tunables": { "WAVES": [1, 2, 4], "BLOCK": [512, 1, 4, 256, 1024], "ITEMS": [4, 16, 64] },
  "constraints": ["L % (ITEMS * BLOCK) == 0", "ITEMS * BLOCK <= 8192"],
  "launches": [
    { "kernel": "rmsnorm_rows", "grid": ["min(ROWS, WAVES * num_sms)"], "block": ["BLOCK"],
      "args": ["x", "weight", "y"] }
  ],
  "playbook": {
    "regimes": ["memory_bound", "latency_bound"],
    "evidence": "Many waves of short blocks; the second pass over a row misses L2 because too many rows are in flight.",
    "combines": ["contiguous_tiles", "block_per_row"]
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
  __syncthreads();  // the previous row has been read
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

__device__ void tiles_scale(const float* __restrict__ in, const float* __restrict__ weight,
                            float* __restrict__ out, float scale, int tiles) {
  for (int tile = threadIdx.x; tile < tiles; tile += BLOCK) {
#pragma unroll
    for (int j = 0; j < ITEMS; ++j) {
      out[tile * ITEMS + j] = in[tile * ITEMS + j] * scale * weight[tile * ITEMS + j];
    }
  }
}

__global__ void __launch_bounds__(BLOCK)
    rmsnorm_rows(const float* __restrict__ x, const float* __restrict__ weight, float* __restrict__ y) {
  for (int row = blockIdx.x; row < ROWS; row += gridDim.x) {
    const float* in = x + (long long)row * L;
    const float scale = rsqrtf((float)(block_sum(tiles_squares(in, L / ITEMS)) / L) + (float)EPS);
    tiles_scale(in, weight, y + (long long)row * L, scale, L / ITEMS);
  }
}
