// Kernels of math_test.cpp: one column of results for each function.
#include <math_constants.h>

__global__ void fast(const float* x, float* y, int n) {
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= n) return;
  const float a = x[i];
  y[i] = __expf(a);
  y[i + n] = exp2f(a) * 0 + __exp10f(a);
  y[i + 2 * n] = __logf(a);
  y[i + 3 * n] = __log2f(a);
  y[i + 4 * n] = __sinf(a);
  y[i + 5 * n] = __cosf(a);
  y[i + 6 * n] = __tanhf(a);
  y[i + 7 * n] = __powf(a, 1.5f);
  y[i + 8 * n] = rsqrtf(a);
  y[i + 9 * n] = normcdff(a);
}

__global__ void special(float* y, double* d) {
  const float nan = CUDART_NAN_F, inf = CUDART_INF_F;
  float r[] = {fmaxf(nan, 1), fmaxf(2, nan), fminf(nan, nan), max(nan, 3.0f), min(1.0f, nan), __saturatef(nan), __saturatef(2),
               __expf(-inf), __expf(inf), __expf(nan), __logf(0), __logf(-1), __logf(inf), __expf(-100), __expf(200), __fdividef(1, 4),
               __frcp_rn(8), __fsqrt_rn(2), __fadd_ru(1, 1e-10f), __fadd_rd(1, 1e-10f), __fmul_rz(-1.1f, 1.1f), erfinvf(0.5f),
               normcdfinvf(0.975f), sinpif(0.5f), cospif(1), erfcxf(1), rcbrtf(8), norm3df(2, 3, 6), fdividef(9, 3), exp10f(2)};
  for (int i = 0; i < 30; ++i) y[i] = r[i];
  d[0] = max(1, 2.5);
  d[1] = fmax(CUDART_NAN, 4.0);
  d[2] = min(-1, 1u);   // as unsigned
  d[3] = rsqrt(4.0);
  d[4] = max(3ll, 2);
  d[5] = abs(-2.5f) + abs(-3) + fabsf(-1);
}

__global__ void integers(long long* y) {
  long long r[] = {__popc(0xf0f0u), __popcll(~0ull), __clz(0), __clz(1), __clzll(1), __ffs(0), __ffs(8), __brev(1), (long long)__brevll(2),
                   __byte_perm(0x33221100, 0x77665544, 0x7531), __byte_perm(0x80, 0, 0x8888 & 0xfff8), __funnelshift_l(0x80000000u, 1, 1),
                   __funnelshift_r(1, 3, 1), __funnelshift_lc(5, 9, 40), __umulhi(1u << 31, 6), __mulhi(-1, 5), __mul24(-3, 5),
                   (long long)__umul64hi(1ull << 63, 6), __sad(3, -4, 10), __dp4a(0x01020304, 0x01010101, 5), __dp4a((int)0xff000000, 0x02000000, 0),
                   __float2int_rn(2.5f), __float2int_rz(-2.9f), __float2int_ru(2.1f), __float2int_rd(-2.1f), __float2int_rn(1e20f), __float2int_rz(CUDART_NAN_F),
                   __float2uint_rn(-5), __double2int_rn(3.5), __double2ll_rz(-1e30), __float_as_int(1.0f), __double2hiint(1.0), __hadd(5, 8), __fns(0xf0, 0, 2),
                   __float2int_rn(-3e9f), (long long)(max(-1, 1u) == 0xffffffffu)};
  for (int i = 0; i < sizeof(r) / sizeof(r[0]); ++i) y[i] = r[i];
}

__global__ void vectors(float4* v, int* sizes) {
  const float2 a = make_float2(1, 2);
  v[0] = make_float4(a.x, a.y, 3, 4);
  float4 w = __ldg(&v[0]);
  __stcs(&v[1], make_float4(w.w, w.z, w.y, w.x));
  const dim3 d(7);
  int r[] = {sizeof(float3), alignof(float4), sizeof(uchar4), alignof(char3), alignof(double2), alignof(int2), sizeof(longlong2), alignof(short4),
             (int)(d.x + d.y + d.z), (int)alignof(long4), (int)sizeof(uint3)};
  for (int i = 0; i < 11; ++i) sizes[i] = r[i];
}

// A contracted product would make the difference non-zero.
__global__ void uncontracted(float a, float b, float* y) { y[0] = __fadd_rn(__fmul_rn(a, b), -__fmul_rn(a, b)); y[1] = a * b - __fmul_rn(a, b); y[2] = __fmaf_rn(a, b, -__fmul_rn(a, b)); }

KEVOLVE_SIMT_ENTRY(fast, fast)
KEVOLVE_SIMT_ENTRY(special, special)
KEVOLVE_SIMT_ENTRY(integers, integers)
KEVOLVE_SIMT_ENTRY(vectors, vectors)
KEVOLVE_SIMT_ENTRY(uncontracted, uncontracted)
