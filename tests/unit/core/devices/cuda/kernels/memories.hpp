#pragma once
// Memories: a CudaMemory to test and the HostMemory that is its model. The CudaMemory's kernels run on the
// SIMT executor, or, where KEVOLVE_TEST_ON_GPU is defined, on the machine's GPU: the tests are the same.

#include <cstdlib>
#include <cstring>
#include <map>

#include "core/devices/cuda/cuda_memory.hpp"
#include "core/devices/host_memory.hpp"
#include "tests/catch.hpp"
#ifdef KEVOLVE_TEST_ON_GPU
#include "tests/gpu/gpu_queue.hpp"
#else
#include "tests/unit/core/devices/cuda/kernels/simt_queue.hpp"
#endif

namespace kevolve {

struct Memories {
  std::shared_ptr<TestQueue> queue = make_queue();
  cuda::CudaMemory cuda{queue, 3, std::size_t{1} << 30};
  devices::HostMemory host;

  /// A copy in the GPU's memory, `shift` bytes behind an aligned address.
  std::shared_ptr<std::byte> upload(const void* from, std::size_t size_bytes, std::size_t shift = 0) {
    const auto memory = *cuda.allocate(size_bytes + shift);
    cuda.from_host(memory.get() + shift, from, size_bytes);
    return {memory, memory.get() + shift};
  }
  std::vector<std::byte> download(const std::shared_ptr<std::byte>& from, std::size_t size_bytes) {
    std::vector<std::byte> bytes(size_bytes);
    cuda.to_host(bytes.data(), from.get(), size_bytes);
    return bytes;
  }
};

/// The same elements in the GPU's memory.
struct Uploaded {
  std::shared_ptr<std::byte> memory;
  gates::Elements view;

  Uploaded(Memories& m, const gates::Elements& elements, std::size_t shift = 0)
      : memory(m.upload(elements.data, elements.size_bytes(), shift)),
        view{elements.dtype, memory.get(), elements.count} {}
};

inline constexpr DType kAllTypes[] = {DType::f32, DType::f16, DType::bf16, DType::f64,
                                      DType::i32, DType::i64, DType::u8,   DType::boolean};

}  // namespace kevolve
