#pragma once
// The CUDA Math API beyond <math.h>: rounding-explicit arithmetic, conversions that saturate, functions that
// libm lacks.

#include "integer.hpp"

// libm's fmin and fmax are calls; these are three instructions. NaN gives the other operand.
#define KEVOLVE_SIMT_MIN_MAX(name, type, comparison)                                          \
  extern "C" __forceinline__ __attribute__((gnu_inline)) type name(type a, type b) noexcept { \
    const type chosen = a comparison b ? a : b;                                               \
    return b != b ? a : chosen;                                                               \
  }
KEVOLVE_SIMT_MIN_MAX(fminf, float, <)
KEVOLVE_SIMT_MIN_MAX(fmaxf, float, >)
KEVOLVE_SIMT_MIN_MAX(fmin, double, <)
KEVOLVE_SIMT_MIN_MAX(fmax, double, >)
#undef KEVOLVE_SIMT_MIN_MAX

// Never contracted into a fused multiply-add.
#define KEVOLVE_SIMT_ARITHMETIC(prefix, type, root)     \
  __forceinline__ type prefix##add_rn(type a, type b) { \
    return __builtin_assoc_barrier(a + b);              \
  }                                                     \
  __forceinline__ type prefix##sub_rn(type a, type b) { \
    return __builtin_assoc_barrier(a - b);              \
  }                                                     \
  __forceinline__ type prefix##mul_rn(type a, type b) { \
    return __builtin_assoc_barrier(a * b);              \
  }                                                     \
  __forceinline__ type prefix##div_rn(type a, type b) { \
    return a / b;                                       \
  }                                                     \
  __forceinline__ type prefix##sqrt_rn(type a) {        \
    return root(a);                                     \
  }                                                     \
  __forceinline__ type prefix##rcp_rn(type a) {         \
    return type(1) / a;                                 \
  }
KEVOLVE_SIMT_ARITHMETIC(__f, float, __builtin_sqrtf)
KEVOLVE_SIMT_ARITHMETIC(__d, double, __builtin_sqrt)
#undef KEVOLVE_SIMT_ARITHMETIC
__forceinline__ float __fmaf_rn(float a, float b, float c) {
  return __builtin_fmaf(a, b, c);
}
__forceinline__ double __fma_rn(double a, double b, double c) {
  return __builtin_fma(a, b, c);
}
__forceinline__ float __frsqrt_rn(float a) {
  return static_cast<float>(1.0 / __builtin_sqrt(static_cast<double>(a)));
}
__forceinline__ float __fmaf_ieee_rn(float a, float b, float c) {
  return __builtin_fmaf(a, b, c);
}

// Directed rounding of a float result that is known as a double.
namespace kevolve::simt {
__forceinline__ float round_down(double exact) {
  const float nearest = static_cast<float>(exact);
  return nearest > exact ? __builtin_nextafterf(nearest, -__builtin_inff()) : nearest;
}
__forceinline__ float round_up(double exact) {
  const float nearest = static_cast<float>(exact);
  return nearest < exact ? __builtin_nextafterf(nearest, __builtin_inff()) : nearest;
}
__forceinline__ float round_to_zero(double exact) {
  return exact < 0 ? round_up(exact) : round_down(exact);
}
}  // namespace kevolve::simt

#define KEVOLVE_SIMT_DIRECTED(suffix, rounding)                                     \
  __forceinline__ float __double2float_##suffix(double a) {                         \
    return kevolve::simt::rounding(a);                                              \
  }                                                                                 \
  __forceinline__ float __fadd_##suffix(float a, float b) {                         \
    return kevolve::simt::rounding(double(a) + double(b));                          \
  }                                                                                 \
  __forceinline__ float __fsub_##suffix(float a, float b) {                         \
    return kevolve::simt::rounding(double(a) - double(b));                          \
  }                                                                                 \
  __forceinline__ float __fmul_##suffix(float a, float b) {                         \
    return kevolve::simt::rounding(double(a) * double(b));                          \
  }                                                                                 \
  __forceinline__ float __fdiv_##suffix(float a, float b) {                         \
    return kevolve::simt::rounding(double(a) / double(b));                          \
  }                                                                                 \
  __forceinline__ float __frcp_##suffix(float a) {                                  \
    return kevolve::simt::rounding(1.0 / double(a));                                \
  }                                                                                 \
  __forceinline__ float __fsqrt_##suffix(float a) {                                 \
    return kevolve::simt::rounding(__builtin_sqrt(double(a)));                      \
  }                                                                                 \
  __forceinline__ float __fmaf_##suffix(float a, float b, float c) {                \
    return kevolve::simt::rounding(__builtin_fma(double(a), double(b), double(c))); \
  }                                                                                 \
  __forceinline__ float __int2float_##suffix(int a) {                               \
    return kevolve::simt::rounding(a);                                              \
  }                                                                                 \
  __forceinline__ float __uint2float_##suffix(unsigned a) {                         \
    return kevolve::simt::rounding(a);                                              \
  }
KEVOLVE_SIMT_DIRECTED(rd, round_down)
KEVOLVE_SIMT_DIRECTED(ru, round_up)
KEVOLVE_SIMT_DIRECTED(rz, round_to_zero)
#undef KEVOLVE_SIMT_DIRECTED

// Conversions to nearest.
__forceinline__ float __double2float_rn(double a) {
  return static_cast<float>(a);
}
__forceinline__ float __int2float_rn(int a) {
  return static_cast<float>(a);
}
__forceinline__ float __uint2float_rn(unsigned a) {
  return static_cast<float>(a);
}
__forceinline__ float __ll2float_rn(long long a) {
  return static_cast<float>(a);
}
__forceinline__ float __ull2float_rn(unsigned long long a) {
  return static_cast<float>(a);
}
__forceinline__ double __int2double_rn(int a) {
  return a;
}
__forceinline__ double __uint2double_rn(unsigned a) {
  return a;
}
__forceinline__ double __ll2double_rn(long long a) {
  return static_cast<double>(a);
}
__forceinline__ double __ull2double_rn(unsigned long long a) {
  return static_cast<double>(a);
}

// Conversions to integers saturate, and NaN becomes 0.
namespace kevolve::simt {
template <class To, class From>
__forceinline__ To saturate(From a) {
  constexpr From kLow = static_cast<From>(std::numeric_limits<To>::min());
  constexpr From kBeyond = static_cast<From>(std::numeric_limits<To>::max() / 2 + 1) * 2;  // 2^n, exact
  if (a != a) return 0;
  if (a >= kBeyond) return std::numeric_limits<To>::max();
  return a < kLow ? std::numeric_limits<To>::min() : static_cast<To>(a);
}
}  // namespace kevolve::simt

#define KEVOLVE_SIMT_TO_INTEGER(from_name, from, to_name, to, f) \
  __forceinline__ to __##from_name##2##to_name##_rz(from a) {    \
    return kevolve::simt::saturate<to>(a);                       \
  }                                                              \
  __forceinline__ to __##from_name##2##to_name##_rn(from a) {    \
    return kevolve::simt::saturate<to>(__builtin_rint##f(a));    \
  }                                                              \
  __forceinline__ to __##from_name##2##to_name##_rd(from a) {    \
    return kevolve::simt::saturate<to>(__builtin_floor##f(a));   \
  }                                                              \
  __forceinline__ to __##from_name##2##to_name##_ru(from a) {    \
    return kevolve::simt::saturate<to>(__builtin_ceil##f(a));    \
  }
KEVOLVE_SIMT_TO_INTEGER(float, float, int, int, f)
KEVOLVE_SIMT_TO_INTEGER(float, float, uint, unsigned, f)
KEVOLVE_SIMT_TO_INTEGER(float, float, ll, long long, f)
KEVOLVE_SIMT_TO_INTEGER(float, float, ull, unsigned long long, f)
KEVOLVE_SIMT_TO_INTEGER(double, double, int, int, )
KEVOLVE_SIMT_TO_INTEGER(double, double, uint, unsigned, )
KEVOLVE_SIMT_TO_INTEGER(double, double, ll, long long, )
KEVOLVE_SIMT_TO_INTEGER(double, double, ull, unsigned long long, )
#undef KEVOLVE_SIMT_TO_INTEGER

__forceinline__ float __saturatef(float a) {
  return a > 0.0f ? (a < 1.0f ? a : 1.0f) : 0.0f;
}  // NaN: 0

// Functions that libm lacks. Float versions go through double where that costs nothing that matters.
__forceinline__ float rsqrtf(float a) {
  return 1.0f / __builtin_sqrtf(a);
}
__forceinline__ double rsqrt(double a) {
  return 1.0 / __builtin_sqrt(a);
}
__forceinline__ float rsqrt(float a) {
  return rsqrtf(a);
}
__forceinline__ float rcbrtf(float a) {
  return 1.0f / cbrtf(a);
}
__forceinline__ double rcbrt(double a) {
  return 1.0 / cbrt(a);
}
__forceinline__ double normcdf(double a) {
  return 0.5 * erfc(-a * 0.70710678118654752440);
}
__forceinline__ float normcdff(float a) {
  return static_cast<float>(normcdf(a));
}
__forceinline__ double erfcx(double a) {
  if (a < 25.0) return exp(a * a) * erfc(a);
  const double s = 1.0 / (a * a);  // asymptotic series
  return 0.56418958354775628695 / a * (1.0 - 0.5 * s * (1.0 - 1.5 * s * (1.0 - 2.5 * s)));
}
__forceinline__ float erfcxf(float a) {
  return static_cast<float>(erfcx(a));
}
__forceinline__ float rhypotf(float a, float b) {
  return 1.0f / hypotf(a, b);
}
__forceinline__ double rhypot(double a, double b) {
  return 1.0 / hypot(a, b);
}
__forceinline__ float norm3df(float a, float b, float c) {
  return static_cast<float>(sqrt(double(a) * a + double(b) * b + double(c) * c));
}
__forceinline__ float rnorm3df(float a, float b, float c) {
  return static_cast<float>(1.0 / sqrt(double(a) * a + double(b) * b + double(c) * c));
}
__forceinline__ double norm3d(double a, double b, double c) {
  return sqrt(a * a + b * b + c * c);
}
__forceinline__ float norm4df(float a, float b, float c, float d) {
  return static_cast<float>(sqrt(double(a) * a + double(b) * b + double(c) * c + double(d) * d));
}
__forceinline__ double norm4d(double a, double b, double c, double d) {
  return sqrt(a * a + b * b + c * c + d * d);
}

// Arguments in half turns: reduced exactly before they are multiplied by π.
namespace kevolve::simt {
__forceinline__ double sine_of_half_turns(double a, double quarter) {
  const double rest = a - 2.0 * __builtin_rint(0.5 * a);  // [-1, 1]
  return quarter == 0 ? sin(rest * 3.14159265358979323846) : cos(rest * 3.14159265358979323846);
}
/// The inverse of erf: a first guess, then Newton's steps.
__forceinline__ double inverse_erf(double y) {
  if (!(y > -1.0 && y < 1.0))
    return y == 1.0 ? __builtin_inf() : y == -1.0 ? -__builtin_inf() : __builtin_nan("");
  const double w = log((1.0 - y) * (1.0 + y));
  const double t = 4.33074675 + 0.5 * w;  // Winitzki's approximation
  double x = copysign(sqrt(sqrt(t * t - w / 0.147) - t), y);
  for (int step = 0; step < 3; ++step) {
    const double error =
        y < 0.5 && y > -0.5 ? erf(x) - y : copysign(1.0, y) * ((1.0 - fabs(y)) - erfc(fabs(x)));
    const double slope = 1.12837916709551257390 * exp(-x * x);
    if (slope == 0) break;
    const double delta = error / slope;
    x -= delta / (1.0 + x * delta);  // Halley
  }
  return x;
}
}  // namespace kevolve::simt
__forceinline__ double sinpi(double a) {
  return kevolve::simt::sine_of_half_turns(a, 0);
}
__forceinline__ double cospi(double a) {
  return kevolve::simt::sine_of_half_turns(a, 1);
}
__forceinline__ float sinpif(float a) {
  return static_cast<float>(sinpi(a));
}
__forceinline__ float cospif(float a) {
  return static_cast<float>(cospi(a));
}
__forceinline__ void sincospif(float a, float* sine, float* cosine) {
  *sine = sinpif(a);
  *cosine = cospif(a);
}
__forceinline__ double erfinv(double a) {
  return kevolve::simt::inverse_erf(a);
}
__forceinline__ float erfinvf(float a) {
  return static_cast<float>(erfinv(a));
}
__forceinline__ double normcdfinv(double a) {
  return 1.41421356237309504880 * erfinv(2.0 * a - 1.0);
}
__forceinline__ float normcdfinvf(float a) {
  return static_cast<float>(normcdfinv(a));
}
