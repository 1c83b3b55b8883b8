#include "core/devices/cuda/shared_buffer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>

namespace kevolve::cuda {
namespace {

constexpr std::uint8_t kCanary = 0xA5;

CUmemAllocationProp properties(CUdevice device) {
  CUmemAllocationProp wanted{};
  wanted.type = CU_MEM_ALLOCATION_TYPE_PINNED;
  wanted.requestedHandleTypes = CU_MEM_HANDLE_TYPE_POSIX_FILE_DESCRIPTOR;
  wanted.location = {.type = CU_MEM_LOCATION_TYPE_DEVICE, .id = device};
  return wanted;
}

/// Canaries as they must be, to compare with: one granule, made once for each Memory.
const std::byte* reference_canaries(devices::Memory& memory, std::size_t size_bytes) {
  static std::map<std::pair<devices::Memory*, std::size_t>, std::shared_ptr<std::byte>> made;
  auto& reference = made[{&memory, size_bytes}];
  if (!reference) {
    if (auto block = memory.allocate(size_bytes)) {
      reference = std::move(*block);
      memory.poison(reference.get(), size_bytes, kCanary);
    }
  }
  return reference.get();
}

}  // namespace

Result<std::unique_ptr<CudaSharedBuffer>> CudaSharedBuffer::create(const Driver& driver, CUdevice device,
                                                                   devices::Memory& memory,
                                                                   std::size_t size_bytes,
                                                                   devices::Placement placement,
                                                                   std::size_t alignment_bytes) {
  const CUmemAllocationProp wanted = properties(device);
  std::size_t granule = 0;
  const std::string what = fmt::format("making a shared buffer of {} bytes", size_bytes);
  auto done = driver.check(
      driver.cuMemGetAllocationGranularity_(&granule, &wanted, CU_MEM_ALLOC_GRANULARITY_MINIMUM), what);
  if (!done) return failure(done.error());
  std::unique_ptr<CudaSharedBuffer> buffer(new CudaSharedBuffer(driver, memory));
  buffer->size_bytes_ = size_bytes;
  buffer->placement_ = placement;
  buffer->alignment_bytes_ = alignment_bytes;
  buffer->mapping_bytes_ = std::max(granule, (size_bytes + granule - 1) / granule * granule);
  buffer->data_offset_ = placement == devices::Placement::flush_left
                             ? 0
                             : (buffer->mapping_bytes_ - size_bytes) & ~(alignment_bytes - 1);
  CUmemGenericAllocationHandle handle{};
  done = driver.check(driver.cuMemCreate_(&handle, buffer->mapping_bytes_, &wanted, 0), what);
  if (!done) return failure(done.error());
  int descriptor = -1;
  done = driver.check(
      driver.cuMemExportToShareableHandle_(&descriptor, handle, CU_MEM_HANDLE_TYPE_POSIX_FILE_DESCRIPTOR, 0),
      what + ": export");
  buffer->descriptor_.reset(descriptor);
  if (done)
    done = driver.check(driver.cuMemAddressReserve_(&buffer->address_, buffer->mapping_bytes_, 0, 0, 0),
                        what + ": reserving addresses");
  if (done) {
    done = driver.check(driver.cuMemMap_(buffer->address_, buffer->mapping_bytes_, 0, handle, 0),
                        what + ": mapping");
    buffer->mapped_ = done.has_value();
  }
  driver.cuMemRelease_(handle);  // mapping and descriptor keep the memory
  const CUmemAccessDesc access{.location = wanted.location, .flags = CU_MEM_ACCESS_FLAGS_PROT_READWRITE};
  if (done)
    done = driver.check(driver.cuMemSetAccess_(buffer->address_, buffer->mapping_bytes_, &access, 1),
                        what + ": access");
  if (!done) return failure(done.error());
  buffer->fill_canaries();
  return buffer;
}

CudaSharedBuffer::~CudaSharedBuffer() {
  if (mapped_) driver_.cuMemUnmap_(address_, mapping_bytes_);
  if (address_ != 0) driver_.cuMemAddressFree_(address_, mapping_bytes_);
}

void CudaSharedBuffer::fill_canaries() {
  const std::size_t end = data_offset_ + size_bytes_;
  if (data_offset_ > 0) memory_.poison(at(0), data_offset_, kCanary);
  if (end < mapping_bytes_) memory_.poison(at(end), mapping_bytes_ - end, kCanary);
}

bool CudaSharedBuffer::canaries_intact() const {
  constexpr std::size_t kMost = std::size_t{2} << 20;
  const std::size_t end = data_offset_ + size_bytes_;
  for (const auto& [begin, bytes] :
       {std::pair{std::size_t{0}, data_offset_}, std::pair{end, mapping_bytes_ - end}}) {
    for (std::size_t done = 0; done < bytes; done += kMost) {
      const std::byte* right = reference_canaries(memory_, kMost);
      if (right == nullptr || !memory_.equal(at(begin + done), right, std::min(kMost, bytes - done)))
        return false;
    }
  }
  return true;
}

Result<std::shared_ptr<devices::SharedBuffer>> BufferPool::take(std::size_t size_bytes,
                                                                devices::Placement placement,
                                                                std::size_t alignment_bytes) {
  for (const auto& buffer : all_) {
    if (buffer.use_count() == 1 && buffer->size_bytes() == size_bytes && buffer->placement() == placement &&
        buffer->alignment_bytes() == alignment_bytes && buffer->canaries_intact())
      return buffer;
  }
  auto made = CudaSharedBuffer::create(driver_, device_, memory_, size_bytes, placement, alignment_bytes);
  if (!made) {  // give back what lies idle, and try once more
    std::erase_if(all_, [](const auto& buffer) { return buffer.use_count() == 1; });
    made = CudaSharedBuffer::create(driver_, device_, memory_, size_bytes, placement, alignment_bytes);
    if (!made) return failure(made.error());
  }
  all_.push_back(std::move(*made));
  return all_.back();
}

}  // namespace kevolve::cuda
