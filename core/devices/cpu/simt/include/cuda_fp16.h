#pragma once
// half and half2. Stored as bits, computed in float; conversions by F16C where the processor has it.

struct __half_raw {
  unsigned short x;
};

struct __align__(2) __half {
  unsigned short bits;

  __half() = default;
  constexpr __half(__half_raw raw) : bits(raw.x) {}
  template <class T>
  requires std::is_arithmetic_v<T>
  constexpr __half(T value) : bits(std::bit_cast<unsigned short>(static_cast<_Float16>(value))) {}
  constexpr operator float() const {
    return static_cast<float>(std::bit_cast<_Float16>(bits));
  }
  constexpr operator __half_raw() const {
    return {bits};
  }
  template <class T>
  requires std::is_integral_v<T>
  explicit constexpr operator T() const {
    return static_cast<T>(static_cast<float>(*this));
  }
  template <class T>
  requires std::is_arithmetic_v<T>
  constexpr __half& operator=(T value) {
    return *this = __half(value);
  }
};

struct __align__(4) __half2 {
  __half x, y;

  __half2() = default;
  constexpr __half2(__half low, __half high) : x(low), y(high) {}
};

using half = __half;
using half2 = __half2;

#define KEVOLVE_SIMT_VALUE __half
#define KEVOLVE_SIMT_PAIR __half2
#include "kevolve/float16_functions.inc"
#undef KEVOLVE_SIMT_VALUE
#undef KEVOLVE_SIMT_PAIR

__forceinline__ __half __float2half(float a) {
  return __half(a);
}
__forceinline__ __half __float2half_rn(float a) {
  return __half(a);
}
__forceinline__ __half __double2half(double a) {
  return __half(a);
}
__forceinline__ float __half2float(__half a) {
  return float(a);
}
__forceinline__ __half2 __float2half2_rn(float a) {
  return {__half(a), __half(a)};
}
__forceinline__ __half2 __floats2half2_rn(float a, float b) {
  return {__half(a), __half(b)};
}
__forceinline__ __half2 __float22half2_rn(float2 a) {
  return {__half(a.x), __half(a.y)};
}
__forceinline__ float2 __half22float2(__half2 a) {
  return {float(a.x), float(a.y)};
}
__forceinline__ __half2 make_half2(__half a, __half b) {
  return {a, b};
}
__forceinline__ __half2 __halves2half2(__half a, __half b) {
  return {a, b};
}
__forceinline__ __half2 __half2half2(__half a) {
  return {a, a};
}
__forceinline__ __half __low2half(__half2 a) {
  return a.x;
}
__forceinline__ __half __high2half(__half2 a) {
  return a.y;
}
__forceinline__ __half2 __low2half2(__half2 a) {
  return {a.x, a.x};
}
__forceinline__ __half2 __high2half2(__half2 a) {
  return {a.y, a.y};
}
__forceinline__ __half2 __lows2half2(__half2 a, __half2 b) {
  return {a.x, b.x};
}
__forceinline__ __half2 __highs2half2(__half2 a, __half2 b) {
  return {a.y, b.y};
}
__forceinline__ unsigned short __half_as_ushort(__half a) {
  return a.bits;
}
__forceinline__ short __half_as_short(__half a) {
  return static_cast<short>(a.bits);
}
__forceinline__ __half __ushort_as_half(unsigned short a) {
  return __half_raw{a};
}
__forceinline__ __half __short_as_half(short a) {
  return __half_raw{static_cast<unsigned short>(a)};
}

#define KEVOLVE_SIMT_INTEGER(name, type)                       \
  __forceinline__ __half __##name##2half_rn(type a) {          \
    return __half(a);                                          \
  }                                                            \
  __forceinline__ type __half2##name##_rn(__half a) {          \
    return kevolve::simt::saturate<type>(__builtin_rintf(a));  \
  }                                                            \
  __forceinline__ type __half2##name##_rz(__half a) {          \
    return kevolve::simt::saturate<type>(float(a));            \
  }                                                            \
  __forceinline__ type __half2##name##_rd(__half a) {          \
    return kevolve::simt::saturate<type>(__builtin_floorf(a)); \
  }                                                            \
  __forceinline__ type __half2##name##_ru(__half a) {          \
    return kevolve::simt::saturate<type>(__builtin_ceilf(a));  \
  }
KEVOLVE_SIMT_INTEGER(int, int)
KEVOLVE_SIMT_INTEGER(uint, unsigned)
KEVOLVE_SIMT_INTEGER(short, short)
KEVOLVE_SIMT_INTEGER(ushort, unsigned short)
KEVOLVE_SIMT_INTEGER(ll, long long)
KEVOLVE_SIMT_INTEGER(ull, unsigned long long)
#undef KEVOLVE_SIMT_INTEGER

#define CUDART_INF_FP16 __ushort_as_half(0x7c00)
#define CUDART_NAN_FP16 __ushort_as_half(0x7fff)
#define CUDART_ZERO_FP16 __ushort_as_half(0x0000)
#define CUDART_ONE_FP16 __ushort_as_half(0x3c00)
#define CUDART_MAX_NORMAL_FP16 __ushort_as_half(0x7bff)
#define CUDART_MIN_DENORM_FP16 __ushort_as_half(0x0001)
