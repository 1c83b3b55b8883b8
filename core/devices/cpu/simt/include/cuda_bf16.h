#pragma once
// __nv_bfloat16 and __nv_bfloat162: the upper half of a float, rounded to nearest even.

struct __nv_bfloat16_raw {
  unsigned short x;
};

namespace kevolve::simt {
constexpr unsigned short bfloat16_bits(float value) {
  const unsigned bits = std::bit_cast<unsigned>(value);
  const unsigned rounded = (bits + 0x7fffU + (bits >> 16 & 1)) >> 16;
  return static_cast<unsigned short>(value != value ? 0x7fffU : rounded);
}
}  // namespace kevolve::simt

struct __align__(2) __nv_bfloat16 {
  unsigned short bits;

  __nv_bfloat16() = default;
  constexpr __nv_bfloat16(__nv_bfloat16_raw raw) : bits(raw.x) {}
  template <class T>
  requires std::is_arithmetic_v<T>
  constexpr __nv_bfloat16(T value) : bits(kevolve::simt::bfloat16_bits(static_cast<float>(value))) {}
  constexpr operator float() const {
    return std::bit_cast<float>(static_cast<unsigned>(bits) << 16);
  }
  constexpr operator __nv_bfloat16_raw() const {
    return {bits};
  }
  template <class T>
  requires std::is_integral_v<T>
  explicit constexpr operator T() const {
    return static_cast<T>(static_cast<float>(*this));
  }
  template <class T>
  requires std::is_arithmetic_v<T>
  constexpr __nv_bfloat16& operator=(T value) {
    return *this = __nv_bfloat16(value);
  }
};

struct __align__(4) __nv_bfloat162 {
  __nv_bfloat16 x, y;

  __nv_bfloat162() = default;
  constexpr __nv_bfloat162(__nv_bfloat16 low, __nv_bfloat16 high) : x(low), y(high) {}
};

using nv_bfloat16 = __nv_bfloat16;
using nv_bfloat162 = __nv_bfloat162;

#define KEVOLVE_SIMT_VALUE __nv_bfloat16
#define KEVOLVE_SIMT_PAIR __nv_bfloat162
#include "kevolve/float16_functions.inc"
#undef KEVOLVE_SIMT_VALUE
#undef KEVOLVE_SIMT_PAIR

__forceinline__ __nv_bfloat16 __float2bfloat16(float a) {
  return __nv_bfloat16(a);
}
__forceinline__ __nv_bfloat16 __float2bfloat16_rn(float a) {
  return __nv_bfloat16(a);
}
__forceinline__ __nv_bfloat16 __float2bfloat16_rz(float a) {
  return __nv_bfloat16_raw{static_cast<unsigned short>(a != a ? 0x7fff : __float_as_uint(a) >> 16)};
}
__forceinline__ __nv_bfloat16 __double2bfloat16(double a) {
  return __nv_bfloat16(a);
}
__forceinline__ float __bfloat162float(__nv_bfloat16 a) {
  return float(a);
}
__forceinline__ __nv_bfloat162 __float2bfloat162_rn(float a) {
  return {__nv_bfloat16(a), __nv_bfloat16(a)};
}
__forceinline__ __nv_bfloat162 __floats2bfloat162_rn(float a, float b) {
  return {__nv_bfloat16(a), __nv_bfloat16(b)};
}
__forceinline__ __nv_bfloat162 __float22bfloat162_rn(float2 a) {
  return {__nv_bfloat16(a.x), __nv_bfloat16(a.y)};
}
__forceinline__ float2 __bfloat1622float2(__nv_bfloat162 a) {
  return {float(a.x), float(a.y)};
}
__forceinline__ __nv_bfloat162 make_bfloat162(__nv_bfloat16 a, __nv_bfloat16 b) {
  return {a, b};
}
__forceinline__ __nv_bfloat162 __halves2bfloat162(__nv_bfloat16 a, __nv_bfloat16 b) {
  return {a, b};
}
__forceinline__ __nv_bfloat162 __bfloat162bfloat162(__nv_bfloat16 a) {
  return {a, a};
}
__forceinline__ __nv_bfloat16 __low2bfloat16(__nv_bfloat162 a) {
  return a.x;
}
__forceinline__ __nv_bfloat16 __high2bfloat16(__nv_bfloat162 a) {
  return a.y;
}
__forceinline__ __nv_bfloat162 __low2bfloat162(__nv_bfloat162 a) {
  return {a.x, a.x};
}
__forceinline__ __nv_bfloat162 __high2bfloat162(__nv_bfloat162 a) {
  return {a.y, a.y};
}
__forceinline__ __nv_bfloat162 __lows2bfloat162(__nv_bfloat162 a, __nv_bfloat162 b) {
  return {a.x, b.x};
}
__forceinline__ __nv_bfloat162 __highs2bfloat162(__nv_bfloat162 a, __nv_bfloat162 b) {
  return {a.y, b.y};
}
__forceinline__ unsigned short __bfloat16_as_ushort(__nv_bfloat16 a) {
  return a.bits;
}
__forceinline__ short __bfloat16_as_short(__nv_bfloat16 a) {
  return static_cast<short>(a.bits);
}
__forceinline__ __nv_bfloat16 __ushort_as_bfloat16(unsigned short a) {
  return __nv_bfloat16_raw{a};
}
__forceinline__ __nv_bfloat16 __short_as_bfloat16(short a) {
  return __nv_bfloat16_raw{static_cast<unsigned short>(a)};
}

#define KEVOLVE_SIMT_INTEGER(name, type)                         \
  __forceinline__ __nv_bfloat16 __##name##2bfloat16_rn(type a) { \
    return __nv_bfloat16(a);                                     \
  }                                                              \
  __forceinline__ type __bfloat162##name##_rn(__nv_bfloat16 a) { \
    return kevolve::simt::saturate<type>(__builtin_rintf(a));    \
  }                                                              \
  __forceinline__ type __bfloat162##name##_rz(__nv_bfloat16 a) { \
    return kevolve::simt::saturate<type>(float(a));              \
  }
KEVOLVE_SIMT_INTEGER(int, int)
KEVOLVE_SIMT_INTEGER(uint, unsigned)
KEVOLVE_SIMT_INTEGER(short, short)
KEVOLVE_SIMT_INTEGER(ushort, unsigned short)
KEVOLVE_SIMT_INTEGER(ll, long long)
KEVOLVE_SIMT_INTEGER(ull, unsigned long long)
#undef KEVOLVE_SIMT_INTEGER

#define CUDART_INF_BF16 __ushort_as_bfloat16(0x7f80)
#define CUDART_NAN_BF16 __ushort_as_bfloat16(0x7fff)
#define CUDART_ZERO_BF16 __ushort_as_bfloat16(0x0000)
#define CUDART_ONE_BF16 __ushort_as_bfloat16(0x3f80)
