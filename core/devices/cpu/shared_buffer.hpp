#pragma once
// CpuSharedBuffer: an anonymous file (memfd) of fixed size, mapped read-write in the judge and, guarded, in
// runners.
//
// Layout: whole pages; the data lies flush right or flush left in them (as far as the alignment allows) and
// what is left of the first or last page is filled with canary bytes. Owned by shared_ptr; one thread.

#include <cstdint>
#include <memory>

#include "core/devices/device.hpp"
#include "core/process/unique_fd.hpp"

namespace kevolve::cpu {

class CpuSharedBuffer final : public devices::SharedBuffer {
 public:
  static Result<std::shared_ptr<CpuSharedBuffer>> create(std::size_t size_bytes, devices::Placement placement,
                                                         std::size_t alignment_bytes);
  ~CpuSharedBuffer() override;
  CpuSharedBuffer(const CpuSharedBuffer&) = delete;
  CpuSharedBuffer& operator=(const CpuSharedBuffer&) = delete;

  [[nodiscard]] std::byte* data() override { return reinterpret_cast<std::byte*>(mapping_ + data_offset_); }
  [[nodiscard]] std::size_t size_bytes() const override { return size_bytes_; }
  [[nodiscard]] bool canaries_intact() const override;

  /// Writes the data back to memory and drops it from all caches of all cores.
  void evict() const;

  [[nodiscard]] std::size_t mapping_bytes() const override { return mapping_bytes_; }
  [[nodiscard]] std::size_t data_offset() const override { return data_offset_; }
  /// The read-only one cannot be mapped writable, nor reopened so.
  [[nodiscard]] int descriptor(bool writable) const override {
    return writable ? writable_.get() : read_only_.get();
  }

 private:
  CpuSharedBuffer() = default;
  void fill_canaries();

  process::UniqueFd writable_, read_only_;
  unsigned char* mapping_ = nullptr;
  std::size_t mapping_bytes_ = 0, data_offset_ = 0, size_bytes_ = 0;
};

}  // namespace kevolve::cpu
