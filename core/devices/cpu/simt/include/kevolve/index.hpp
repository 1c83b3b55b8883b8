#pragma once
// threadIdx and its kin: thread-local variables of the program that runs the candidate, and shared memory.

#include "../../abi.hpp"
#include "vector_types.hpp"

namespace kevolve::simt {

/// threadIdx: a uint3 that carries the thread's rank in its block behind it.
struct alignas(16) BuiltinThreadIndex : uint3 {
  unsigned rank;
};
static_assert(sizeof(BuiltinThreadIndex) == sizeof(ThreadIndex));

template <class S>
constexpr std::uint64_t shared_key() {
  std::uint64_t hash =
      0xcbf29ce484222325ULL;  // FNV-1a over the type's name, which holds all template arguments
  for (const char* c = __PRETTY_FUNCTION__; *c != '\0'; ++c)
    hash = (hash ^ static_cast<unsigned char>(*c)) * 0x100000001b3ULL;
  return hash | 1ULL << 63;
}

/// The block's instance of `S`, the members of one `__shared__` declaration.
template <class S>
[[gnu::always_inline]] inline S& shared_storage() {
  constexpr std::uint64_t key = shared_key<S>();
  constexpr std::size_t alignment = alignof(S) > 16 ? alignof(S) : 16;
  const SharedSlot& slot = kevolve_simt_block.slots[key % kSharedSlots];
  void* address = slot.key == key ? slot.address : kevolve_simt_shared(key, sizeof(S), alignment);
  return *static_cast<S*>(__builtin_assume_aligned(address, alignment));
}

/// Dynamic shared memory as array type `A`.
template <class A>
[[gnu::always_inline]] inline A& dynamic_shared() {
  return *reinterpret_cast<A*>(__builtin_assume_aligned(kevolve_simt_block.dynamic_shared, 16));
}

}  // namespace kevolve::simt

extern "C" {
extern __thread kevolve::simt::BuiltinThreadIndex threadIdx __asm__("kevolve_simt_thread_index")
    KEVOLVE_SIMT_TLS;
extern __thread uint3 blockIdx __asm__("kevolve_simt_block_index") KEVOLVE_SIMT_TLS;
extern __thread dim3 blockDim __asm__("kevolve_simt_block_dim") KEVOLVE_SIMT_TLS;
extern __thread dim3 gridDim __asm__("kevolve_simt_grid_dim") KEVOLVE_SIMT_TLS;
}
inline constexpr int warpSize = 32;
