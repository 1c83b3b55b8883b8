/*kevolve
{
  "idea": "Cut every row into SPLIT pieces and give each piece its own block, so that the grid fills the device whatever the number of rows: the first launch stores the maximum and the sum of exponentials of each piece, the second merges the pieces of its row and writes. Rows go backwards in the second launch, so that the rows read last are found in cache.",
  "tunables": { "SPLIT": [8, 2, 32], "BLOCK": [256, 32, 128] },
  "constraints": ["L % (4 * SPLIT * BLOCK) == 0"],
  "scratch": {
    "largest": { "dtype": "f32", "elements": "ROWS * SPLIT" },
    "sums": { "dtype": "f64", "elements": "ROWS * SPLIT" }
  },
  "launches": [
    { "kernel": "piece_sums", "grid": ["SPLIT", "ROWS"], "block": ["BLOCK"], "args": ["x", "largest", "sums"] },
    { "kernel": "write_pieces", "grid": ["SPLIT", "ROWS"], "block": ["BLOCK"],
      "args": ["x", "largest", "sums", "y"] }
  ],
  "playbook": {
    "regimes": ["latency_bound"],
    "evidence": "Fewer rows than SMs, a fractional last wave, or blocks that finish at very different times."
  }
}
*/
#define NOTHING __int_as_float(0xff800000)  // -Inf, the maximum of no elements
constexpr int kRun = 64;                    // fp32 additions in a row before a sum is folded into a double
constexpr int kVectors = L / SPLIT / 4;     // 128-bit vectors of a piece

// The largest value of the block, in every thread.
__device__ float block_max(float value) {
#if BLOCK >= 32
  for (int offset = 16; offset > 0; offset /= 2) {
    const float other = __shfl_xor_sync(0xffffffffu, value, offset);
    value = other > value ? other : value;
  }
#endif
#if BLOCK != 1 && BLOCK != 32
  constexpr int kParts = BLOCK > 32 ? BLOCK / 32 : BLOCK;
  __shared__ float parts[kParts];
  if (BLOCK < 32 || threadIdx.x % 32 == 0) parts[threadIdx.x * kParts / BLOCK] = value;
  __syncthreads();
  for (int i = 0; i < kParts; ++i) value = parts[i] > value ? parts[i] : value;
#endif
  return value;
}

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

__device__ float largest_of(float4 v) {
  const float a = v.x > v.y ? v.x : v.y, b = v.z > v.w ? v.z : v.w;
  return a > b ? a : b;
}

__device__ float4 exponentials(float4 v, float largest) {
  return make_float4(expf(v.x - largest), expf(v.y - largest), expf(v.z - largest), expf(v.w - largest));
}

__device__ float4 times(float4 v, float scale) {
  return make_float4(v.x * scale, v.y * scale, v.z * scale, v.w * scale);
}

__global__ void __launch_bounds__(BLOCK)
    piece_sums(const float* __restrict__ x, float* __restrict__ largest, double* __restrict__ sums) {
  const float4* in = reinterpret_cast<const float4*>(x + (long long)blockIdx.y * L) + blockIdx.x * kVectors;
  float most = NOTHING;
#pragma unroll 4
  for (int i = threadIdx.x; i < kVectors; i += BLOCK) {
    const float of_vector = largest_of(in[i]);
    most = of_vector > most ? of_vector : most;
  }
  most = block_max(most);
  const float centre = most == NOTHING ? 0.0f : most;
  double total = 0.0;
  for (int begin = 0; begin < kVectors; begin += kRun * BLOCK) {
    const int end = min(begin + kRun * BLOCK, kVectors);
    float sum = 0.0f;
#pragma unroll 4
    for (int i = begin + threadIdx.x; i < end; i += BLOCK) {
      const float4 e = exponentials(in[i], centre);
      sum += (e.x + e.y) + (e.z + e.w);
    }
    total += sum;
  }
  total = block_sum(total);
  if (threadIdx.x == 0) {
    largest[blockIdx.y * SPLIT + blockIdx.x] = most;
    sums[blockIdx.y * SPLIT + blockIdx.x] = total;
  }
}

__global__ void __launch_bounds__(BLOCK)
    write_pieces(const float* __restrict__ x, const float* __restrict__ largest,
                 const double* __restrict__ sums, float* __restrict__ y) {
  const int row_index = ROWS - 1 - blockIdx.y;
  Part parts[SPLIT];
  for (int k = 0; k < SPLIT; ++k)
    parts[k] = Part{largest[row_index * SPLIT + k], sums[row_index * SPLIT + k]};
  const Part row = merged(parts, SPLIT);
  const float scale = (float)(1.0 / row.sum);
  const float4* in = reinterpret_cast<const float4*>(x + (long long)row_index * L) + blockIdx.x * kVectors;
  float4* out = reinterpret_cast<float4*>(y + (long long)row_index * L) + blockIdx.x * kVectors;
#pragma unroll 4
  for (int i = threadIdx.x; i < kVectors; i += BLOCK)
    __stcs(out + i, times(exponentials(in[i], row.largest), scale));
}
