/*kevolve
{
  "idea": "Combine what a few long rows need: statistics split over many blocks from tiles of LOADS 128-bit vectors per thread held in registers, each row finished by its last block, and then strips of columns with weight and bias in registers that walk down the rows, last row first, with ROWS_AHEAD vectors in flight. All loads and stores are 128 bits wide and coalesced; results are stored as streaming data.",
  "tunables": { "SPLIT": [64, 8, 32, 128], "BLOCK": [64, 1, 4, 256, 512], "LOADS": [4, 2, 8], "ROWS_AHEAD": [4, 2, 8] },
  "constraints": ["L % (4 * SPLIT * BLOCK * LOADS) == 0", "ROWS % ROWS_AHEAD == 0"],
  "scratch": {
    "means": { "dtype": "f64", "elements": "ROWS * SPLIT" },
    "squares": { "dtype": "f64", "elements": "ROWS * SPLIT" },
    "factors": { "dtype": "f32", "elements": "ROWS * 4" },
    "tickets": { "dtype": "i32", "elements": "ROWS", "init": "zero" }
  },
  "launches": [
    { "kernel": "row_factors", "grid": ["SPLIT", "ROWS"], "block": ["BLOCK"],
      "args": ["x", "means", "squares", "tickets", "factors"] },
    { "kernel": "normalise_strip", "grid": ["L / (4 * BLOCK)"], "block": ["BLOCK"],
      "args": ["x", "weight", "bias", "factors", "y"] }
  ],
  "playbook": {
    "regimes": ["memory_bound"],
    "evidence": "weights_kept and last_block_finishes both helped, and bandwidth is still below 80 %: 32-bit loads, few bytes in flight per thread.",
    "combines": ["weights_kept", "last_block_finishes"]
  }
}
*/
constexpr int kVectors = L / SPLIT / 4;  // 128-bit vectors of a piece
constexpr int kTile = 4 * LOADS;         // elements of a tile

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

// Moments of a tile in registers: distances to one of its elements give the mean, then the squares around
// that.
__device__ Moments tile_moments(const float4* v) {
  const float origin = v[0].x;
  float sum = 0.0f;
#pragma unroll
  for (int k = 0; k < LOADS; ++k) {
    sum += ((v[k].x - origin) + (v[k].y - origin)) + ((v[k].z - origin) + (v[k].w - origin));
  }
  const float centre = origin + sum / kTile;
  float rest = 0.0f, squares = 0.0f;  // what rounding the centre to fp32 has left, and the squares around it
#pragma unroll
  for (int k = 0; k < LOADS; ++k) {
    const float a = v[k].x - centre, b = v[k].y - centre, c = v[k].z - centre, d = v[k].w - centre;
    rest += (a + b) + (c + d);
    squares += (a * a + b * b) + (c * c + d * d);
  }
  return Moments{centre + (double)(rest / kTile), squares - rest * (rest / kTile)};
}

__global__ void __launch_bounds__(BLOCK)
    row_factors(const float* __restrict__ x, double* means, double* squares, int* tickets, float* factors) {
  const int row = blockIdx.y;
  const float4* in =
      reinterpret_cast<const float4*>(x + (long long)row * L) + blockIdx.x * kVectors + threadIdx.x;
  Moments piece{0.0, 0.0};
  for (int i = 0; i < kVectors; i += BLOCK * LOADS) {
    float4 v[LOADS];
#pragma unroll
    for (int k = 0; k < LOADS; ++k) v[k] = in[i + k * BLOCK];
    append(piece, tile_moments(v), i / (BLOCK * LOADS) + 1, kTile);
  }
  piece = block_moments(piece, 4 * kVectors / BLOCK);
  if (threadIdx.x != 0) return;
  volatile double* row_means = means + row * SPLIT;
  volatile double* row_squares = squares + row * SPLIT;
  row_means[blockIdx.x] = piece.mean;
  row_squares[blockIdx.x] = piece.squares;
  __threadfence();
  if (atomicAdd(&tickets[row], 1) != SPLIT - 1) return;
  __threadfence();
  Moments all{row_means[0], row_squares[0]};
  for (int k = 1; k < SPLIT; ++k) append(all, Moments{row_means[k], row_squares[k]}, k + 1, L / SPLIT);
  factors[row * 4] = (float)all.mean;  // the mean in two parts, so that it does not round; the scale
  factors[row * 4 + 1] = (float)(all.mean - (float)all.mean);
  factors[row * 4 + 2] = rsqrtf((float)(all.squares / L) + (float)EPS);
}

__device__ float normalised(float value, float high, float low, float scale, float weight, float bias) {
  return ((value - high) - low) * scale * weight + bias;
}

__global__ void __launch_bounds__(BLOCK)
    normalise_strip(const float* __restrict__ x, const float* __restrict__ weight,
                    const float* __restrict__ bias, const float* __restrict__ factors,
                    float* __restrict__ y) {
  const int column = blockIdx.x * BLOCK + threadIdx.x;
  const float4* in = reinterpret_cast<const float4*>(x) + column;
  float4* out = reinterpret_cast<float4*>(y) + column;
  const float4 w = reinterpret_cast<const float4*>(weight)[column];
  const float4 b = reinterpret_cast<const float4*>(bias)[column];
  for (int last = ROWS - 1; last >= 0; last -= ROWS_AHEAD) {
    float4 v[ROWS_AHEAD];
#pragma unroll
    for (int k = 0; k < ROWS_AHEAD; ++k) v[k] = __ldcs(in + (long long)(last - k) * (L / 4));
#pragma unroll
    for (int k = 0; k < ROWS_AHEAD; ++k) {
      const float high = factors[(last - k) * 4], low = factors[(last - k) * 4 + 1],
                  scale = factors[(last - k) * 4 + 2];
      __stcs(out + (long long)(last - k) * (L / 4),
             make_float4(normalised(v[k].x, high, low, scale, w.x, b.x),
                         normalised(v[k].y, high, low, scale, w.y, b.y),
                         normalised(v[k].z, high, low, scale, w.z, b.z),
                         normalised(v[k].w, high, low, scale, w.w, b.w)));
    }
  }
}
