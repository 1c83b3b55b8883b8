#pragma once
// CudaSharedBuffer: GPU memory of the judge that a runner maps from a file descriptor (the driver's
// virtual-memory API). The judge's own mapping is read-write and has no guards: only the judge's kernels use
// it.
//
// The data lies flush right or flush left in whole granules (2 MiB); what is left is filled with canaries.
// BufferPool keeps buffers that nobody uses any more, since making one takes milliseconds a gigabyte. One
// thread; the pool must outlive its buffers.

#include <cstdint>
#include <memory>
#include <vector>

#include "core/devices/cuda/driver.hpp"
#include "core/devices/device.hpp"
#include "core/process/unique_fd.hpp"

namespace kevolve::cuda {

class CudaSharedBuffer final : public devices::SharedBuffer {
 public:
  static Result<std::unique_ptr<CudaSharedBuffer>> create(const Driver& driver, CUdevice device,
                                                          devices::Memory& memory, std::size_t size_bytes,
                                                          devices::Placement placement,
                                                          std::size_t alignment_bytes);
  ~CudaSharedBuffer() override;
  CudaSharedBuffer(const CudaSharedBuffer&) = delete;
  CudaSharedBuffer& operator=(const CudaSharedBuffer&) = delete;

  [[nodiscard]] std::byte* data() override { return at(data_offset_); }
  [[nodiscard]] std::size_t size_bytes() const override { return size_bytes_; }
  [[nodiscard]] bool canaries_intact() const override;
  [[nodiscard]] int descriptor(bool) const override { return descriptor_.get(); }
  [[nodiscard]] std::size_t mapping_bytes() const override { return mapping_bytes_; }
  [[nodiscard]] std::size_t data_offset() const override { return data_offset_; }

  [[nodiscard]] devices::Placement placement() const { return placement_; }
  [[nodiscard]] std::size_t alignment_bytes() const { return alignment_bytes_; }

 private:
  CudaSharedBuffer(const Driver& driver, devices::Memory& memory) : driver_(driver), memory_(memory) {}
  [[nodiscard]] std::byte* at(std::size_t offset) const {
    return reinterpret_cast<std::byte*>(address_ + offset);
  }
  void fill_canaries();

  const Driver& driver_;
  devices::Memory& memory_;
  CUdeviceptr address_ = 0;
  bool mapped_ = false;
  process::UniqueFd descriptor_;
  std::size_t mapping_bytes_ = 0, data_offset_ = 0, size_bytes_ = 0, alignment_bytes_ = 0;
  devices::Placement placement_ = devices::Placement::flush_right;
};

class BufferPool {
 public:
  BufferPool(const Driver& driver, CUdevice device, devices::Memory& memory)
      : driver_(driver), device_(device), memory_(memory) {}
  Result<std::shared_ptr<devices::SharedBuffer>> take(std::size_t size_bytes, devices::Placement placement,
                                                      std::size_t alignment_bytes);

 private:
  const Driver& driver_;
  CUdevice device_;
  devices::Memory& memory_;
  std::vector<std::shared_ptr<CudaSharedBuffer>> all_;  ///< free are those that only the pool holds
};

}  // namespace kevolve::cuda
