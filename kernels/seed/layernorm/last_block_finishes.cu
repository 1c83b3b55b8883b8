/*kevolve
{
  "idea": "Split the statistics of a row over SPLIT blocks, and let the block that draws the row's last ticket merge the pieces and leave two numbers per row, mean and scale. The blocks of the normalising launch then read two numbers instead of merging SPLIT pieces each.",
  "tunables": { "SPLIT": [64, 2, 8, 32], "BLOCK": [64, 1, 4, 256], "ITEMS": [16, 64, 256], "LANES": [4, 16] },
  "constraints": ["L % (SPLIT * BLOCK * ITEMS) == 0", "ITEMS % LANES == 0", "ITEMS <= 16 * LANES"],
  "scratch": {
    "means": { "dtype": "f64", "elements": "ROWS * SPLIT" },
    "squares": { "dtype": "f64", "elements": "ROWS * SPLIT" },
    "factors": { "dtype": "f64", "elements": "ROWS * 2" },
    "tickets": { "dtype": "i32", "elements": "ROWS", "init": "zero" }
  },
  "launches": [
    { "kernel": "row_factors", "grid": ["SPLIT", "ROWS"], "block": ["BLOCK"],
      "args": ["x", "means", "squares", "tickets", "factors"] },
    { "kernel": "normalise_pieces", "grid": ["SPLIT", "ROWS"], "block": ["BLOCK"],
      "args": ["x", "weight", "bias", "factors", "y"] }
  ],
  "playbook": {
    "regimes": ["latency_bound"],
    "evidence": "A split reduction in which every block of the second launch begins with a chain of dependent loads of partial results.",
    "combines": ["split_rows", "merged_tiles"]
  }
}
*/
constexpr int kPiece = L / SPLIT;

// What a part of a row says about mean and variance: its own mean, and the squared distances to it, added up.
struct Moments {
  double mean, squares;
};

// Two parts of `count` elements each as one (Chan, Golub and LeVeque): exact at any mean.
__device__ Moments merged(Moments a, Moments b, double count) {
  const double delta = b.mean - a.mean;
  return Moments{0.5 * (a.mean + b.mean), a.squares + b.squares + delta * delta * (0.5 * count)};
}

// Appends part number `k` (from 1) to k - 1 parts of the same `count` elements.
__device__ void append(Moments& all, Moments part, int k, double count) {
  const double share = 1.0f / (float)k;
  const double delta = part.mean - all.mean;
  all.mean += delta * share;
  all.squares += part.squares + delta * delta * count * (1.0 - share);
}

// The moments of the block's elements, `count` per thread, in every thread; BLOCK is a power of two.
__device__ Moments block_moments(Moments mine, double count) {
#if BLOCK >= 32
  for (int offset = 1; offset < 32; offset *= 2) {
    const Moments other{__shfl_xor_sync(0xffffffffu, mine.mean, offset),
                        __shfl_xor_sync(0xffffffffu, mine.squares, offset)};
    mine = merged(mine, other, count);
    count *= 2;
  }
#endif
#if BLOCK != 1 && BLOCK != 32
  constexpr int kParts = BLOCK > 32 ? BLOCK / 32 : BLOCK;
  __shared__ Moments parts[kParts];
  if (BLOCK < 32 || threadIdx.x % 32 == 0) parts[threadIdx.x * kParts / BLOCK] = mine;
  __syncthreads();
  mine = parts[0];
  for (int k = 1; k < kParts; ++k) append(mine, parts[k], k + 1, count);
#endif
  return mine;
}

// Moments of ITEMS elements: the mean first, then the squares around it, so that nothing cancels. Sums are
// taken of distances to the tile's first element: small numbers round little, however large the mean. LANES
// independent sums; the elements are read twice, from registers or from the nearest cache.
__device__ Moments tile_moments(const float* __restrict__ in) {
  const float origin = in[0];
  float lane[LANES];
#pragma unroll
  for (int j = 0; j < LANES; ++j) lane[j] = in[j] - origin;
  for (int i = LANES; i < ITEMS; i += LANES) {
#pragma unroll
    for (int j = 0; j < LANES; ++j) lane[j] += in[i + j] - origin;
  }
  double sum = 0.0;
#pragma unroll
  for (int j = 0; j < LANES; ++j) sum += lane[j];
  const double mean = origin + sum / ITEMS;
  const float centre = (float)mean;
#pragma unroll
  for (int j = 0; j < LANES; ++j) lane[j] = 0.0f;
  for (int i = 0; i < ITEMS; i += LANES) {
#pragma unroll
    for (int j = 0; j < LANES; ++j) lane[j] += (in[i + j] - centre) * (in[i + j] - centre);
  }
  double squares = 0.0;
#pragma unroll
  for (int j = 0; j < LANES; ++j) squares += lane[j];
  const double rest = mean - centre;  // what rounding the mean to fp32 has left
  return Moments{mean, squares - ITEMS * rest * rest};
}

// Moments of this thread's tiles, which are dealt to the block's threads in turn.
__device__ Moments tiles_moments(const float* __restrict__ in, int tiles) {
  Moments mine{0.0, 0.0};
  int k = 0;
  for (int tile = threadIdx.x; tile < tiles; tile += BLOCK)
    append(mine, tile_moments(in + tile * ITEMS), ++k, ITEMS);
  return mine;
}

// y of `elements` elements; each thread takes LANES contiguous ones at a time. The mean comes in two parts:
// at mean 1000 and standard deviation 0.1 its rounding to fp32 alone would be 3e-4 of the answer.
__device__ void normalise(const float* __restrict__ in, const float* __restrict__ weight,
                          const float* __restrict__ bias, float* __restrict__ out, double mean, float scale,
                          int elements) {
  const float high = (float)mean, low = (float)(mean - high);
  for (int i = threadIdx.x * LANES; i < elements; i += BLOCK * LANES) {
#pragma unroll
    for (int j = 0; j < LANES; ++j) {
      out[i + j] = ((in[i + j] - high) - low) * scale * weight[i + j] + bias[i + j];
    }
  }
}

__global__ void __launch_bounds__(BLOCK)
    row_factors(const float* __restrict__ x, double* means, double* squares, int* tickets, double* factors) {
  const int row = blockIdx.y;
  const float* in = x + (long long)row * L + (long long)blockIdx.x * kPiece;
  const Moments piece = block_moments(tiles_moments(in, kPiece / ITEMS), kPiece / BLOCK);
  if (threadIdx.x != 0) return;
  volatile double* row_means = means + row * SPLIT;
  volatile double* row_squares = squares + row * SPLIT;
  row_means[blockIdx.x] = piece.mean;
  row_squares[blockIdx.x] = piece.squares;
  __threadfence();
  if (atomicAdd(&tickets[row], 1) != SPLIT - 1) return;
  __threadfence();
  Moments all{row_means[0], row_squares[0]};
  for (int k = 1; k < SPLIT; ++k) append(all, Moments{row_means[k], row_squares[k]}, k + 1, kPiece);
  factors[row * 2] = all.mean;
  factors[row * 2 + 1] = rsqrtf((float)(all.squares / L) + (float)EPS);
}

__global__ void __launch_bounds__(BLOCK)
    normalise_pieces(const float* __restrict__ x, const float* __restrict__ weight,
                     const float* __restrict__ bias, const double* __restrict__ factors,
                     float* __restrict__ y) {
  const int row = ROWS - 1 - blockIdx.y;
  const int begin = blockIdx.x * kPiece;
  const long long offset = (long long)row * L + begin;
  normalise(x + offset, weight + begin, bias + begin, y + offset, factors[row * 2],
            (float)factors[row * 2 + 1], kPiece);
}
