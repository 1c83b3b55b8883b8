/*kevolve
{
  "idea": "Find maximum and sum in one pass: a thread takes a tile of ITEMS elements, raises its running maximum to the tile's, rescales its running sum once per tile, and adds the tile's exponentials. The row is read twice instead of three times, and rescaling costs one exponential per tile. Exponentials are 2^(d log2 e), the form the hardware has.",
  "tunables": { "ITEMS": [16, 4, 8, 32, 64, 256, 1024], "BLOCK": [256, 1, 2, 4, 8, 64, 128, 512] },
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

// A part of a row: its largest element and the sum of exp(element - largest).
struct Part {
  float largest;
  double sum;
};

// Both parts as one. A part without finite elements adds nothing and must not make a NaN of Inf - Inf.
__device__ Part merged(Part a, Part b) {
  const float largest = a.largest > b.largest ? a.largest : b.largest;
  if (largest == NOTHING) return Part{largest, a.sum + b.sum};
  return Part{largest, a.sum * expf(a.largest - largest) + b.sum * expf(b.largest - largest)};
}

__device__ float exp_base2(float d) { return exp2f(d * 1.44269504f); }

__device__ Part tiles_part(const float* __restrict__ in, int tiles) {
  Part part{NOTHING, 0.0};
  for (int tile = threadIdx.x; tile < tiles; tile += BLOCK) {
    float v[ITEMS];
#pragma unroll
    for (int j = 0; j < ITEMS; ++j) v[j] = in[tile * ITEMS + j];
    float largest = part.largest;
#pragma unroll
    for (int j = 0; j < ITEMS; ++j) largest = v[j] > largest ? v[j] : largest;
    const float centre = largest == NOTHING ? 0.0f : largest;
    float sum = 0.0f;
#pragma unroll
    for (int j = 0; j < ITEMS; ++j) sum += exp_base2(v[j] - centre);
    part.sum = part.sum * exp_base2(part.largest - centre) + sum;
    part.largest = largest;
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
    for (int j = 0; j < ITEMS; ++j) out[tile * ITEMS + j] = exp_base2(in[tile * ITEMS + j] - row.largest) * scale;
  }
}
