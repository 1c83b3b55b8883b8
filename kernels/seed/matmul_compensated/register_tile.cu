/*kevolve
{
  "idea": "Give each thread a TM x TN tile of the product, held in registers: each loaded element of a is used TN times and each of b TM times, so loads per multiply-add fall from 2 to 1/TM + 1/TN. No shared memory and no barrier: caches serve neighbouring threads, and the innermost loop runs over contiguous columns.",
  "tunables": { "TM": [4, 8, 16], "TN": [32, 4, 8, 16], "TX": [8, 4, 16], "TY": [4, 1, 8] },
  "constraints": ["M % TM == 0", "N % TN == 0", "TM * TN <= 256"],
  "launches": [
    { "kernel": "register_tile", "grid": ["ceil_div(N, TN * TX)", "ceil_div(M, TM * TY)"], "block": ["TX", "TY"],
      "args": ["a", "b", "c"] }
  ],
  "playbook": {
    "regimes": ["compute_bound", "memory_bound"],
    "evidence": "Loads per multiply-add near 2; LDS or LDG issue high and FMA pipe low; the naive kernel's shape."
  }
}
*/
__global__ void register_tile(const float* __restrict__ a, const float* __restrict__ b, float* __restrict__ c) {
  const int column = (blockIdx.x * TX + threadIdx.x) * TN;
  const int row = (blockIdx.y * TY + threadIdx.y) * TM;
  if (row >= M || column >= N) return;
  float sum[TM][TN];
#pragma unroll
  for (int i = 0; i < TM; ++i) {
#pragma unroll
    for (int j = 0; j < TN; ++j) sum[i][j] = 0.0f;
  }
  const float* a_rows = a + (long long)row * K;
  const float* b_columns = b + column;
  for (int k = 0; k < K; ++k) {
    float b_row[TN];
#pragma unroll
    for (int j = 0; j < TN; ++j) b_row[j] = b_columns[(long long)k * N + j];
#pragma unroll
    for (int i = 0; i < TM; ++i) {
      const float a_value = a_rows[(long long)i * K + k];
#pragma unroll
      for (int j = 0; j < TN; ++j) sum[i][j] += a_value * b_row[j];
    }
  }
#pragma unroll
  for (int i = 0; i < TM; ++i) {
#pragma unroll
    for (int j = 0; j < TN; ++j) c[(long long)(row + i) * N + column + j] = sum[i][j];
  }
}
