/*kevolve
{
  "idea": "Asymmetric tiling: only a's tile goes to shared memory, transposed, where all threads read the same ROWS values at a time (a broadcast); b is read straight from memory, each thread owning VEC contiguous columns, and never needs a barrier. Half the shared traffic, and few barriers because the tile is deep in K.",
  "tunables": { "ROWS": [8, 4, 16], "VEC": [32, 1, 2, 4, 8, 16], "THREADS": [4, 16, 64, 128], "DEPTH": [128, 32, 64, 256] },
  "constraints": ["M % ROWS == 0", "N % (VEC * THREADS) == 0", "K % DEPTH == 0", "ROWS * VEC <= 256", "ROWS * DEPTH * 4 <= 49152"],
  "launches": [
    { "kernel": "rows_in_shared", "grid": ["N / (VEC * THREADS)", "M / ROWS"], "block": ["THREADS"], "args": ["a", "b", "c"] }
  ],
  "playbook": {
    "regimes": ["compute_bound", "latency_bound"],
    "evidence": "A kernel with both operands in shared memory is limited by shared-memory throughput or by its barriers."
  }
}
*/
__global__ void __launch_bounds__(THREADS) rows_in_shared(const float* __restrict__ a, const float* __restrict__ b,
                                                          float* __restrict__ c) {
  __shared__ __align__(16) float a_tile[DEPTH][ROWS];
  const int column = (blockIdx.x * THREADS + threadIdx.x) * VEC;
  const float* a_block = a + (long long)blockIdx.y * ROWS * K;
  float sum[ROWS][VEC];
#pragma unroll
  for (int i = 0; i < ROWS; ++i) {
#pragma unroll
    for (int j = 0; j < VEC; ++j) sum[i][j] = 0.0f;
  }
  for (int k0 = 0; k0 < K; k0 += DEPTH) {
    for (int i = threadIdx.x; i < ROWS * DEPTH; i += THREADS) {
      const int row = i / DEPTH, k = i % DEPTH;
      a_tile[k][row] = a_block[(long long)row * K + k0 + k];
    }
    __syncthreads();
    const float* b_rows = b + (long long)k0 * N + column;
#pragma unroll 4
    for (int k = 0; k < DEPTH; ++k) {
      float b_row[VEC];
#pragma unroll
      for (int j = 0; j < VEC; ++j) b_row[j] = b_rows[(long long)k * N + j];
#pragma unroll
      for (int i = 0; i < ROWS; ++i) {
        const float a_value = a_tile[k][i];
#pragma unroll
        for (int j = 0; j < VEC; ++j) sum[i][j] += a_value * b_row[j];
      }
    }
    __syncthreads();
  }
#pragma unroll
  for (int i = 0; i < ROWS; ++i) {
#pragma unroll
    for (int j = 0; j < VEC; ++j) c[(long long)(blockIdx.y * ROWS + i) * N + column + j] = sum[i][j];
  }
}
