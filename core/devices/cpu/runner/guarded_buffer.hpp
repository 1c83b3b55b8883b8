#pragma once
// GuardedBuffer: a buffer of the judge mapped into the runner between two large inaccessible ranges.
//
// Mapped once and kept for the life of the process, because a fault handler may look at it at any time.
// Creation belongs to one thread; find() is async-signal-safe.

#include <cstdint>
#include <string>

#include "core/devices/channel.hpp"
#include "core/model/launch_plan.hpp"

namespace kevolve::cpu::runner {

class GuardedBuffer {
 public:
  /// Inputs are mapped read-only. `planned` must outlive the process.
  static Result<const GuardedBuffer*> map(const PlannedBuffer& planned, const channel::BufferPlace& place,
                                          int descriptor);

  /// The buffer in whose mapping or guards `address` lies; nullptr when there is none.
  static const GuardedBuffer* find(std::uintptr_t address);

  [[nodiscard]] void* data() const { return reinterpret_cast<void*>(data_); }
  [[nodiscard]] const PlannedBuffer& planned() const { return *planned_; }
  /// From the first byte of the data; negative before it.
  [[nodiscard]] std::int64_t offset_bytes(std::uintptr_t address) const {
    return static_cast<std::int64_t>(address - data_);
  }

 private:
  const PlannedBuffer* planned_ = nullptr;
  std::uintptr_t begin_ = 0, end_ = 0;  ///< with the guards
  std::uintptr_t data_ = 0;
  const GuardedBuffer* next_ = nullptr;
};

}  // namespace kevolve::cpu::runner
