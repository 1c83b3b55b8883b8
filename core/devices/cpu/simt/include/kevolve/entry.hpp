#pragma once
// KEVOLVE_SIMT_ENTRY: the loop over threads into which g++ inlines one kernel, and its description for the
// runner.

#include "index.hpp"

namespace kevolve::simt {

template <class T>
constexpr Parameter parameter_of() {
  ParameterKind kind = ParameterKind::other;
  if constexpr (std::is_pointer_v<T>)
    kind = ParameterKind::pointer;
  else if constexpr (std::is_integral_v<T> || std::is_enum_v<T>)
    kind = ParameterKind::integer;
  else if constexpr (std::is_floating_point_v<T>)
    kind = ParameterKind::floating;
  return {sizeof(T), kind};
}

template <auto Kernel>
struct EntryOf;

template <class... P, void (*Kernel)(P...)>
struct EntryOf<Kernel> {
  static constexpr Parameter kParameters[] = {parameter_of<P>()..., Parameter{}};

  [[gnu::always_inline]] static inline void loop(ThreadQueue* queue, P... values) {
    while (queue->next < queue->size) {
      reinterpret_cast<ThreadIndex&>(threadIdx) = queue->order[queue->next++];
      kevolve_simt_block.spins_left = kSpins;
      __asm__ volatile("" : : "m"(threadIdx));  // a fault in the kernel must find the right thread in memory
      Kernel(values...);
      if (queue->bound != 0) [[unlikely]]
        kevolve_simt_thread_exited();
    }
  }

  template <std::size_t... I>
  [[gnu::always_inline]] static inline void unpack(ThreadQueue* queue, void* const* arguments,
                                                   std::index_sequence<I...>) {
    loop(queue, *static_cast<const P*>(arguments[I])...);
  }

  static void run(ThreadQueue* queue, void* const* arguments) {
    unpack(queue, arguments, std::index_sequence_for<P...>{});
  }

  static constexpr Entry entry(const char* name) {
    return {kAbiVersion, sizeof...(P), kParameters, name, &run};
  }
};

}  // namespace kevolve::simt

#define KEVOLVE_SIMT_ENTRY(index, ...)                                                                  \
  extern "C" __attribute__((visibility("default"))) const ::kevolve::simt::Entry kevolve_entry_##index; \
  const ::kevolve::simt::Entry kevolve_entry_##index =                                                  \
      ::kevolve::simt::EntryOf<&__VA_ARGS__>::entry(#__VA_ARGS__);
