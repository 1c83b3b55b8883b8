/*kevolve
{
  "idea": "Three launches, each with the grid that suits it: the first stores maximum and sum of exponentials of every piece of a row, the second, one warp a row, merges them into one maximum and one factor, the third is a plain element-wise pass with one exponential each and nothing left to merge. The last pass goes backwards, so that what was read last is found in cache.",
  "tunables": { "SPLIT": [8, 2, 32], "BLOCK": [256, 32, 128], "WRITE": [256, 128, 512], "EACH": [4, 1, 8] },
  "constraints": ["L % (4 * SPLIT * BLOCK) == 0", "L % (4 * WRITE * EACH) == 0"],
  "scratch": {
    "largest": { "dtype": "f32", "elements": "ROWS * SPLIT" },
    "sums": { "dtype": "f64", "elements": "ROWS * SPLIT" },
    "rows": { "dtype": "f32", "elements": "2 * ROWS" }
  },
  "launches": [
    { "kernel": "piece_sums", "grid": ["SPLIT", "ROWS"], "block": ["BLOCK"], "args": ["x", "largest", "sums"] },
    { "kernel": "merge_rows", "grid": ["ROWS"], "block": [32], "args": ["largest", "sums", "rows"] },
    { "kernel": "write_rows", "grid": ["L / (4 * WRITE * EACH)", "ROWS"], "block": ["WRITE"], "args": ["x", "rows", "y"] }
  ],
  "playbook": {
    "regimes": ["latency_bound", "memory_bound"],
    "evidence": "The writing pass of a split softmax spends registers and time on merging the pieces again in every thread, or its grid is bound to the pieces of the reading pass.",
    "combines": ["split_rows"]
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

__device__ float largest_of(float4 v) {
  const float a = v.x > v.y ? v.x : v.y, b = v.z > v.w ? v.z : v.w;
  return a > b ? a : b;
}

__device__ float4 exponentials(float4 v, float largest) {
  return make_float4(expf(v.x - largest), expf(v.y - largest), expf(v.z - largest), expf(v.w - largest));
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

// One warp merges a row: the largest element first, so that each sum is rescaled once. A piece of nothing but -Inf adds
// nothing and must not make a NaN of Inf - Inf.
__global__ void __launch_bounds__(32)
    merge_rows(const float* __restrict__ largest, const double* __restrict__ sums, float* __restrict__ rows) {
  const int lane = threadIdx.x, first = blockIdx.x * SPLIT;
  const bool has = lane < SPLIT;
  const float own = has ? largest[first + lane] : NOTHING;
  float most = own;
  for (int offset = 16; offset > 0; offset /= 2) {
    const float other = __shfl_xor_sync(0xffffffffu, most, offset);
    most = other > most ? other : most;
  }
  double sum = has ? sums[first + lane] : 0.0;
  if (has && most != NOTHING) sum *= expf(own - most);
  for (int offset = 16; offset > 0; offset /= 2) sum += __shfl_xor_sync(0xffffffffu, sum, offset);
  if (lane == 0) {
    rows[2 * blockIdx.x] = most;
    rows[2 * blockIdx.x + 1] = (float)(1.0 / sum);
  }
}

__global__ void __launch_bounds__(WRITE)
    write_rows(const float* __restrict__ x, const float* __restrict__ rows, float* __restrict__ y) {
  const int row = ROWS - 1 - blockIdx.y;
  const float largest = rows[2 * row], scale = rows[2 * row + 1];
  const long long first = ((long long)row * gridDim.x + gridDim.x - 1 - blockIdx.x) * WRITE * EACH + threadIdx.x;
  const float4* in = reinterpret_cast<const float4*>(x) + first;
  float4* out = reinterpret_cast<float4*>(y) + first;
#pragma unroll
  for (int i = 0; i < EACH; ++i) {
    const float4 e = exponentials(in[i * WRITE], largest);
    __stcs(out + i * WRITE, make_float4(e.x * scale, e.y * scale, e.z * scale, e.w * scale));
  }
}
