#pragma once
// What a compiled candidate and the runner know of each other. Included by both sides, so it needs nothing
// but the language: no containers, no project types.
//
// Translation unit of a candidate, in this order:
//   1. force-included `include/kevolve_simt.hpp` (precompile it), with -I `include/` for <cuda_fp16.h> and
//   the like;
//   2. `#define`s of axes, scalars and tunables, then `#line 1 "candidate.cu"`;
//   3. rewrite_for_host(source) (rewrite.hpp): shared-memory declarations become references, line numbers
//   stay;
//   4. one line for each launch: `KEVOLVE_SIMT_ENTRY(index, ns::rows<float, 4>)`, which exports the C symbol
//      `kevolve_entry_<index>`: a constant Entry. dlsym() of it is what Executor::launch() takes.
// Compile with -std=c++20 -shared -fPIC -fno-strict-aliasing, and without -ffast-math. The library has
// undefined symbols `kevolve_simt_*`: the program that loads it links kevolve_simt, which exports them. It
// holds no writable data of ours: what an inspection finds in .data, .bss, .tdata or .tbss is the candidate's
// own.
//
// Variables below are initial-exec TLS of the loading program, so reading threadIdx costs one load.

#include <cstddef>
#include <cstdint>

namespace kevolve::simt {

/// Bumped with every change of this file; launch() refuses a library compiled against another.
inline constexpr std::uint32_t kAbiVersion = 1;

enum class ParameterKind : std::uint32_t { pointer, integer, floating, other };

struct Parameter {
  std::uint32_t size_bytes = 0;
  ParameterKind kind = ParameterKind::other;
};

/// Index of a CUDA thread within its block, with its rank x + y * blockDim.x + z * blockDim.x * blockDim.y.
struct alignas(16) ThreadIndex {
  std::uint32_t x, y, z, rank;
};

/// The threads of a block that have not begun yet, in the order in which they shall run.
struct ThreadQueue {
  const ThreadIndex* order;
  std::uint32_t next;  ///< position in `order` of the next thread to begin
  std::uint32_t size;
  std::uint32_t bound;  ///< threads that have begun, have been suspended at least once and have not ended
};

/// One kernel. `run` begins threads of `queue` one after the other until none is left; several fibers may be
/// inside it for the same queue, all but one of them suspended. `arguments` points to the values, as for
/// cudaLaunchKernel.
struct Entry {
  std::uint32_t abi_version;
  std::uint32_t parameter_count;
  const Parameter* parameters;
  const char* name;
  void (*run)(ThreadQueue* queue, void* const* arguments);
};

/// Where one `__shared__` declaration of the kernel lies; key 0: free.
struct SharedSlot {
  std::uint64_t key;
  void* address;
};
inline constexpr std::uint32_t kSharedSlots = 64;

/// Atomics in a row after which a thread gives way to others, so that polling cannot starve them.
inline constexpr std::int32_t kSpins = 256;

/// What candidate code may look up without a call, for the block that this OS thread is executing.
struct BlockView {
  SharedSlot* slots;  ///< kSharedSlots of them, at index key % kSharedSlots or the next free
  unsigned char*
      shared_begin;  ///< static and dynamic shared memory lie in [shared_begin, shared_begin + shared_size)
  std::size_t shared_size;
  unsigned char* dynamic_shared;  ///< 16-byte aligned at least; ends at an inaccessible page
  std::uint32_t dynamic_bytes;
  std::int32_t spins_left;  ///< of kSpins
  std::uint64_t poison;     ///< a NaN in every 16-, 32- and 64-bit float; differs between thread orders
  std::uint32_t cooperative;
};

enum class BlockBarrier : std::uint32_t { sync, count, all_of, any_of };
enum class WarpOperation : std::uint32_t {
  sync,
  shuffle,
  ballot,
  match_any,
  match_all,
  add_i32,
  add_u32,
  min_i32,
  max_i32,
  min_u32,
  max_u32,
  bit_and,
  bit_or,
  bit_xor,
};

}  // namespace kevolve::simt

extern "C" {
/// `__syncthreads()` and its forms; exited threads count as arrived.
int kevolve_simt_block_barrier(kevolve::simt::BlockBarrier kind, int predicate);
/// A collective of the lanes in `mask`. `operand`: the value's bits. `lane`: shuffle's source lane (-1: own
/// value). The result's bits, or poison from a lane that takes no part. match_all: 0 or the mask.
std::uint64_t kevolve_simt_warp(kevolve::simt::WarpOperation operation, std::uint32_t mask,
                                std::uint64_t operand, int lane);
/// `grid.sync()`.
void kevolve_simt_grid_barrier();
/// `__activemask()`: the lanes of the own warp that have come to this same call, once no other lane can get
/// here.
std::uint32_t kevolve_simt_active_lanes();
/// Called after a kernel's return when queue->bound is not 0.
void kevolve_simt_thread_exited();
/// Lets other threads of the block, then other blocks, make progress.
void kevolve_simt_yield();
/// Finds or reserves shared memory for a declaration that its home slot does not hold.
void* kevolve_simt_shared(std::uint64_t key, std::size_t size_bytes, std::size_t alignment);
/// Ends the launch: `__trap()` (expression null) or a failed assert.
[[noreturn]] void kevolve_simt_trap(const char* expression, const char* file, unsigned line);

#define KEVOLVE_SIMT_TLS __attribute__((tls_model("initial-exec")))
extern __thread kevolve::simt::BlockView kevolve_simt_block KEVOLVE_SIMT_TLS;
}
