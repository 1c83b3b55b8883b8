/*kevolve
{
  "idea": "Stage a TILE x TILE piece of a and of b in shared memory, so that each element is fetched from memory once per block instead of once per thread; each thread computes ROWS elements of one column and keeps its element of b for all of them.",
  "tunables": { "TILE": [32, 16, 64], "ROWS": [8, 4, 16, 32] },
  "constraints": ["TILE % ROWS == 0", "M % TILE == 0", "N % TILE == 0", "K % TILE == 0", "TILE * (TILE / ROWS) <= 1024"],
  "launches": [
    { "kernel": "shared_tiles", "grid": ["N / TILE", "M / TILE"], "block": ["TILE", "TILE / ROWS"], "args": ["a", "b", "c"] }
  ],
  "playbook": {
    "regimes": ["memory_bound"],
    "evidence": "DRAM or L2 bytes far above 4 * (MK + KN + MN): neighbouring threads fetch the same rows and columns again."
  }
}
*/
__global__ void shared_tiles(const float* __restrict__ a, const float* __restrict__ b, float* __restrict__ c) {
  __shared__ float a_tile[TILE][TILE];
  __shared__ float b_tile[TILE][TILE];
  const int column = threadIdx.x;
  const int first_row = threadIdx.y * ROWS;
  const float* a_block = a + (long long)blockIdx.y * TILE * K;
  const float* b_block = b + (long long)blockIdx.x * TILE;
  float sum[ROWS];
#pragma unroll
  for (int i = 0; i < ROWS; ++i) sum[i] = 0.0f;
  for (int k0 = 0; k0 < K; k0 += TILE) {
#pragma unroll
    for (int i = 0; i < ROWS; ++i) {
      a_tile[first_row + i][column] = a_block[(long long)(first_row + i) * K + k0 + column];
      b_tile[first_row + i][column] = b_block[(long long)(k0 + first_row + i) * N + column];
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
  float* c_block = c + (long long)blockIdx.y * TILE * N + (long long)blockIdx.x * TILE;
#pragma unroll
  for (int i = 0; i < ROWS; ++i) c_block[(long long)(first_row + i) * N + column] = sum[i];
}
