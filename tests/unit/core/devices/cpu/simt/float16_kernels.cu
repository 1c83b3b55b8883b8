// Kernels of float16_test.cpp.
#include <cuda_bf16.h>
#include <cuda_fp16.h>

template <class T>
__global__ void from_float(const float* x, unsigned short* bits, int n) {
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n) reinterpret_cast<T*>(bits)[i] = T(x[i]);
}
template <class T>
__global__ void to_float(const unsigned short* bits, float* y) {
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  y[i] = reinterpret_cast<const T*>(bits)[i];
}

__global__ void halves(const half* x, float* y) {
  const half a = x[0], b = x[1], nan = __ushort_as_half(0x7fff);
  const half2 p = __halves2half2(a, b), q = __floats2half2_rn(0.5f, 8.0f);
  half c = a;
  c += b;
  float r[] = {__half2float(a + b), __half2float(__hmul(a, b)), __half2float(__hdiv(a, b)), float(__hfma(a, b, a)), float(-a), float(__habs(__hneg(b))), float(c),
               __low2float(p * q), __high2float(__hadd2(p, q)), __low2float(__hfma2(p, q, p)), float(__hmax(nan, a)), float(__hmax_nan(nan, a)), float(__hmin(a, b)),
               float(__hlt(a, b)), float(__hgtu(a, nan)), float(__hne(a, nan)), float(a == a), float(__hbeq2(p, p)), __high2float(__hgt2(p, q)),
               float(hexp(a)), float(hsqrt(b)), float(hrcp(b)), float(__half2int_rn(__float2half(2.5f))), float(__int2half_rn(7)), __half22float2(p).y,
               float(__hadd_sat(a, b)), float(__high2half(__low2half2(p))), float(int(a)), float(__half_as_ushort(a)), float(__hisnan(nan)), float(hfloor(a))};
  for (int i = 0; i < 31; ++i) y[i] = r[i];
}

__global__ void bfloats(const __nv_bfloat16* x, float* y) {
  const __nv_bfloat16 a = x[0], b = x[1];
  const __nv_bfloat162 p = __halves2bfloat162(a, b), q = __floats2bfloat162_rn(0.5f, 8.0f);
  float r[] = {__bfloat162float(a + b), float(__hmul(a, b)), float(__hfma(a, b, a)), __low2float(__hmul2(p, q)), __high2float(__hfma2(p, q, p)),
               __bfloat1622float2(p).y, float(hexp(a)), float(__hgt(a, b)), float(__hmax(a, b)), float(__bfloat162int_rn(b))};
  for (int i = 0; i < 10; ++i) y[i] = r[i];
}

__global__ void exchanged(half* h, half2* h2, __nv_bfloat162* b2, float* y) {
  const int t = threadIdx.x;
  atomicAdd(&h[0], __float2half(1.0f));
  atomicAdd(&h2[0], __floats2half2_rn(1.0f, 2.0f));
  atomicAdd(&b2[0], __floats2bfloat162_rn(1.0f, 0.5f));
  half v = __float2half(t);
  for (int o = 16; o > 0; o >>= 1) v = __hadd(v, __shfl_xor_sync(0xffffffffu, v, o));
  half2 w = __floats2half2_rn(t, 1);
  for (int o = 16; o > 0; o >>= 1) w += __shfl_down_sync(0xffffffffu, w, o);
  y[t] = t == 0 ? float(v) + __low2float(w) + 10000 * __high2float(w) : float(v);
}

KEVOLVE_SIMT_ENTRY(half_from_float, from_float<half>)
KEVOLVE_SIMT_ENTRY(half_to_float, to_float<half>)
KEVOLVE_SIMT_ENTRY(bfloat_from_float, from_float<__nv_bfloat16>)
KEVOLVE_SIMT_ENTRY(bfloat_to_float, to_float<__nv_bfloat16>)
KEVOLVE_SIMT_ENTRY(halves, halves)
KEVOLVE_SIMT_ENTRY(bfloats, bfloats)
KEVOLVE_SIMT_ENTRY(exchanged, exchanged)
