/*kevolve
{
  "idea": "Split rows in a single cooperative launch: as many blocks as fit on the device at once take the pieces of all rows in turn, meet at one grid-wide barrier, and add the pieces of each row in a fixed order. No second launch, no tickets, and all blocks end together.",
  "tunables": { "SPLIT": [8, 2, 32], "BLOCK": [256, 32, 128, 512], "PER_SM": [4, 1, 2, 8] },
  "constraints": ["L % (4 * SPLIT * BLOCK) == 0", "BLOCK * PER_SM <= 2048"],
  "scratch": { "partial": { "dtype": "f64", "elements": "ROWS * SPLIT" } },
  "launches": [
    { "kernel": "sum_rows", "grid": ["min(ROWS * SPLIT, PER_SM * num_sms)"], "block": ["BLOCK"], "cooperative": true,
      "args": ["x", "partial", "y"] }
  ],
  "playbook": {
    "regimes": ["latency_bound"],
    "evidence": "Two launches of which the second is tiny: the gap between them, or blocks of the first that end at different times.",
    "combines": ["split_rows", "vector_loads"]
  }
}
*/
#include <cooperative_groups.h>

constexpr int kRun = 64;                 // fp32 additions in a row before a sum is folded into a double
constexpr int kVectors = L / SPLIT / 4;  // 128-bit vectors of a piece

// The sum over the block in a fixed order, in every thread.
__device__ double block_sum(double value) {
  __shared__ double parts[BLOCK / 32];
  for (int offset = 16; offset > 0; offset /= 2) value += __shfl_xor_sync(0xffffffffu, value, offset);
  __syncthreads();  // the previous piece's parts have been read
  if (threadIdx.x % 32 == 0) parts[threadIdx.x / 32] = value;
  __syncthreads();
  value = 0.0;
  for (int warp = 0; warp < BLOCK / 32; ++warp) value += parts[warp];
  return value;
}

__global__ void __launch_bounds__(BLOCK, PER_SM) sum_rows(const float* __restrict__ x, double* partial, float* y) {
  for (int piece = blockIdx.x; piece < ROWS * SPLIT; piece += gridDim.x) {
    const float4* in = reinterpret_cast<const float4*>(x) + (long long)piece * kVectors;
    double total = 0.0;
    for (int begin = threadIdx.x; begin < kVectors; begin += kRun / 4 * BLOCK) {
      const int end = min(begin + kRun / 4 * BLOCK, kVectors);
      float sum = 0.0f;
#pragma unroll 8
      for (int i = begin; i < end; i += BLOCK) {
        const float4 v = in[i];
        sum += (v.x + v.y) + (v.z + v.w);
      }
      total += sum;
    }
    total = block_sum(total);
    if (threadIdx.x == 0) partial[piece] = total;
  }
  cooperative_groups::this_grid().sync();  // every piece is written, and visible to all
  for (int row = blockIdx.x * BLOCK + threadIdx.x; row < ROWS; row += gridDim.x * BLOCK) {
    double total = 0.0;
    for (int piece = 0; piece < SPLIT; ++piece) total += partial[row * SPLIT + piece];
    y[row] = (float)total;
  }
}
