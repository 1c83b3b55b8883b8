#pragma once
// Atomics. On global memory they are the host's, since blocks run in parallel; on shared memory plain ones.
// Scopes (_block, _system) make no difference here.

#include "memory.hpp"

namespace kevolve::simt {

template <class T, class... U>
concept OneOf = (std::is_same_v<T, U> || ...);
template <class T>
concept AtomicInteger = OneOf<T, int, unsigned, long, unsigned long, long long, unsigned long long>;
template <class T>
concept AtomicNumber = AtomicInteger<T> || OneOf<T, float, double>;

template <std::size_t Size>
struct BitsOf;
template <>
struct BitsOf<2> {
  using Type = std::uint16_t;
};
template <>
struct BitsOf<4> {
  using Type = std::uint32_t;
};
template <>
struct BitsOf<8> {
  using Type = std::uint64_t;
};

/// Replaces *address by update(*address); returns the old value.
template <class T, class Update>
__forceinline__ T atomic_update(T* address, Update update) {
  count_spin(1);
  if (is_shared(address)) {
    const T old = *address;
    *address = update(old);
    return old;
  }
  using Bits = typename BitsOf<sizeof(T)>::Type;
  Bits* const cell = reinterpret_cast<Bits*>(address);
  Bits seen = __atomic_load_n(cell, __ATOMIC_RELAXED);
  for (;;) {
    const T old = std::bit_cast<T>(seen);
    const Bits wanted = std::bit_cast<Bits>(static_cast<T>(update(old)));
    if (__atomic_compare_exchange_n(cell, &seen, wanted, true, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
      return old;
  }
}

/// Sums of integers need no loop.
template <class T>
__forceinline__ T atomic_add(T* address, T value) {
  if constexpr (std::is_integral_v<T>) {
    count_spin(1);
    if (!is_shared(address)) return __atomic_fetch_add(address, value, __ATOMIC_ACQ_REL);
    const T old = *address;
    __builtin_add_overflow(old, value, address);  // wraps, as on the device
    return old;
  } else {
    return atomic_update(address, [value](T old) { return old + value; });
  }
}

template <class T>
__forceinline__ T atomic_exchange(T* address, T value) {
  using Bits = typename BitsOf<sizeof(T)>::Type;
  count_spin(1);
  return std::bit_cast<T>(
      __atomic_exchange_n(reinterpret_cast<Bits*>(address), std::bit_cast<Bits>(value), __ATOMIC_ACQ_REL));
}

template <class T>
__forceinline__ T atomic_compare_exchange(T* address, T compare, T value) {
  count_spin(1);
  __atomic_compare_exchange_n(address, &compare, value, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE);
  return compare;
}

}  // namespace kevolve::simt

#define KEVOLVE_SIMT_UPDATE(expression) \
  kevolve::simt::atomic_update(address, [value](T old) -> T { return expression; })

#define KEVOLVE_SIMT_ATOMIC(name, concept, body)                               \
  template <kevolve::simt::concept T>                                          \
  __forceinline__ T name(T* address, std::type_identity_t<T> value) {          \
    return body;                                                               \
  }                                                                            \
  template <kevolve::simt::concept T>                                          \
  __forceinline__ T name##_block(T* address, std::type_identity_t<T> value) {  \
    return name(address, value);                                               \
  }                                                                            \
  template <kevolve::simt::concept T>                                          \
  __forceinline__ T name##_system(T* address, std::type_identity_t<T> value) { \
    return name(address, value);                                               \
  }

KEVOLVE_SIMT_ATOMIC(atomicAdd, AtomicNumber, kevolve::simt::atomic_add(address, value))
KEVOLVE_SIMT_ATOMIC(atomicSub, AtomicInteger, kevolve::simt::atomic_add(address, static_cast<T>(0 - value)))
KEVOLVE_SIMT_ATOMIC(atomicMin, AtomicInteger, KEVOLVE_SIMT_UPDATE(old < value ? old : value))
KEVOLVE_SIMT_ATOMIC(atomicMax, AtomicInteger, KEVOLVE_SIMT_UPDATE(old > value ? old : value))
KEVOLVE_SIMT_ATOMIC(atomicAnd, AtomicInteger, KEVOLVE_SIMT_UPDATE(old& value))
KEVOLVE_SIMT_ATOMIC(atomicOr, AtomicInteger, KEVOLVE_SIMT_UPDATE(old | value))
KEVOLVE_SIMT_ATOMIC(atomicXor, AtomicInteger, KEVOLVE_SIMT_UPDATE(old ^ value))
KEVOLVE_SIMT_ATOMIC(atomicExch, AtomicNumber, kevolve::simt::atomic_exchange(address, value))
KEVOLVE_SIMT_ATOMIC(atomicInc, AtomicInteger, KEVOLVE_SIMT_UPDATE(old >= value ? 0 : old + 1))
KEVOLVE_SIMT_ATOMIC(atomicDec, AtomicInteger, KEVOLVE_SIMT_UPDATE(old == 0 || old > value ? value : old - 1))

template <class T>
requires kevolve::simt::AtomicInteger<T> || std::is_same_v<T, unsigned short> __forceinline__ T
atomicCAS(T* address, std::type_identity_t<T> compare, std::type_identity_t<T> value) {
  return kevolve::simt::atomic_compare_exchange(address, compare, value);
}
template <class T>
__forceinline__ T atomicCAS_block(T* address, std::type_identity_t<T> compare,
                                  std::type_identity_t<T> value) {
  return atomicCAS(address, compare, value);
}
template <class T>
__forceinline__ T atomicCAS_system(T* address, std::type_identity_t<T> compare,
                                   std::type_identity_t<T> value) {
  return atomicCAS(address, compare, value);
}
