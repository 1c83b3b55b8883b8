#pragma once
// SimtQueue: the judge's kernels on the SIMT executor, and plain memory as the GPU's. Its memory begins
// poisoned and is fenced, so that what kernels forget to write, or write too far, shows.

#include <cstdlib>
#include <cstring>
#include <map>

#include "core/devices/cuda/kernel_queue.hpp"
#include "tests/catch.hpp"
#include "tests/unit/core/devices/cpu/simt/kernel_library.hpp"

namespace kevolve {

class SimtQueue : public cuda::KernelQueue {
 public:
  simt::Order order = simt::Order::forward;
  std::map<std::string, int> launches;  ///< by kernel

  ~SimtQueue() override { CHECK(sizes_.empty()); }

  Result<void*> allocate(std::size_t size_bytes) override {
    if (size_bytes > std::size_t{1} << 40) return failure("allocating: out of memory");
    auto* memory =
        static_cast<std::byte*>(std::aligned_alloc(256, (size_bytes + 2 * kFence + 255) / 256 * 256));
    std::memset(memory, kFenceByte, size_bytes + 2 * kFence);
    sizes_[memory + kFence] = size_bytes;
    return memory + kFence;
  }
  void release(void* memory) override {
    auto* at = static_cast<std::byte*>(memory);
    const std::size_t size_bytes = sizes_.at(at);
    for (std::size_t i = 0; i < kFence; ++i) {
      REQUIRE(at[i - kFence] == std::byte{kFenceByte});
      REQUIRE(at[size_bytes + i] == std::byte{kFenceByte});
    }
    sizes_.erase(at);
    std::free(at - kFence);
  }
  void copy(void* to, const void* from, std::size_t size_bytes) override {
    std::memcpy(to, from, size_bytes);
  }
  void from_host(void* to, const void* from, std::size_t size_bytes) override {
    std::memcpy(to, from, size_bytes);
  }
  void to_host(void* to, const void* from, std::size_t size_bytes) override {
    std::memcpy(to, from, size_bytes);
  }
  void fill(void* to, std::uint8_t byte, std::size_t size_bytes) override {
    std::memset(to, byte, size_bytes);
  }
  void start(const char* kernel, std::uint32_t blocks,
             std::span<const cuda::KernelArgument> arguments) override {
    static const simt::KernelLibrary library(KEVOLVE_SIMT_JUDGE_SIMT);
    static simt::Executor executor(2);
    ++launches[kernel];
    std::vector<simt::Argument> values;
    for (const auto& argument : arguments) values.push_back({argument.value, argument.size_bytes});
    simt::LaunchConfig config = simt::linear(blocks, cuda::kJudgeThreads);
    config.arguments = values;
    config.order = order;
    config.order_seed = 5;
    const auto status = executor.launch(library.entry(kernel), config);
    INFO(kernel);
    REQUIRE(status.text == "");
  }
  void finish() override {}

 private:
  static constexpr std::size_t kFence = 256;
  static constexpr std::uint8_t kFenceByte = 0xA5;
  std::map<std::byte*, std::size_t> sizes_;
};

using TestQueue = SimtQueue;

inline std::shared_ptr<TestQueue> make_queue() {
  return std::make_shared<SimtQueue>();
}

}  // namespace kevolve
