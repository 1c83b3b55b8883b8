#pragma once
// char1 … double4 with CUDA's layout, their make_* functions, and dim3.

#define KEVOLVE_SIMT_VECTORS(name, type, align2, align3, align4)                     \
  struct name##1 {                                                                   \
    type x;                                                                          \
  };                                                                                 \
  struct __align__(align2) name##2 {                                                 \
    type x, y;                                                                       \
  };                                                                                 \
  struct __align__(align3) name##3 {                                                 \
    type x, y, z;                                                                    \
  };                                                                                 \
  struct __align__(align4) name##4 {                                                 \
    type x, y, z, w;                                                                 \
  };                                                                                 \
  __forceinline__ constexpr name##1 make_##name##1(type x) {                         \
    return {x};                                                                      \
  }                                                                                  \
  __forceinline__ constexpr name##2 make_##name##2(type x, type y) {                 \
    return {x, y};                                                                   \
  }                                                                                  \
  __forceinline__ constexpr name##3 make_##name##3(type x, type y, type z) {         \
    return {x, y, z};                                                                \
  }                                                                                  \
  __forceinline__ constexpr name##4 make_##name##4(type x, type y, type z, type w) { \
    return {x, y, z, w};                                                             \
  }

KEVOLVE_SIMT_VECTORS(char, signed char, 2, 1, 4)
KEVOLVE_SIMT_VECTORS(uchar, unsigned char, 2, 1, 4)
KEVOLVE_SIMT_VECTORS(short, short, 4, 2, 8)
KEVOLVE_SIMT_VECTORS(ushort, unsigned short, 4, 2, 8)
KEVOLVE_SIMT_VECTORS(int, int, 8, 4, 16)
KEVOLVE_SIMT_VECTORS(uint, unsigned int, 8, 4, 16)
KEVOLVE_SIMT_VECTORS(long, long, 16, 8, 16)
KEVOLVE_SIMT_VECTORS(ulong, unsigned long, 16, 8, 16)
KEVOLVE_SIMT_VECTORS(longlong, long long, 16, 8, 16)
KEVOLVE_SIMT_VECTORS(ulonglong, unsigned long long, 16, 8, 16)
KEVOLVE_SIMT_VECTORS(float, float, 8, 4, 16)
KEVOLVE_SIMT_VECTORS(double, double, 16, 8, 16)

#undef KEVOLVE_SIMT_VECTORS

struct dim3 {
  unsigned int x, y, z;
  constexpr dim3(unsigned int width = 1, unsigned int height = 1, unsigned int depth = 1)
      : x(width), y(height), z(depth) {}
  constexpr dim3(uint3 v) : x(v.x), y(v.y), z(v.z) {}
  constexpr operator uint3() const { return {x, y, z}; }
};
