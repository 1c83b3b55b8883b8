#pragma once
// CUDA's keywords. The standard library's headers must come before: glibc spells attributes `__noinline__`.

#define __CUDACC__ 1
#define __CUDACC_RTC__ 1
#define __NVCC__ 1
#define __CUDA_ARCH__ 900
#define __KEVOLVE_SIMT__ 1  // for candidates that want to know

#define __host__
#define __device__
#define __managed__
#define __global__ inline __attribute__((always_inline))
#define __forceinline__ inline __attribute__((always_inline))
#define __noinline__ __attribute__((noinline))
#define __constant__ const
#define __grid_constant__
#define __launch_bounds__(...)
#define __cluster_dims__(...)
#define __maxnreg__(...)
#define __align__(n) __attribute__((aligned(n)))
#define __nv_pure__ __attribute__((pure))
#define __CUDA_ALIGN__(n) __align__(n)
// rewrite_for_host() has replaced every declaration that it could see.
#define __shared__                                                                                      \
  _Pragma(                                                                                              \
      "GCC error \"on the cpu device __shared__ must stand in the declaration itself, not come from a " \
      "macro\"")

#define __builtin_assume(condition)            \
  do {                                         \
    if (!(condition)) __builtin_unreachable(); \
  } while (false)
#define __assume(condition) __builtin_assume(condition)

#define __trap() kevolve_simt_trap(nullptr, nullptr, 0)
#define __brkpt() kevolve_simt_trap(nullptr, nullptr, 0)
#define assert(...)                                      \
  (static_cast<bool>(__VA_ARGS__) ? static_cast<void>(0) \
                                  : kevolve_simt_trap(#__VA_ARGS__, __FILE__, __LINE__))
