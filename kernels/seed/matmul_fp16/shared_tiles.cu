/*kevolve
{
  "idea": "Stage a TILE x TILE piece of a and of b in shared memory, widened to fp32 on the way, so that each element is fetched and converted once per block instead of once per product; each thread sums ROWS elements of one column in fp32 and keeps its element of b for all of them.",
  "tunables": { "TILE": [32, 16, 64], "ROWS": [8, 4, 16, 32] },
  "constraints": ["TILE % ROWS == 0", "M % TILE == 0", "N % TILE == 0", "K % TILE == 0", "TILE * (TILE / ROWS) <= 1024"],
  "launches": [
    { "kernel": "shared_tiles", "grid": ["N / TILE", "M / TILE"], "block": ["TILE", "TILE / ROWS"], "args": ["a", "b", "c"] }
  ],
  "playbook": {
    "regimes": ["memory_bound", "compute_bound"],
    "evidence": "DRAM or L2 bytes far above 2 * (MK + KN + MN), or more conversions than multiply-adds: neighbouring threads fetch and widen the same elements again."
  }
}
*/
#include <cuda_fp16.h>

__global__ void shared_tiles(const __half* __restrict__ a, const __half* __restrict__ b, __half* __restrict__ c) {
  __shared__ float a_tile[TILE][TILE];
  __shared__ float b_tile[TILE][TILE];
  const int column = threadIdx.x;
  const int first_row = threadIdx.y * ROWS;
  const __half* a_block = a + (long long)blockIdx.y * TILE * K;
  const __half* b_block = b + (long long)blockIdx.x * TILE;
  float sum[ROWS];
#pragma unroll
  for (int i = 0; i < ROWS; ++i) sum[i] = 0.0f;
  for (int k0 = 0; k0 < K; k0 += TILE) {
#pragma unroll
    for (int i = 0; i < ROWS; ++i) {
      a_tile[first_row + i][column] = __half2float(a_block[(long long)(first_row + i) * K + k0 + column]);
      b_tile[first_row + i][column] = __half2float(b_block[(long long)(k0 + first_row + i) * N + column]);
    }
    __syncthreads();
#pragma unroll 8
    for (int k = 0; k < TILE; ++k) {
      const float b_value = b_tile[k][column];
#pragma unroll
      for (int i = 0; i < ROWS; ++i) sum[i] += a_tile[first_row + i][k] * b_value;
    }
    __syncthreads();
  }
  __half* c_block = c + (long long)blockIdx.y * TILE * N + (long long)blockIdx.x * TILE;
#pragma unroll
  for (int i = 0; i < ROWS; ++i) c_block[(long long)(first_row + i) * N + column] = __float2half(sum[i]);
}
