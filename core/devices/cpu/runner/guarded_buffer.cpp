#include "core/devices/cpu/runner/guarded_buffer.hpp"

#include <sys/mman.h>

#include <atomic>
#include <cerrno>
#include <cstring>

namespace kevolve::cpu::runner {
namespace {

/// On each side. An index that is wrong by up to 16 million floats is told with the buffer's name.
constexpr std::size_t kGuardBytes = std::size_t{64} << 20;

std::atomic<const GuardedBuffer*> first{nullptr};

}  // namespace

Result<const GuardedBuffer*> GuardedBuffer::map(const PlannedBuffer& planned,
                                                const channel::BufferPlace& place, int descriptor) {
  const auto refuse = [&](const char* step) {
    return failure("buffer '" + planned.name + "' of " + std::to_string(place.mapping_bytes) +
                   " bytes: " + step + ": " + std::strerror(errno));
  };
  const std::size_t whole = place.mapping_bytes + 2 * kGuardBytes;
  void* range = ::mmap(nullptr, whole, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (range == MAP_FAILED) return refuse("reserve address space");
  const int access = planned.role == BufferRole::input ? PROT_READ : PROT_READ | PROT_WRITE;
  auto* inner = static_cast<unsigned char*>(range) + kGuardBytes;
  // Populated now, so that page faults are no part of the first timed run.
  if (::mmap(inner, place.mapping_bytes, access, MAP_SHARED | MAP_FIXED | MAP_POPULATE, descriptor, 0) ==
      MAP_FAILED)
    return refuse("map");
  auto* buffer = new GuardedBuffer;
  buffer->planned_ = &planned;
  buffer->begin_ = reinterpret_cast<std::uintptr_t>(range);
  buffer->end_ = buffer->begin_ + whole;
  buffer->data_ = reinterpret_cast<std::uintptr_t>(inner) + place.data_offset;
  buffer->next_ = first.load();
  first.store(buffer);
  return buffer;
}

const GuardedBuffer* GuardedBuffer::find(std::uintptr_t address) {
  for (const GuardedBuffer* buffer = first.load(); buffer != nullptr; buffer = buffer->next_)
    if (address >= buffer->begin_ && address < buffer->end_) return buffer;
  return nullptr;
}

}  // namespace kevolve::cpu::runner
