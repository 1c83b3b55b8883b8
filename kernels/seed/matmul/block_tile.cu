/*kevolve
{
  "idea": "Two levels of tiling: a block stages BM x BK of a (transposed) and BK x BN of b in shared memory with 128-bit loads, and each thread multiplies a TM x TN register tile out of it. The columns of a thread come in runs of VEC, interleaved over the threads of a row, so that the 128-bit shared reads of a warp touch all banks once.",
  "tunables": { "BM": [64, 128, 32], "BN": [64, 128, 32], "BK": [16, 8, 32], "TM": [4, 8], "TN": [32, 16, 8, 4], "VEC": [32, 16, 4, 8] },
  "constraints": ["M % BM == 0", "N % BN == 0", "K % BK == 0", "TN % VEC == 0", "BM % TM == 0", "BN % TN == 0",
                  "(BM / TM) * (BN / TN) <= 1024", "(BM + BN) * BK * 4 <= 49152"],
  "launches": [
    { "kernel": "block_tile", "grid": ["N / BN", "M / BM"], "block": ["(BM / TM) * (BN / TN)"], "args": ["a", "b", "c"] }
  ],
  "playbook": {
    "regimes": ["compute_bound", "memory_bound"],
    "evidence": "FMA pipe below 60 % while shared-memory or L1 throughput is high: too few multiply-adds per load.",
    "combines": ["shared_tiles", "register_tile"]
  }
}
*/
constexpr int kColumnThreads = BN / TN;
constexpr int kThreads = (BM / TM) * kColumnThreads;

__global__ void __launch_bounds__(kThreads) block_tile(const float* __restrict__ a, const float* __restrict__ b,
                                                       float* __restrict__ c) {
  __shared__ __align__(16) float a_tile[BK][BM];
  __shared__ __align__(16) float b_tile[BK][BN];
  const int thread = threadIdx.x;
  const int first_column = (thread % kColumnThreads) * VEC;
  const int first_row = (thread / kColumnThreads) * TM;
  const float* a_block = a + (long long)blockIdx.y * BM * K;
  const float* b_block = b + (long long)blockIdx.x * BN;
  float sum[TM][TN];
#pragma unroll
  for (int i = 0; i < TM; ++i) {
#pragma unroll
    for (int j = 0; j < TN; ++j) sum[i][j] = 0.0f;
  }
  for (int k0 = 0; k0 < K; k0 += BK) {
    for (int i = thread; i < BM * BK / 4; i += kThreads) {
      const int row = i / (BK / 4), k = i % (BK / 4) * 4;
      const float4 v = *reinterpret_cast<const float4*>(a_block + (long long)row * K + k0 + k);
      a_tile[k][row] = v.x;
      a_tile[k + 1][row] = v.y;
      a_tile[k + 2][row] = v.z;
      a_tile[k + 3][row] = v.w;
    }
    for (int i = thread; i < BK * BN / 4; i += kThreads) {
      const int k = i / (BN / 4), column = i % (BN / 4) * 4;
      *reinterpret_cast<float4*>(&b_tile[k][column]) =
          *reinterpret_cast<const float4*>(b_block + (long long)(k0 + k) * N + column);
    }
    __syncthreads();
#pragma unroll 4
    for (int k = 0; k < BK; ++k) {
      float a_column[TM], b_row[TN];
#pragma unroll
      for (int i = 0; i < TM; ++i) a_column[i] = a_tile[k][first_row + i];
#pragma unroll
      for (int j = 0; j < TN; ++j) b_row[j] = b_tile[k][(j / VEC) * (VEC * kColumnThreads) + first_column + j % VEC];
#pragma unroll
      for (int i = 0; i < TM; ++i) {
#pragma unroll
        for (int j = 0; j < TN; ++j) sum[i][j] += a_column[i] * b_row[j];
      }
    }
    __syncthreads();
  }
  float* c_block = c + (long long)(blockIdx.y * BM + first_row) * N + (long long)blockIdx.x * BN + first_column;
#pragma unroll
  for (int i = 0; i < TM; ++i) {
#pragma unroll
    for (int j = 0; j < TN; ++j) c_block[(long long)i * N + (j / VEC) * (VEC * kColumnThreads) + j % VEC] = sum[i][j];
  }
}
