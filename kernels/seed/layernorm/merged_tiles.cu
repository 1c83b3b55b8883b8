/*kevolve
{
  "idea": "Find mean and variance in one pass over memory without the cancelling E[x^2] - mean^2: a thread takes tiles of ITEMS elements, computes each tile's mean and the squares around it while the tile sits in registers or the nearest cache, and merges tiles by Chan's formula. LANES independent sums keep additions from waiting for each other and map to vector registers. A row is read twice instead of three times.",
  "tunables": { "ITEMS": [1024, 16, 64, 256], "LANES": [64, 4, 16], "BLOCK": [1, 4, 64, 256, 512] },
  "constraints": ["L % (ITEMS * BLOCK) == 0", "ITEMS % LANES == 0", "ITEMS <= 16 * LANES"],
  "launches": [
    { "kernel": "layernorm_row", "grid": ["ROWS"], "block": ["BLOCK"], "args": ["x", "weight", "bias", "y"] }
  ],
  "playbook": {
    "regimes": ["memory_bound", "latency_bound"],
    "evidence": "Three reads of x in the device-memory bytes, or additions that wait for earlier additions."
  }
}
*/
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
    layernorm_row(const float* __restrict__ x, const float* __restrict__ weight,
                  const float* __restrict__ bias, float* __restrict__ y) {
  const float* in = x + (long long)blockIdx.x * L;
  const Moments row = block_moments(tiles_moments(in, L / ITEMS), L / BLOCK);
  normalise(in, weight, bias, y + (long long)blockIdx.x * L, row.mean,
            rsqrtf((float)(row.squares / L) + (float)EPS), L);
}
