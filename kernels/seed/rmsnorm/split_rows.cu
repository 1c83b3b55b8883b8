/*kevolve
{
  "idea": "Cut every row into SPLIT pieces and give each piece its own block, so that the grid fills the device whatever the number of rows: the first launch stores one sum of squares per piece, the second adds the pieces of its row in a fixed order and scales. Rows go backwards in the second launch, so that the rows read last are found in cache.",
  "tunables": { "SPLIT": [8, 2, 32], "BLOCK": [256, 1, 4, 64], "ITEMS": [4, 16, 64] },
  "constraints": ["L % (SPLIT * BLOCK * ITEMS) == 0", "BLOCK * ITEMS <= 4096"],
  "scratch": {
    "partial": { "dtype": "f64", "elements": "ROWS * SPLIT" }
  },
  "launches": [
    { "kernel": "piece_squares", "grid": ["SPLIT", "ROWS"], "block": ["BLOCK"], "args": ["x", "partial"] },
    { "kernel": "scale_pieces", "grid": ["SPLIT", "ROWS"], "block": ["BLOCK"],
      "args": ["x", "weight", "partial", "y"] }
  ],
  "playbook": {
    "regimes": ["latency_bound"],
    "evidence": "Fewer rows than SMs, a fractional last wave, or blocks that finish at very different times."
  }
}
*/
constexpr int kRun = 64;  // fp32 additions in a row before a sum is folded into a double
constexpr int kPiece = L / SPLIT;

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
    piece_squares(const float* __restrict__ x, double* __restrict__ partial) {
  const float* in = x + (long long)blockIdx.y * L + blockIdx.x * kPiece;
  const double total = block_sum(tiles_squares(in, kPiece / ITEMS));
  if (threadIdx.x == 0) partial[blockIdx.y * SPLIT + blockIdx.x] = total;
}

__global__ void __launch_bounds__(BLOCK)
    scale_pieces(const float* __restrict__ x, const float* __restrict__ weight,
                 const double* __restrict__ partial, float* __restrict__ y) {
  const int row = ROWS - 1 - blockIdx.y;
  double total = 0.0;
  for (int piece = 0; piece < SPLIT; ++piece) total += partial[row * SPLIT + piece];
  const int begin = blockIdx.x * kPiece;
  const long long offset = (long long)row * L + begin;
  tiles_scale(x + offset, weight + begin, y + offset, rsqrtf((float)(total / L) + (float)EPS),
              kPiece / ITEMS);
}
