/*kevolve
{
  "idea": "32 x 32 tiles in dynamic shared memory, float4 loads, four rows per thread, launch bounds.",
  "constraints": ["M % 32 == 0", "N % 32 == 0", "K % 16 == 0"],
  "launches": [
    { "kernel": "gemm32", "grid": ["N / 32", "M / 32", 1], "block": [32, 8, 1], "shared_bytes": "2 * 32 * 16 * 4", "max_registers": 128,
      "args": ["a", "b", "c"] }
  ]
}
*/
__global__ void __launch_bounds__(256, 2) gemm32(const float* __restrict__ a, const float* __restrict__ b, float* __restrict__ c) {
  extern __shared__ __align__(16) unsigned char raw[];
  float(*ta)[16] = reinterpret_cast<float(*)[16]>(raw);              // 32 x 16
  float(*tb)[32] = reinterpret_cast<float(*)[32]>(raw + 32 * 16 * 4);  // 16 x 32
  const int t = threadIdx.y * 32 + threadIdx.x;
  const int row0 = blockIdx.y * 32, col0 = blockIdx.x * 32;
  float acc[4] = {0.f, 0.f, 0.f, 0.f};
  for (int k0 = 0; k0 < K; k0 += 16) {
    if (t < 128) {
      const float4 v = *reinterpret_cast<const float4*>(a + (row0 + t / 4) * K + k0 + t % 4 * 4);
      *reinterpret_cast<float4*>(&ta[t / 4][t % 4 * 4]) = v;
    } else {
      const int u = t - 128;
      *reinterpret_cast<float4*>(&tb[u / 8][u % 8 * 4]) =
          *reinterpret_cast<const float4*>(b + (k0 + u / 8) * N + col0 + u % 8 * 4);
    }
    __syncthreads();
#pragma unroll
    for (int k = 0; k < 16; ++k) {
      const float v = tb[k][threadIdx.x];
#pragma unroll
      for (int i = 0; i < 4; ++i) acc[i] = fmaf(__int_as_float(__float_as_int(ta[threadIdx.y + 8 * i][k]) & 0xffff0000), v, acc[i]);
    }
    __syncthreads();
  }
#pragma unroll
  for (int i = 0; i < 4; ++i) c[(row0 + threadIdx.y + 8 * i) * N + col0 + threadIdx.x] = acc[i];
}
