#pragma once
// Three kernels whose regimes are beyond doubt, for the profiler's probe. Every input is filled with ones.

namespace kevolve {

/// 256 MB, one 16-byte access for each thread and step: DRAM's bandwidth.
inline constexpr const char* kCopySource = R"cuda(
__global__ void copy(const float4* x, float4* y) {
  const unsigned first = blockIdx.x * 1024 + threadIdx.x;
  float4 held[4];
#pragma unroll
  for (int i = 0; i < 4; ++i) held[i] = x[first + 256 * i];
#pragma unroll
  for (int i = 0; i < 4; ++i) y[first + 256 * i] = held[i];
}
)cuda";

/// fp32, 2048 x 2048 x 2048: blocks of 128 x 128, 8 x 8 results a thread, so that 64 FMAs follow on four
/// 128-bit reads of shared memory; the next tile is fetched meanwhile.
inline constexpr const char* kMatmulSource = R"cuda(
constexpr int N = 2048, T = 128, K = 8;

__global__ void __launch_bounds__(256, 2) matmul(const float* a, const float* b, float* c) {
  __shared__ __align__(16) float sa[2][K][T + 4], sb[2][K][T];
  const int t = threadIdx.x, row = blockIdx.y * T, col = blockIdx.x * T;
  const int ar = t / 2, ak = t % 2 * 4, bk = t / 32, bc = t % 32 * 4, ty = t / 16 * 4, tx = t % 16 * 4;
  float acc[8][8] = {};
  float4 ra, rb;
  const auto fetch = [&](int k) {
    ra = *reinterpret_cast<const float4*>(a + (row + ar) * N + k + ak);
    rb = *reinterpret_cast<const float4*>(b + (k + bk) * N + col + bc);
  };
  const auto keep = [&](int to) {
    sa[to][ak][ar] = ra.x;
    sa[to][ak + 1][ar] = ra.y;
    sa[to][ak + 2][ar] = ra.z;
    sa[to][ak + 3][ar] = ra.w;
    *reinterpret_cast<float4*>(&sb[to][bk][bc]) = rb;
  };
  fetch(0);
  keep(0);
  __syncthreads();
  for (int k0 = 0; k0 < N; k0 += K) {
    const int now = k0 / K & 1;
    const bool more = k0 + K < N;
    if (more) fetch(k0 + K);
#pragma unroll
    for (int k = 0; k < K; ++k) {
      float x[8], y[8];
      *reinterpret_cast<float4*>(x) = *reinterpret_cast<const float4*>(&sa[now][k][ty]);
      *reinterpret_cast<float4*>(x + 4) = *reinterpret_cast<const float4*>(&sa[now][k][64 + ty]);
      *reinterpret_cast<float4*>(y) = *reinterpret_cast<const float4*>(&sb[now][k][tx]);
      *reinterpret_cast<float4*>(y + 4) = *reinterpret_cast<const float4*>(&sb[now][k][64 + tx]);
#pragma unroll
      for (int i = 0; i < 8; ++i)
#pragma unroll
        for (int j = 0; j < 8; ++j) acc[i][j] = fmaf(x[i], y[j], acc[i][j]);
    }
    if (more) keep(now ^ 1);
    __syncthreads();
  }
#pragma unroll
  for (int i = 0; i < 8; ++i) {
    float* out = c + (row + (i < 4 ? ty + i : 60 + ty + i)) * N + col + tx;
    *reinterpret_cast<float4*>(out) = make_float4(acc[i][0], acc[i][1], acc[i][2], acc[i][3]);
    *reinterpret_cast<float4*>(out + 64) = make_float4(acc[i][4], acc[i][5], acc[i][6], acc[i][7]);
  }
}
)cuda";

/// 4 Mi floats in one block: one SM works, and waits for memory most of the time.
inline constexpr const char* kSumSource = R"cuda(
__global__ void __launch_bounds__(1024) sum(const float* x, float* y) {
  __shared__ float partial[32];
  float total = 0;
  for (int i = threadIdx.x; i < (4 << 20); i += 1024) total += x[i];
  for (int step = 16; step > 0; step /= 2) total += __shfl_xor_sync(0xffffffffu, total, step);
  if (threadIdx.x % 32 == 0) partial[threadIdx.x / 32] = total;
  __syncthreads();
  if (threadIdx.x >= 32) return;
  total = partial[threadIdx.x];
  for (int step = 16; step > 0; step /= 2) total += __shfl_xor_sync(0xffffffffu, total, step);
  if (threadIdx.x == 0) *y = total;
}
)cuda";

}  // namespace kevolve
