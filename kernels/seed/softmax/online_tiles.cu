/*kevolve
{
  "idea": "Find maximum and sum in one pass: a thread takes a tile of ITEMS elements, rescales its running sum only where the tile's maximum exceeds the running centre by more than 8 (exponentials up to e^8 lose nothing), and adds the tile's exponentials. The row is read twice instead of three times, and rescaling is rare. Exponentials are 2^(d log2 e), the form the hardware has.",
  "tunables": { "ITEMS": [16, 4, 64], "BLOCK": [256, 1, 4, 64, 512] },
  "constraints": ["L % (ITEMS * BLOCK) == 0", "ITEMS * BLOCK <= 8192"],
  "launches": [
    { "kernel": "softmax_row", "grid": ["ROWS"], "block": ["BLOCK"], "args": ["x", "y"] }
  ],
  "playbook": {
    "regimes": ["memory_bound", "latency_bound"],
    "evidence": "Three reads of the row in the device-memory or L2 bytes; a pass that only looks for the maximum."
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

__device__ float exp_base2(float d) {
  return exp2f(d * 1.44269504f);
}

__device__ Part tiles_part(const float* __restrict__ in, int tiles) {
  Part part{NOTHING, 0.0};
  for (int tile = threadIdx.x; tile < tiles; tile += BLOCK) {
    float v[ITEMS];
#pragma unroll
    for (int j = 0; j < ITEMS; ++j) v[j] = in[tile * ITEMS + j];
    float most = v[0];
#pragma unroll
    for (int j = 1; j < ITEMS; ++j) most = v[j] > most ? v[j] : most;
    if (most > part.centre + kSlack) {
      part.sum *= exp_base2(part.centre - most);
      part.centre = most;
    }
    const float centre = part.centre == NOTHING ? 0.0f : part.centre;
#pragma unroll
    for (int j = 0; j < ITEMS; ++j) v[j] = exp_base2(v[j] - centre);
#pragma unroll
    for (int width = ITEMS / 2; width > 0; width /= 2) {
#pragma unroll
      for (int j = 0; j < width; ++j) v[j] += v[j + width];
    }
    part.sum += v[0];
  }
  return part;
}

// Every thread's part as one, in a fixed order, in every thread.
__device__ Part block_part(Part part) {
#if BLOCK > 1
  __shared__ Part parts[BLOCK];
  parts[threadIdx.x] = part;
  __syncthreads();
  for (int width = BLOCK / 2; width > 0; width /= 2) {
    if (threadIdx.x < width) parts[threadIdx.x] = merged(parts[threadIdx.x], parts[threadIdx.x + width]);
    __syncthreads();
  }
  part = parts[0];
#endif
  return part;
}

__global__ void __launch_bounds__(BLOCK) softmax_row(const float* __restrict__ x, float* __restrict__ y) {
  const float* in = x + (long long)blockIdx.x * L;
  float* out = y + (long long)blockIdx.x * L;
  const Part row = block_part(tiles_part(in, L / ITEMS));
  const float scale = (float)(1.0 / row.sum);
  for (int tile = threadIdx.x; tile < L / ITEMS; tile += BLOCK) {
#pragma unroll
    for (int j = 0; j < ITEMS; ++j)
      out[tile * ITEMS + j] = exp_base2(in[tile * ITEMS + j] - row.centre) * scale;
  }
}
