/*kevolve
{
  "idea": "Combine the online form with the polynomial exponential: maximum and sum come out of one pass over tiles of ITEMS elements held in registers or the nearest cache, with LANES independent partial sums, so that the row is read from memory once for statistics and once to write, and all arithmetic is straight vector code.",
  "tunables": { "ITEMS": [1024, 16, 64, 256], "LANES": [64, 4, 16], "BLOCK": [1, 4, 64, 256] },
  "constraints": ["L % (ITEMS * BLOCK) == 0", "ITEMS % LANES == 0", "ITEMS <= 16 * LANES", "ITEMS * BLOCK <= 16384"],
  "launches": [
    { "kernel": "softmax_row", "grid": ["ROWS"], "block": ["BLOCK"], "args": ["x", "y"] }
  ],
  "playbook": {
    "regimes": ["compute_bound", "memory_bound"],
    "evidence": "online_tiles and polynomial_exponential both helped.",
    "combines": ["online_tiles", "polynomial_exponential"]
  }
}
*/
#define NOTHING __int_as_float(0xff800000)  // -Inf, the maximum of no elements
constexpr float kSlack = 8.0f;  // how far an element may exceed the centre before the sum is rescaled

// A part of a row: a centre at or below its largest element, by little, and the sum of exp(element - centre).
struct Part {
  float centre;
  double sum;
};

// Both parts as one. A part of nothing but -Inf adds nothing and must not make a NaN of Inf - Inf.
__device__ Part merged(Part a, Part b) {
  const float centre = a.centre > b.centre ? a.centre : b.centre;
  if (centre == NOTHING) return Part{centre, a.sum + b.sum};
  return Part{centre, a.sum * expf(a.centre - centre) + b.sum * expf(b.centre - centre)};
}

// exp(d) for d <= 80 to one unit in the last place: d = k ln 2 + f with |f| <= ln 2 / 2, a polynomial for
// exp(f), and 2^k in two factors, so that small results become denormal as they should. NaN stays NaN; no
// table, no call.
__device__ __forceinline__ float exp_fast(float d) {
  d = d < -105.0f ? -105.0f : d;
  const float shifted = fmaf(d, 1.44269504f, 12582912.0f);  // adding 1.5 * 2^23 rounds to an integer
  const int k = __float_as_int(shifted) - 0x4B400000;
  const float whole = shifted - 12582912.0f;
  const float f = fmaf(whole, -1.42860677e-6f, fmaf(whole, -0.693145752f, d));
  float p = fmaf(0.00138145406f, f, 0.00836874545f);
  p = fmaf(p, f, 0.041668389f);
  p = fmaf(p, f, 0.166665211f);
  p = fmaf(p, f, 0.49999994f);
  p = fmaf(p * f, f, f) + 1.0f;
  const int half = k >> 1;
  return p * __int_as_float((half + 127) << 23) * __int_as_float((k - half + 127) << 23);
}

__device__ float tile_max(const float* __restrict__ in) {
  float largest[LANES];
#pragma unroll
  for (int j = 0; j < LANES; ++j) largest[j] = in[j];
  for (int i = LANES; i < ITEMS; i += LANES) {
#pragma unroll
    for (int j = 0; j < LANES; ++j) largest[j] = in[i + j] > largest[j] ? in[i + j] : largest[j];
  }
  float most = NOTHING;
#pragma unroll
  for (int j = 0; j < LANES; ++j) most = largest[j] > most ? largest[j] : most;
  return most;
}

__device__ float tile_sum(const float* __restrict__ in, float centre) {
  float sum[LANES];
#pragma unroll
  for (int j = 0; j < LANES; ++j) sum[j] = 0.0f;
  for (int i = 0; i < ITEMS; i += LANES) {
#pragma unroll
    for (int j = 0; j < LANES; ++j) sum[j] += exp_fast(in[i + j] - centre);
  }
  float total = 0.0f;
#pragma unroll
  for (int j = 0; j < LANES; ++j) total += sum[j];
  return total;
}

__global__ void __launch_bounds__(BLOCK) softmax_row(const float* __restrict__ x, float* __restrict__ y) {
  const float* in = x + (long long)blockIdx.x * L;
  float* out = y + (long long)blockIdx.x * L;
  Part row{NOTHING, 0.0};
  for (int tile = threadIdx.x; tile < L / ITEMS; tile += BLOCK) {
    const float* from = in + tile * ITEMS;
    const float most = tile_max(from);
    if (most > row.centre + kSlack) {
      row.sum *= exp_fast(row.centre - most);
      row.centre = most;
    }
    row.sum += tile_sum(from, row.centre == NOTHING ? 0.0f : row.centre);
  }
#if BLOCK > 1
  __shared__ Part parts[BLOCK];
  parts[threadIdx.x] = row;
  __syncthreads();
  for (int width = BLOCK / 2; width > 0; width /= 2) {
    if (threadIdx.x < width) parts[threadIdx.x] = merged(parts[threadIdx.x], parts[threadIdx.x + width]);
    __syncthreads();
  }
  row = parts[0];
#endif
  const float scale = (float)(1.0 / row.sum);
  for (int tile = threadIdx.x; tile < L / LANES; tile += BLOCK) {
#pragma unroll
    for (int j = 0; j < LANES; ++j)
      out[tile * LANES + j] = exp_fast(in[tile * LANES + j] - row.centre) * scale;
  }
}
