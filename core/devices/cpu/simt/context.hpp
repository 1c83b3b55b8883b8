#pragma once
// Context: a place in the middle of a computation on its own stack, and the switch from one to another.
//
// On x86-64 the switch is inline assembly, elsewhere Boost.Context. Both keep the callee-saved registers.
// Inlined, a reduction in shared memory runs 1.6 times as fast (45 → 71 million thread-steps per second). The
// presumed reason is the branch predictor's return stack: jump_fcontext is called but leaves with a jump, so
// each switch leaves one return address behind and later returns miss; threads that wait at the same call
// share their return addresses. Define KEVOLVE_SIMT_PORTABLE_SWITCH to use Boost.Context on x86-64 too.

#include <cstddef>
#include <cstdint>

#if !defined(__x86_64__)
#define KEVOLVE_SIMT_PORTABLE_SWITCH
#endif
#ifdef KEVOLVE_SIMT_PORTABLE_SWITCH
#include <boost/context/detail/fcontext.hpp>
#endif

namespace kevolve::simt {

class Context {
 public:
  using Main = void (*)();  ///< never returns

  /// Begins `main` on the stack of `size_bytes` below `top` at the first switch to it.
  void prepare(unsigned char* top, std::size_t size_bytes, Main main);

  /// Stores the present place in `from` and goes on at `to`; returns when somebody switches to `from`.
  [[gnu::always_inline]] static inline void switch_to(Context& from, Context& to);

 private:
#ifdef KEVOLVE_SIMT_PORTABLE_SWITCH
  static void begin(boost::context::detail::transfer_t transfer);
  Main main_ = nullptr;
#endif
  void* place_ = nullptr;
};

#ifdef KEVOLVE_SIMT_PORTABLE_SWITCH

inline void Context::begin(boost::context::detail::transfer_t transfer) {
  auto** both = static_cast<Context**>(transfer.data);  // from, to
  both[0]->place_ = transfer.fctx;
  both[1]->main_();
}

inline void Context::prepare(unsigned char* top, std::size_t size_bytes, Main main) {
  main_ = main;
  place_ = boost::context::detail::make_fcontext(top, size_bytes, &Context::begin);
}

inline void Context::switch_to(Context& from, Context& to) {
  Context* both[2] = {&from, &to};
  const auto transfer = boost::context::detail::jump_fcontext(to.place_, both);
  static_cast<Context**>(transfer.data)[0]->place_ = transfer.fctx;
}

#else

inline void Context::prepare(unsigned char* top, std::size_t, Main main) {
  auto* stack =
      reinterpret_cast<std::uintptr_t*>(reinterpret_cast<std::uintptr_t>(top) & ~std::uintptr_t{15});
  *--stack = 0;  // main's return address: none, and aligned as after a call
  *--stack = reinterpret_cast<std::uintptr_t>(main);
  place_ = stack;
}

// A place is a stack pointer; below it lies the address to go on at. Everything that the compiler may keep in
// registers is declared lost, except rbx and rbp, which are pushed. The lea steps over the red zone.
inline void Context::switch_to(Context& from, Context& to) {
  void** save = &from.place_;
  void* load = to.place_;
  __asm__ volatile(
      "leaq -128(%%rsp), %%rsp\n\t"
      "pushq %%rbp\n\t"
      "pushq %%rbx\n\t"
      "leaq 1f(%%rip), %%rax\n\t"
      "pushq %%rax\n\t"
      "movq %%rsp, (%%rdi)\n\t"
      "movq %%rsi, %%rsp\n\t"
      "popq %%rax\n\t"
      "jmpq *%%rax\n"
      "1:\n\t"
      "popq %%rbx\n\t"
      "popq %%rbp\n\t"
      "leaq 128(%%rsp), %%rsp"
      : "+D"(save), "+S"(load)
      :
      : "rax", "rcx", "rdx", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15", "cc", "memory",  //
        "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10", "xmm11",
        "xmm12", "xmm13", "xmm14", "xmm15"
#ifdef __AVX512F__
        ,
        "xmm16", "xmm17", "xmm18", "xmm19", "xmm20", "xmm21", "xmm22", "xmm23", "xmm24", "xmm25", "xmm26",
        "xmm27", "xmm28", "xmm29", "xmm30", "xmm31", "k0", "k1", "k2", "k3", "k4", "k5", "k6", "k7"
#endif
  );
}

#endif

}  // namespace kevolve::simt
