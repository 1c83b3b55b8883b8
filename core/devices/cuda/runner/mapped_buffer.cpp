#include "core/devices/cuda/runner/mapped_buffer.hpp"

#include <fmt/format.h>

#include <utility>

namespace kevolve::cuda::runner {
namespace {

constexpr std::size_t kGuardBytes = std::size_t{64} << 20;  // on each side; only addresses, no memory

}  // namespace

MappedBuffer& MappedBuffer::operator=(MappedBuffer&& other) noexcept {
  if (this != &other) {
    release();
    driver_ = std::exchange(other.driver_, nullptr);
    reserved_ = std::exchange(other.reserved_, 0);
    data_ = std::exchange(other.data_, 0);
    reserved_bytes_ = other.reserved_bytes_;
    mapping_bytes_ = other.mapping_bytes_;
    mapped_ = std::exchange(other.mapped_, false);
  }
  return *this;
}

Result<MappedBuffer> MappedBuffer::map(const Driver& driver, CUdevice device,
                                       const channel::BufferPlace& place, int descriptor, bool writable) {
  MappedBuffer buffer;
  buffer.driver_ = &driver;
  buffer.mapping_bytes_ = place.mapping_bytes;
  buffer.reserved_bytes_ = place.mapping_bytes + 2 * kGuardBytes;
  const std::string what = fmt::format("mapping a buffer of {} bytes", place.mapping_bytes);
  CUmemGenericAllocationHandle handle{};
  auto done = driver.check(driver.cuMemImportFromShareableHandle_(
                               &handle, reinterpret_cast<void*>(static_cast<std::intptr_t>(descriptor)),
                               CU_MEM_HANDLE_TYPE_POSIX_FILE_DESCRIPTOR),
                           what + ": import");
  if (!done) return failure(done.error());
  done = driver.check(driver.cuMemAddressReserve_(&buffer.reserved_, buffer.reserved_bytes_, 0, 0, 0),
                      what + ": reserving addresses");
  const CUdeviceptr begin = buffer.reserved_ + kGuardBytes;
  if (done) {
    done = driver.check(driver.cuMemMap_(begin, place.mapping_bytes, 0, handle, 0), what);
    buffer.mapped_ = done.has_value();
  }
  driver.cuMemRelease_(handle);  // the mapping keeps the memory
  CUmemAccessDesc access{};
  access.location = {.type = CU_MEM_LOCATION_TYPE_DEVICE, .id = device};
  access.flags = writable ? CU_MEM_ACCESS_FLAGS_PROT_READWRITE : CU_MEM_ACCESS_FLAGS_PROT_READ;
  if (done)
    done = driver.check(driver.cuMemSetAccess_(begin, place.mapping_bytes, &access, 1), what + ": access");
  if (!done) return failure(done.error());
  buffer.data_ = begin + place.data_offset;
  return buffer;
}

void MappedBuffer::release() {
  if (driver_ == nullptr) return;
  if (mapped_) driver_->cuMemUnmap_(reserved_ + kGuardBytes, mapping_bytes_);
  if (reserved_ != 0) driver_->cuMemAddressFree_(reserved_, reserved_bytes_);
  driver_ = nullptr;
}

}  // namespace kevolve::cuda::runner
