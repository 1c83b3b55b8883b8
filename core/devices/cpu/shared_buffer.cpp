#include "core/devices/cpu/shared_buffer.hpp"

#include <fcntl.h>
#include <immintrin.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstring>

namespace kevolve::cpu {
namespace {

constexpr std::size_t kPage = 4096;

constexpr std::size_t kCacheLine = 64;

/// clflushopt lets the flushes of different lines overlap; clflush, which every x86-64 has, does not.
__attribute__((target("clflushopt"))) void flush_overlapping(const unsigned char* begin,
                                                             std::size_t size_bytes) {
  for (std::size_t at = 0; at < size_bytes; at += kCacheLine)
    _mm_clflushopt(const_cast<unsigned char*>(begin) + at);
}

void flush_in_order(const unsigned char* begin, std::size_t size_bytes) {
  for (std::size_t at = 0; at < size_bytes; at += kCacheLine) _mm_clflush(begin + at);
}

/// Differs from byte to byte, so that a fill with one value cannot pass for it.
unsigned char canary(std::size_t offset) {
  return static_cast<unsigned char>(offset * 167 + 0x5a);
}

}  // namespace

Result<std::shared_ptr<CpuSharedBuffer>> CpuSharedBuffer::create(std::size_t size_bytes,
                                                                 devices::Placement placement,
                                                                 std::size_t alignment_bytes) {
  if (alignment_bytes == 0 || alignment_bytes > kPage || (alignment_bytes & (alignment_bytes - 1)) != 0)
    return failure("a buffer's alignment must be a power of two up to 4096 bytes, not " +
                   std::to_string(alignment_bytes));
  if (size_bytes > std::size_t{1} << 46)
    return failure("a buffer of " + std::to_string(size_bytes) + " bytes is too large");
  const auto refuse = [&](const char* step) {
    return failure("cannot make a shared buffer of " + std::to_string(size_bytes) + " bytes: " + step + ": " +
                   std::strerror(errno));
  };
  std::shared_ptr<CpuSharedBuffer> buffer(new CpuSharedBuffer);
  buffer->size_bytes_ = size_bytes;
  buffer->mapping_bytes_ = std::max(kPage, (size_bytes + kPage - 1) / kPage * kPage);
  buffer->data_offset_ = placement == devices::Placement::flush_left
                             ? 0
                             : (buffer->mapping_bytes_ - size_bytes) & ~(alignment_bytes - 1);

  buffer->writable_.reset(::memfd_create("kevolve", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  if (!buffer->writable_.valid()) return refuse("memfd_create");
  const int fd = buffer->writable_.get();
  if (::ftruncate(fd, static_cast<off_t>(buffer->mapping_bytes_)) != 0) return refuse("ftruncate");
  if (::fcntl(fd, F_ADD_SEALS, F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL) != 0) return refuse("seal");
  buffer->read_only_.reset(::open(("/proc/self/fd/" + std::to_string(fd)).c_str(), O_RDONLY | O_CLOEXEC));
  if (!buffer->read_only_.valid()) return refuse("reopen read-only");
  if (::fchmod(fd, 0400) != 0) return refuse("fchmod");  // no reopening for writing through /proc
  void* mapping = ::mmap(nullptr, buffer->mapping_bytes_, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (mapping == MAP_FAILED) return refuse("mmap");
  buffer->mapping_ = static_cast<unsigned char*>(mapping);
  buffer->fill_canaries();
  return buffer;
}

CpuSharedBuffer::~CpuSharedBuffer() {
  if (mapping_ != nullptr) ::munmap(mapping_, mapping_bytes_);
}

void CpuSharedBuffer::fill_canaries() {
  for (std::size_t i = 0; i < data_offset_; ++i) mapping_[i] = canary(i);
  for (std::size_t i = data_offset_ + size_bytes_; i < mapping_bytes_; ++i) mapping_[i] = canary(i);
}

void CpuSharedBuffer::evict() const {
  static const bool overlapping = __builtin_cpu_supports("clflushopt");
  (overlapping ? flush_overlapping : flush_in_order)(mapping_, mapping_bytes_);
  _mm_mfence();
}

bool CpuSharedBuffer::canaries_intact() const {
  for (std::size_t i = 0; i < data_offset_; ++i)
    if (mapping_[i] != canary(i)) return false;
  for (std::size_t i = data_offset_ + size_bytes_; i < mapping_bytes_; ++i)
    if (mapping_[i] != canary(i)) return false;
  return true;
}

}  // namespace kevolve::cpu
