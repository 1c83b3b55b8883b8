/*kevolve
{
  "idea": "Give each thread a TM x TN tile of the product in fp32 registers and read a and b in 128-bit loads of eight halves, eight steps of K at a time: each loaded element of a is used TN times and each of b TM times, and is widened to fp32 once per thread. No shared memory and no barrier.",
  "tunables": { "TM": [4, 8], "TN": [32, 8, 16], "TX": [8, 4, 16], "TY": [4, 1, 8] },
  "constraints": ["M % TM == 0", "N % TN == 0", "K % 8 == 0", "TM * TN <= 128"],
  "launches": [
    { "kernel": "register_tile", "grid": ["ceil_div(N, TN * TX)", "ceil_div(M, TM * TY)"], "block": ["TX", "TY"],
      "args": ["a", "b", "c"] }
  ],
  "playbook": {
    "regimes": ["compute_bound", "memory_bound"],
    "evidence": "Loads and conversions per multiply-add near 2; 16-bit loads; LDS or LDG issue high and FMA pipe low."
  }
}
*/
#include <cuda_fp16.h>

struct __align__(16) Eight {
  __half2 pairs[4];
};

__device__ __forceinline__ void widen(float* to, const __half* from) {
  const Eight eight = *reinterpret_cast<const Eight*>(from);
#pragma unroll
  for (int i = 0; i < 4; ++i) {
    const float2 two = __half22float2(eight.pairs[i]);
    to[2 * i] = two.x;
    to[2 * i + 1] = two.y;
  }
}

__global__ void __launch_bounds__(TX* TY)
    register_tile(const __half* __restrict__ a, const __half* __restrict__ b, __half* __restrict__ c) {
  const int column = (blockIdx.x * TX + threadIdx.x) * TN;
  const int row = (blockIdx.y * TY + threadIdx.y) * TM;
  if (row >= M || column >= N) return;
  float sum[TM][TN];
#pragma unroll
  for (int i = 0; i < TM; ++i) {
#pragma unroll
    for (int j = 0; j < TN; ++j) sum[i][j] = 0.0f;
  }
  for (int k0 = 0; k0 < K; k0 += 8) {
    float a_rows[TM][8];
#pragma unroll
    for (int i = 0; i < TM; ++i) widen(a_rows[i], a + (long long)(row + i) * K + k0);
#pragma unroll
    for (int k = 0; k < 8; ++k) {
      float b_row[TN];
#pragma unroll
      for (int j = 0; j < TN; j += 8) widen(b_row + j, b + (long long)(k0 + k) * N + column + j);
#pragma unroll
      for (int i = 0; i < TM; ++i) {
#pragma unroll
        for (int j = 0; j < TN; ++j) sum[i][j] += a_rows[i][k] * b_row[j];
      }
    }
  }
#pragma unroll
  for (int i = 0; i < TM; ++i) {
#pragma unroll
    for (int j = 0; j < TN; j += 8) {
      Eight eight;
#pragma unroll
      for (int e = 0; e < 4; ++e) eight.pairs[e] = __floats2half2_rn(sum[i][j + 2 * e], sum[i][j + 2 * e + 1]);
      *reinterpret_cast<Eight*>(c + (long long)(row + i) * N + column + j) = eight;
    }
  }
}
