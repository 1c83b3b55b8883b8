#pragma once
// MappedBuffer: a buffer of the judge in the runner's address space, between two reserved ranges that nothing
// is mapped into: an access beyond either end faults. Inputs are mapped read-only: a write to one faults,
// too.
//
// Owns the mapping. One thread.

#include "core/devices/channel.hpp"
#include "core/devices/cuda/driver.hpp"

namespace kevolve::cuda::runner {

class MappedBuffer {
 public:
  static Result<MappedBuffer> map(const Driver& driver, CUdevice device, const channel::BufferPlace& place,
                                  int descriptor, bool writable);
  MappedBuffer(MappedBuffer&& other) noexcept { *this = std::move(other); }
  MappedBuffer& operator=(MappedBuffer&& other) noexcept;
  ~MappedBuffer() { release(); }

  [[nodiscard]] CUdeviceptr data() const { return data_; }

 private:
  MappedBuffer() = default;
  void release();

  const Driver* driver_ = nullptr;
  CUdeviceptr reserved_ = 0, data_ = 0;
  std::size_t reserved_bytes_ = 0, mapping_bytes_ = 0;
  bool mapped_ = false;
};

}  // namespace kevolve::cuda::runner
