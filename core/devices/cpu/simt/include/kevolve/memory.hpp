#pragma once
// Loads and stores with cache hints (plain ones here), fences, clocks and address spaces.

#include <time.h>

#include "index.hpp"

#define KEVOLVE_SIMT_LOAD(name)              \
  template <class T>                         \
  __forceinline__ T name(const T* address) { \
    return *address;                         \
  }
KEVOLVE_SIMT_LOAD(__ldg)
KEVOLVE_SIMT_LOAD(__ldca)
KEVOLVE_SIMT_LOAD(__ldcg)
KEVOLVE_SIMT_LOAD(__ldcs)
KEVOLVE_SIMT_LOAD(__ldlu)
KEVOLVE_SIMT_LOAD(__ldcv)
#undef KEVOLVE_SIMT_LOAD

#define KEVOLVE_SIMT_STORE(name)                                         \
  template <class T>                                                     \
  __forceinline__ void name(T* address, std::type_identity_t<T> value) { \
    *address = value;                                                    \
  }
KEVOLVE_SIMT_STORE(__stwb)
KEVOLVE_SIMT_STORE(__stcg)
KEVOLVE_SIMT_STORE(__stcs)
KEVOLVE_SIMT_STORE(__stwt)
#undef KEVOLVE_SIMT_STORE

namespace kevolve::simt {

/// Shared memory is touched by one OS thread only, so its atomics are plain.
__forceinline__ bool is_shared(const volatile void* address) {
  return reinterpret_cast<std::uintptr_t>(address) -
             reinterpret_cast<std::uintptr_t>(kevolve_simt_block.shared_begin) <
         kevolve_simt_block.shared_size;
}

/// A thread that polls has to let those run that it waits for.
__forceinline__ void count_spin(int weight) {
  kevolve_simt_block.spins_left -= weight;
  if (kevolve_simt_block.spins_left < 0) [[unlikely]]
    kevolve_simt_yield();
}

}  // namespace kevolve::simt

__forceinline__ void __threadfence_block() {
  kevolve::simt::count_spin(8);
  __atomic_signal_fence(__ATOMIC_SEQ_CST);
}
__forceinline__ void __threadfence() {
  kevolve::simt::count_spin(8);
  __atomic_thread_fence(__ATOMIC_SEQ_CST);
}
__forceinline__ void __threadfence_system() {
  __threadfence();
}
__forceinline__ void __nanosleep(unsigned) {
  kevolve_simt_yield();
}

__forceinline__ unsigned __isShared(const void* address) {
  return kevolve::simt::is_shared(address);
}
__forceinline__ unsigned __isGlobal(const void* address) {
  return !kevolve::simt::is_shared(address);
}
__forceinline__ size_t __cvta_generic_to_shared(const void* address) {
  return reinterpret_cast<size_t>(address);
}
__forceinline__ size_t __cvta_generic_to_global(const void* address) {
  return reinterpret_cast<size_t>(address);
}

__forceinline__ long long clock64() {
  return static_cast<long long>(__builtin_ia32_rdtsc());
}
__forceinline__ long clock() {
  return static_cast<long>(__builtin_ia32_rdtsc());
}
