/*kevolve
{
  "idea": "Compute every exponential once: the first sweep cuts the row into CHUNKs, stores exp(x - maximum of the chunk) into the output and remembers the chunk's maximum and sum; when the row's maximum and sum are known, the second sweep only multiplies each chunk by one factor. Half the exponentials for one more read of the freshly written, cached output.",
  "tunables": { "CHUNK": [512, 64, 128, 2048], "BLOCK": [128, 1, 4, 32] },
  "constraints": ["L % (CHUNK * BLOCK) == 0"],
  "launches": [
    { "kernel": "softmax_row", "grid": ["ROWS"], "block": ["BLOCK"], "args": ["x", "y"] }
  ],
  "playbook": {
    "regimes": ["compute_bound"],
    "evidence": "Two exponentials per element, and the exponential is what the kernel spends its time on; a row fits in the nearest cache."
  }
}
*/
#define NOTHING __int_as_float(0xff800000)  // -Inf, the maximum of no elements

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

constexpr int kLanes = 16;

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

__global__ void __launch_bounds__(BLOCK) softmax_row(const float* __restrict__ x, float* __restrict__ y) {
  constexpr int kChunks = L / CHUNK;
  __shared__ Part parts[kChunks];
  const float* in = x + (long long)blockIdx.x * L;
  float* out = y + (long long)blockIdx.x * L;
  for (int chunk = threadIdx.x; chunk < kChunks; chunk += BLOCK) {
    const float largest = chunk_max(in + chunk * CHUNK);
    const float centre = largest == NOTHING ? 0.0f : largest;
    double sum = 0.0;
    for (int i = chunk * CHUNK; i < (chunk + 1) * CHUNK; i += 4) {
      float e[4];
#pragma unroll
      for (int j = 0; j < 4; ++j) e[j] = expf(in[i + j] - centre);
#pragma unroll
      for (int j = 0; j < 4; ++j) out[i + j] = e[j];
      sum += (e[0] + e[1]) + (e[2] + e[3]);
    }
    parts[chunk] = Part{largest, sum};
  }
#if BLOCK > 1
  __syncthreads();
#endif
  const Part row = merged(parts, kChunks);
  for (int chunk = threadIdx.x; chunk < kChunks; chunk += BLOCK) {
    const float factor = (float)(expf(parts[chunk].largest - row.largest) / row.sum);
    for (int i = chunk * CHUNK; i < (chunk + 1) * CHUNK; ++i) out[i] *= factor;
  }
}
