/*kevolve
{
  "idea": "Combine both savings on exponentials: the branch-free polynomial computes each element's exponential once, relative to the maximum of its CHUNK, and stores it; when the row's maximum and sum are known, every chunk is multiplied by one factor. Chunks fit in the nearest cache, so that their elements are read from memory once.",
  "tunables": { "CHUNK": [512, 128, 2048], "BLOCK": [1, 4, 32, 128] },
  "constraints": ["L % (CHUNK * BLOCK) == 0"],
  "launches": [
    { "kernel": "softmax_row", "grid": ["ROWS"], "block": ["BLOCK"], "args": ["x", "y"] }
  ],
  "playbook": {
    "regimes": ["compute_bound", "memory_bound"],
    "evidence": "exponentials_once and polynomial_exponential both helped: arithmetic still dominates with one exponential per element.",
    "combines": ["polynomial_exponential", "exponentials_once"]
  }
}
*/
#define NOTHING __int_as_float(0xff800000)  // -Inf, the maximum of no elements

constexpr int kLanes = 16;  // independent maxima and sums within a chunk

// A part of a row: its largest element and the sum of exp(element - largest).
struct Part {
  float largest;
  double sum;
};

// `count` parts as one: the largest element first, so that each sum is rescaled once and errors do not pile
// up. A part of nothing but -Inf adds nothing and must not make a NaN of Inf - Inf.
__device__ Part merged(const Part* parts, int count) {
  Part all{NOTHING, 0.0};
  for (int k = 0; k < count; ++k)
    all.largest = parts[k].largest > all.largest ? parts[k].largest : all.largest;
  for (int k = 0; k < count; ++k) {
    all.sum += all.largest == NOTHING ? parts[k].sum : parts[k].sum * expf(parts[k].largest - all.largest);
  }
  return all;
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

__device__ float chunk_max(const float* __restrict__ in) {
  float largest[kLanes];
#pragma unroll
  for (int j = 0; j < kLanes; ++j) largest[j] = NOTHING;
  for (int i = 0; i < CHUNK; i += kLanes) {
#pragma unroll
    for (int j = 0; j < kLanes; ++j) largest[j] = in[i + j] > largest[j] ? in[i + j] : largest[j];
  }
#pragma unroll
  for (int j = 1; j < kLanes; ++j) largest[0] = largest[j] > largest[0] ? largest[j] : largest[0];
  return largest[0];
}

__device__ double chunk_exponentials(const float* __restrict__ in, float* __restrict__ out, float centre) {
  float sum[kLanes];
#pragma unroll
  for (int j = 0; j < kLanes; ++j) sum[j] = 0.0f;
  for (int i = 0; i < CHUNK; i += kLanes) {
    float e[kLanes];
#pragma unroll
    for (int j = 0; j < kLanes; ++j) e[j] = exp_fast(in[i + j] - centre);
#pragma unroll
    for (int j = 0; j < kLanes; ++j) {
      out[i + j] = e[j];
      sum[j] += e[j];
    }
  }
  double total = 0.0;
#pragma unroll
  for (int j = 0; j < kLanes; ++j) total += sum[j];
  return total;
}

__global__ void __launch_bounds__(BLOCK) softmax_row(const float* __restrict__ x, float* __restrict__ y) {
  constexpr int kChunks = L / CHUNK;
  __shared__ Part parts[kChunks];
  const float* in = x + (long long)blockIdx.x * L;
  float* out = y + (long long)blockIdx.x * L;
  for (int chunk = threadIdx.x; chunk < kChunks; chunk += BLOCK) {
    const float largest = chunk_max(in + chunk * CHUNK);
    const float centre = largest == NOTHING ? 0.0f : largest;
    parts[chunk] = Part{largest, chunk_exponentials(in + chunk * CHUNK, out + chunk * CHUNK, centre)};
  }
#if BLOCK > 1
  __syncthreads();
#endif
  const Part row = merged(parts, kChunks);
  for (int chunk = threadIdx.x; chunk < kChunks; chunk += BLOCK) {
    const float factor = (float)(expf(parts[chunk].largest - row.largest) / row.sum);
    float* chunk_out = out + chunk * CHUNK;
    for (int i = 0; i < CHUNK; ++i) chunk_out[i] *= factor;
  }
}
