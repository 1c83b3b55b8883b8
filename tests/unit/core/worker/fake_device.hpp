#pragma once
// FakeDevice: runs "candidates" that are functions of the test program, so that the worker's recipe is tested
// without a compiler or a process. The kernel's name in the launch plan chooses the function.

#include <cstring>
#include <functional>
#include <map>

#include "core/devices/device.hpp"
#include "core/devices/host_memory.hpp"

namespace kevolve {

struct FakeRun {
  std::vector<std::shared_ptr<devices::SharedBuffer>> buffers;  ///< inputs, outputs, scratch
  devices::RunOptions options;
  int set = 0;
  int number = 0;        ///< of this runner's launches, from 0; prepare not counted
  double wall_us = 100;  ///< what the report will say
  double sm_mhz = 0;

  [[nodiscard]] float* floats(std::size_t buffer) const {
    return reinterpret_cast<float*>(buffers[buffer]->data());
  }
  [[nodiscard]] std::size_t count(std::size_t buffer) const { return buffers[buffer]->size_bytes() / 4; }
};

using FakeKernel = std::function<void(FakeRun&)>;
using FakeWitness = std::function<Result<std::optional<Witness>>()>;

class FakeBuffer final : public devices::SharedBuffer {
 public:
  explicit FakeBuffer(std::size_t size) : bytes_(size + 16, std::byte{0xC5}) {}
  std::byte* data() override { return bytes_.data(); }
  [[nodiscard]] std::size_t size_bytes() const override { return bytes_.size() - 16; }
  [[nodiscard]] bool canaries_intact() const override { return bytes_[size_bytes()] == std::byte{0xC5}; }
  [[nodiscard]] int descriptor(bool) const override { return -1; }
  [[nodiscard]] std::size_t mapping_bytes() const override { return bytes_.size(); }
  [[nodiscard]] std::size_t data_offset() const override { return 0; }

 private:
  std::vector<std::byte> bytes_;
};

class FakeRunner final : public devices::Runner {
 public:
  FakeRunner(LaunchPlan plan, const std::map<std::string, FakeKernel>& kernels, FakeWitness witness)
      : plan_(std::move(plan)), kernels_(kernels), witness_(std::move(witness)) {}
  Result<int> bind(const std::vector<std::shared_ptr<devices::SharedBuffer>>& buffers) override {
    sets_.push_back(buffers);
    return static_cast<int>(sets_.size()) - 1;
  }
  Result<devices::RunReport> run(int set, const devices::RunOptions& options) override {
    FakeRun state{sets_[static_cast<std::size_t>(set)], options, set};
    if (!options.prepare) state.number = launches_++;
    for (const PlannedLaunch& launch : options.prepare ? plan_.prepare : plan_.launches)
      kernels_.at(launch.kernel)(state);
    return devices::RunReport{{Outcome::passed, Gate::correctness, ""}, state.wall_us, state.sm_mhz};
  }
  Result<std::optional<Witness>> witness(int) override { return witness_(); }

 private:
  const LaunchPlan plan_;
  const std::map<std::string, FakeKernel>& kernels_;
  const FakeWitness witness_;
  std::vector<std::vector<std::shared_ptr<devices::SharedBuffer>>> sets_;
  int launches_ = 0;
};

class FakeDevice final : public devices::Device {
 public:
  FakeDevice(std::string name, std::map<std::string, FakeKernel> kernels) : kernels_(std::move(kernels)) {
    info_.name = std::move(name);
    info_.num_sms = 2;
  }
  [[nodiscard]] const DeviceInfo& info() const override { return info_; }
  [[nodiscard]] DeviceLimits limits() const override { return {}; }
  [[nodiscard]] std::string timing_mode() const override { return "warm"; }
  [[nodiscard]] bool times_on_host() const override { return on_host; }
  void flush_caches() override {}
  void settle() override { ++*settled; }
  devices::Memory* memory() override { return &memory_; }
  double copy_bytes_per_us() override { return 20'000; }
  Result<tl::expected<devices::Binary, Verdict>> compile(const std::string& source, const LaunchPlan&,
                                                         std::chrono::milliseconds) override {
    if (source.find("does_not_compile") != std::string::npos) {
      return tl::expected<devices::Binary, Verdict>(
          tl::make_unexpected(Verdict{Outcome::compile_error, Gate::compile, "no"}));
    }
    devices::Binary binary{"fake", {}};
    binary.report.resources = resources;
    return tl::expected<devices::Binary, Verdict>(std::move(binary));
  }
  [[nodiscard]] bool can_run() const override { return info_.name == "cpu"; }
  Result<std::shared_ptr<devices::SharedBuffer>> allocate(std::size_t size_bytes, devices::Placement,
                                                          std::size_t) override {
    return std::shared_ptr<devices::SharedBuffer>(std::make_shared<FakeBuffer>(size_bytes));
  }
  Result<std::unique_ptr<devices::Runner>> start_runner(const devices::Binary&,
                                                        const LaunchPlan& plan) override {
    return std::unique_ptr<devices::Runner>(std::make_unique<FakeRunner>(plan, kernels_, witness));
  }

  bool on_host = true;
  std::shared_ptr<int> settled = std::make_shared<int>(0);  ///< how often it was waited for
  std::map<std::string, std::int64_t> resources;            ///< of every binary
  FakeWitness witness = [] { return std::optional<Witness>(); };

 private:
  DeviceInfo info_;
  devices::HostMemory memory_;
  std::map<std::string, FakeKernel> kernels_;
};

}  // namespace kevolve
