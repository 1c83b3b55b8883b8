#pragma once
// HostMemory: the judge's access to tensors in plain host memory, by core/gates. Stateless; one thread.

#include "core/devices/memory.hpp"

namespace kevolve::devices {

class HostMemory : public Memory {
 public:
  [[nodiscard]] std::string torch_device() const override { return "cpu"; }
  /// Aligned to 64 bytes, as LibTorch aligns.
  [[nodiscard]] std::size_t size_bytes() const override;
  double time_us(const std::function<void()>& work) override;
  Result<std::shared_ptr<std::byte>> allocate(std::size_t size_bytes) override;
  void copy(void* to, const void* from, std::size_t size_bytes) override;
  void from_host(void* to, const void* from, std::size_t size_bytes) override;
  void to_host(void* to, const void* from, std::size_t size_bytes) override;
  void poison(std::byte* at, std::size_t size_bytes, std::uint8_t pattern) override;
  void draw(const gates::DrawPlan& plan, DType dtype, std::byte* to, std::size_t count) override;
  bool equal(const void* a, const void* b, std::size_t size_bytes) override;
  std::size_t first_difference(const gates::Elements& a, const gates::Elements& b) override;
  std::vector<std::size_t> unwritten_in_both(const gates::Elements& a, std::uint8_t poison_a,
                                             const gates::Elements& b, std::uint8_t poison_b) override;
  gates::Comparison compare(const gates::Expectation& expected, const gates::Elements& answer,
                            PrecisionClass required, std::optional<std::uint8_t> poison) override;
  double at(const gates::Elements& elements, std::size_t index) override;
  bool holds_poison(const gates::Elements& elements, std::size_t index, std::uint8_t pattern) override;
};

}  // namespace kevolve::devices
