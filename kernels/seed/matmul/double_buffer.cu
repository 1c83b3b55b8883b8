/*kevolve
{
  "idea": "Two-level tiling with two shared-memory stages: while a block multiplies the current slice of K, its threads already hold the next slice in registers and store it into the other stage afterwards. Loads overlap arithmetic, and one barrier per slice is left of two.",
  "tunables": { "BM": [64, 128, 32], "BN": [64, 128], "BK": [16, 8, 32], "TM": [4, 8], "TN": [32, 16, 8], "VEC": [32, 16, 4, 8] },
  "constraints": ["M % BM == 0", "N % BN == 0", "K % BK == 0", "TN % VEC == 0", "BM % TM == 0", "BN % TN == 0",
                  "(BM / TM) * (BN / TN) <= 1024", "(BM + BN) * BK * 8 <= 49152",
                  "BM * BK / 4 % ((BM / TM) * (BN / TN)) == 0", "BN * BK / 4 % ((BM / TM) * (BN / TN)) == 0"],
  "launches": [
    { "kernel": "double_buffer", "grid": ["N / BN", "M / BM"], "block": ["(BM / TM) * (BN / TN)"], "args": ["a", "b", "c"] }
  ],
  "playbook": {
    "regimes": ["latency_bound", "compute_bound"],
    "evidence": "Stalls on long scoreboard and barriers in a tiled kernel whose DRAM share is low.",
    "combines": ["block_tile"]
  }
}
*/
constexpr int kColumnThreads = BN / TN;
constexpr int kThreads = (BM / TM) * kColumnThreads;
constexpr int kLoadsA = BM * BK / 4 / kThreads;
constexpr int kLoadsB = BN * BK / 4 / kThreads;

struct Slice {
  float4 a[kLoadsA], b[kLoadsB];
};

__device__ __forceinline__ void fetch(Slice& slice, const float* a_block, const float* b_block, int k0) {
#pragma unroll
  for (int l = 0; l < kLoadsA; ++l) {
    const int i = threadIdx.x + l * kThreads;
    slice.a[l] = *reinterpret_cast<const float4*>(a_block + (long long)(i / (BK / 4)) * K + k0 + i % (BK / 4) * 4);
  }
#pragma unroll
  for (int l = 0; l < kLoadsB; ++l) {
    const int i = threadIdx.x + l * kThreads;
    slice.b[l] = *reinterpret_cast<const float4*>(b_block + (long long)(k0 + i / (BN / 4)) * N + i % (BN / 4) * 4);
  }
}

__device__ __forceinline__ void stage(const Slice& slice, float (*a_tile)[BM], float (*b_tile)[BN]) {
#pragma unroll
  for (int l = 0; l < kLoadsA; ++l) {
    const int i = threadIdx.x + l * kThreads, row = i / (BK / 4), k = i % (BK / 4) * 4;
    a_tile[k][row] = slice.a[l].x;
    a_tile[k + 1][row] = slice.a[l].y;
    a_tile[k + 2][row] = slice.a[l].z;
    a_tile[k + 3][row] = slice.a[l].w;
  }
#pragma unroll
  for (int l = 0; l < kLoadsB; ++l) {
    const int i = threadIdx.x + l * kThreads;
    *reinterpret_cast<float4*>(&b_tile[i / (BN / 4)][i % (BN / 4) * 4]) = slice.b[l];
  }
}

__global__ void __launch_bounds__(kThreads) double_buffer(const float* __restrict__ a, const float* __restrict__ b,
                                                          float* __restrict__ c) {
  __shared__ __align__(16) float a_tile[2][BK][BM];
  __shared__ __align__(16) float b_tile[2][BK][BN];
  const int first_column = (threadIdx.x % kColumnThreads) * VEC;
  const int first_row = (threadIdx.x / kColumnThreads) * TM;
  const float* a_block = a + (long long)blockIdx.y * BM * K;
  const float* b_block = b + (long long)blockIdx.x * BN;
  float sum[TM][TN];
#pragma unroll
  for (int i = 0; i < TM; ++i) {
#pragma unroll
    for (int j = 0; j < TN; ++j) sum[i][j] = 0.0f;
  }
  Slice slice;
  fetch(slice, a_block, b_block, 0);
  stage(slice, a_tile[0], b_tile[0]);
  __syncthreads();
  for (int k0 = 0, current = 0; k0 < K; k0 += BK, current ^= 1) {
    const bool more = k0 + BK < K;
    if (more) fetch(slice, a_block, b_block, k0 + BK);
#pragma unroll 4
    for (int k = 0; k < BK; ++k) {
      float a_column[TM], b_row[TN];
#pragma unroll
      for (int i = 0; i < TM; ++i) a_column[i] = a_tile[current][k][first_row + i];
#pragma unroll
      for (int j = 0; j < TN; ++j)
        b_row[j] = b_tile[current][k][(j / VEC) * (VEC * kColumnThreads) + first_column + j % VEC];
#pragma unroll
      for (int i = 0; i < TM; ++i) {
#pragma unroll
        for (int j = 0; j < TN; ++j) sum[i][j] += a_column[i] * b_row[j];
      }
    }
    // The other stage was last read before the previous barrier, so it may be overwritten now.
    if (more) stage(slice, a_tile[current ^ 1], b_tile[current ^ 1]);
    __syncthreads();
  }
  float* c_block = c + (long long)(blockIdx.y * BM + first_row) * N + (long long)blockIdx.x * BN + first_column;
#pragma unroll
  for (int i = 0; i < TM; ++i) {
#pragma unroll
    for (int j = 0; j < TN; ++j) c_block[(long long)i * N + (j / VEC) * (VEC * kColumnThreads) + j % VEC] = sum[i][j];
  }
}
