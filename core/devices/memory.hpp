#pragma once
// Memory: the judge's access to tensors where a device keeps them: the host's memory (cpu) or a GPU's (cuda).
// Every address given to it, also those inside Elements and Expectation, is one of that memory; nothing else
// may be dereferenced. HostMemory is core/gates on plain memory; CudaMemory does the same in kernels of its
// own, so that a tensor of gigabytes is judged without leaving the GPU.
//
// One thread. Operations are finished when they return. What cannot fail on a sound device (a copy, a
// comparison) ends the process when it fails: a judge whose own GPU context is broken must not continue.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/gates/comparison.hpp"
#include "core/gates/draw_plan.hpp"
#include "core/gates/elements.hpp"

namespace kevolve::devices {

class Memory {
 public:
  virtual ~Memory() = default;
  /// As LibTorch names it: "cpu", "cuda:0".
  [[nodiscard]] virtual std::string torch_device() const = 0;

  /// Its whole capacity.
  [[nodiscard]] virtual std::size_t size_bytes() const = 0;

  /// Memory of the judge alone, freed with the last reference. Fails for want of memory.
  virtual Result<std::shared_ptr<std::byte>> allocate(std::size_t size_bytes) = 0;
  virtual void copy(void* to, const void* from, std::size_t size_bytes) = 0;
  virtual void from_host(void* to, const void* from, std::size_t size_bytes) = 0;
  virtual void to_host(void* to, const void* from, std::size_t size_bytes) = 0;
  virtual void poison(std::byte* at, std::size_t size_bytes, std::uint8_t pattern) = 0;
  /// Fills a tensor of `count` elements as `plan` says.
  virtual void draw(const gates::DrawPlan& plan, DType dtype, std::byte* to, std::size_t count) = 0;

  /// Bit for bit.
  virtual bool equal(const void* a, const void* b, std::size_t size_bytes) = 0;
  /// As kevolve::first_difference (core/gates/elements.hpp).
  virtual std::size_t first_difference(const gates::Elements& a, const gates::Elements& b) = 0;
  /// Indices at which `a` still holds `poison_a` and `b` still holds `poison_b`, ascending, at most 65536.
  virtual std::vector<std::size_t> unwritten_in_both(const gates::Elements& a, std::uint8_t poison_a,
                                                     const gates::Elements& b, std::uint8_t poison_b) = 0;
  /// As kevolve::compare (core/gates/comparison.hpp). The noise of `expected` is measured once and kept in
  /// it.
  virtual gates::Comparison compare(const gates::Expectation& expected, const gates::Elements& answer,
                                    PrecisionClass required, std::optional<std::uint8_t> poison) = 0;
  /// How long `work` takes on the device. The work is launched, or done, by the time it returns.
  virtual double time_us(const std::function<void()>& work) = 0;
  /// One element, for the evidence.
  virtual double at(const gates::Elements& elements, std::size_t index) = 0;
  virtual bool holds_poison(const gates::Elements& elements, std::size_t index, std::uint8_t pattern) = 0;
};

}  // namespace kevolve::devices
