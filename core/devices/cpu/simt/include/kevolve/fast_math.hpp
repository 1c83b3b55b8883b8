#pragma once
// The fast intrinsics of the CUDA Math API as branch-free polynomials that g++ can vectorise. Errors stay
// within those that the CUDA programming guide documents for the device's own (2 ulp + |1.173 x| for __expf,
// 2^-21.4 absolute for
// __sinf, and so on). Coefficients: interpolation at Chebyshev nodes.

#include "math.hpp"

namespace kevolve::simt {

/// 2^x to about 1 ulp; right for overflow, denormal results, infinities and NaN.
__forceinline__ float fast_exp2(float x) {
  constexpr float kRound = 12582912.0f;  // 1.5 * 2^23: adding it leaves the nearest integer in the low bits
  x = x > 130.0f ? 130.0f : x;
  x = x < -160.0f ? -160.0f : x;
  const float shifted = x + kRound;
  const int n = __float_as_int(shifted) - __float_as_int(kRound);
  const float f = x - (shifted - kRound);
  float p = 1.546144470e-04f;
  p = p * f + 1.340042818e-03f;
  p = p * f + 9.618056679e-03f;
  p = p * f + 5.550327227e-02f;
  p = p * f + 2.402265092e-01f;
  p = p * f + 6.931472067e-01f;
  p = p * f + 1.0f;
  // Two factors, each a normal number, so that results below 2^-126 round once more and become denormal.
  const int half = n >> 1;
  const float low = __uint_as_float(static_cast<unsigned>(half + 127) << 23);
  const float high = __uint_as_float(static_cast<unsigned>(n - half + 127) << 23);
  return p * low * high;
}

/// log2(x) to about 1 ulp away from 1; right for denormals, 0, infinity, NaN and negative numbers.
__forceinline__ float fast_log2(float x) {
  const bool denormal = x < 1.17549435e-38f;
  const float scaled = denormal ? x * 8388608.0f : x;
  const int bits = __float_as_int(scaled);
  const int exponent = (bits - 0x3f3504f3) >> 23;  // so that the mantissa lies in [√½, √2)
  const float t = __int_as_float(static_cast<int>(static_cast<unsigned>(bits) -
                                                  (static_cast<unsigned>(exponent) << 23))) -
                  1.0f;
  float p = -1.074978940e-01f;
  p = p * t + 1.847603335e-01f;
  p = p * t + -1.913883766e-01f;
  p = p * t + 2.048576478e-01f;
  p = p * t + -2.396081219e-01f;
  p = p * t + 2.885525614e-01f;
  p = p * t + -3.606965418e-01f;
  p = p * t + 4.808985203e-01f;
  p = p * t + -7.213473545e-01f;
  p = p * t + 1.442695040e+00f;
  const float whole = static_cast<float>(denormal ? exponent - 23 : exponent);
  float result = p * t + whole;
  result = x == __builtin_inff() ? x : result;
  result = x == 0.0f ? -__builtin_inff() : result;
  return x >= 0.0f ? result : __builtin_nanf("");
}

/// sin(x + quarter * π/2) for quarter 0 or 1.
__forceinline__ float fast_sine(float x, float quarter) {
  constexpr float kRound = 12582912.0f;
  const float half_turns = x * 0.318309886f + 0.5f * quarter;
  const float shifted = half_turns + kRound;
  const float k = shifted - kRound;
  float r = __builtin_fmaf(k - 0.5f * quarter, -3.140625f, x);  // π in three parts
  r = __builtin_fmaf(k - 0.5f * quarter, -9.67502593994140625e-4f, r);
  r = __builtin_fmaf(k - 0.5f * quarter, -1.509957990978376432e-7f, r);
  const float z = r * r;
  float p = 2.605107635e-06f;
  p = p * z + -1.980901741e-04f;
  p = p * z + 8.333050171e-03f;
  p = p * z + -1.666665795e-01f;
  p = p * z * r + r;
  return __uint_as_float(__float_as_uint(p) ^ __float_as_uint(shifted)
                                                  << 31);  // odd half turns change the sign
}

}  // namespace kevolve::simt

__forceinline__ float __expf(float x) {
  return kevolve::simt::fast_exp2(x * 1.44269504f);
}
__forceinline__ float __exp2f(float x) {
  return kevolve::simt::fast_exp2(x);
}
__forceinline__ float __exp10f(float x) {
  return kevolve::simt::fast_exp2(x * 3.32192809f);
}
__forceinline__ float __log2f(float x) {
  return kevolve::simt::fast_log2(x);
}
__forceinline__ float __logf(float x) {
  return kevolve::simt::fast_log2(x) * 0.693147181f;
}
__forceinline__ float __log10f(float x) {
  return kevolve::simt::fast_log2(x) * 0.301029996f;
}
__forceinline__ float __powf(float x, float y) {
  return kevolve::simt::fast_exp2(y * kevolve::simt::fast_log2(x));
}
__forceinline__ float __sinf(float x) {
  return kevolve::simt::fast_sine(x, 0.0f);
}
__forceinline__ float __cosf(float x) {
  return kevolve::simt::fast_sine(x, 1.0f);
}
__forceinline__ void __sincosf(float x, float* sine, float* cosine) {
  *sine = __sinf(x);
  *cosine = __cosf(x);
}
__forceinline__ float __tanf(float x) {
  return __sinf(x) / __cosf(x);
}
__forceinline__ float __tanhf(float x) {
  const float e = kevolve::simt::fast_exp2(x * 2.88539008f);
  const float near_zero = x * (1.0f - x * x * (0.333333333f - x * x * 0.133333333f));
  const float far = 1.0f - 2.0f / (e + 1.0f);
  return (x < 0 ? -x : x) < 0.125f ? near_zero : far;
}
__forceinline__ float __fdividef(float x, float y) {
  return x / y;
}
__forceinline__ float fdividef(float x, float y) {
  return x / y;
}
