#include "core/devices/cpu/cpu_device.hpp"

#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <thread>

#include "core/devices/cpu/bandwidth.hpp"
#include "core/devices/cpu/compiler.hpp"
#include "core/devices/cpu/elf_inspection.hpp"
#include "core/devices/cpu/facts.hpp"
#include "core/devices/cpu/machine.hpp"
#include "core/devices/cpu/peaks.hpp"
#include "core/devices/cpu/shared_buffer.hpp"
#include "core/devices/cpu/simt/executor.hpp"
#include "core/devices/cpu/translation_unit.hpp"
#include "core/devices/cpu/tripwires.hpp"
#include "core/devices/cpu/vector_report.hpp"
#include "core/devices/host_memory.hpp"
#include "core/devices/runner_process.hpp"
#include "core/process/places.hpp"
#include "core/text/sha256.hpp"

namespace kevolve::cpu {
namespace {

namespace fs = std::filesystem;

constexpr int kMostThreads = 24;  // simt::Executor uses no more
/// A limit must hold at the processor's best clock, which the measurement may have missed.
constexpr double kGenerous = 1.25;
constexpr std::size_t kMostLog = 16 * 1024;

fs::path beside_this_program(const char* name) {
  return process::program_folder() / name;
}

/// Where core/devices/cpu/simt is, which candidates include: in the installation, or in the source tree.
fs::path header_root() {
  const fs::path installed = beside_this_program("../share/kevolve").lexically_normal();
  std::error_code error;
  return fs::is_directory(installed / "core/devices/cpu/simt", error) ? installed
                                                                      : fs::path(KEVOLVE_HEADER_ROOT);
}

using Compiled = tl::expected<devices::Binary, Verdict>;

tl::unexpected<Verdict> stop(Outcome outcome, Gate gate, std::string evidence) {
  return tl::unexpected<Verdict>(Verdict{outcome, gate, std::move(evidence)});
}

class CpuDevice final : public devices::Device {
 public:
  CpuDevice(DeviceInfo info, std::unique_ptr<Compiler> compiler, fs::path runner, double fma_flops_per_us)
      : info_(std::move(info)),
        compiler_(std::move(compiler)),
        runner_(std::move(runner)),
        fma_flops_per_us_(fma_flops_per_us) {}

  [[nodiscard]] const DeviceInfo& info() const override { return info_; }
  [[nodiscard]] DeviceLimits limits() const override {
    return {.num_sms = info_.num_sms,
            .max_threads_per_block = simt::kMaxThreadsPerBlock,
            .max_shared_bytes = simt::kMaxDynamicSharedBytes};
  }
  [[nodiscard]] std::string timing_mode() const override { return "cold"; }
  void flush_caches() override;
  [[nodiscard]] devices::Memory* memory() override { return &memory_; }
  double copy_bytes_per_us() override {
    if (!bytes_per_us_) bytes_per_us_ = kevolve::cpu::copy_bytes_per_us(static_cast<int>(info_.num_sms));
    return *bytes_per_us_;
  }

  /// Exact answers are of integers, bytes and comparisons, of which vectors hold more than of floats.
  [[nodiscard]] double flops_per_us(PrecisionClass precision) const override {
    return precision == PrecisionClass::exact ? 0 : kGenerous * fma_flops_per_us_;
  }

  Result<Compiled> compile(const std::string& source, const LaunchPlan& plan,
                           std::chrono::milliseconds deadline) override;
  [[nodiscard]] bool can_run() const override { return true; }
  Result<std::shared_ptr<devices::SharedBuffer>> allocate(std::size_t size_bytes,
                                                          devices::Placement placement,
                                                          std::size_t alignment_bytes) override;
  Result<std::unique_ptr<devices::Runner>> start_runner(const devices::Binary& binary,
                                                        const LaunchPlan& plan) override {
    auto process =
        devices::RunnerProcess::spawn({.argv = {runner_.string(), std::to_string(info_.num_sms), binary.path},
                                       .sandbox = {.read_only = {runner_, binary.path}, .writable = {}}});
    if (!process) return failure(process.error());
    if (auto loaded = (*process)->load(plan, {to_json(plan).dump(), {}}); !loaded)
      return failure(loaded.error());
    return std::move(*process);
  }
  Result<std::unique_ptr<devices::Runner>> start_profiler(const devices::Binary&,
                                                          const LaunchPlan&) override {
    return failure("this device has no hardware counters");
  }

 private:
  DeviceInfo info_;
  std::unique_ptr<Compiler> compiler_;
  fs::path runner_;
  double fma_flops_per_us_;
  devices::HostMemory memory_;
  std::optional<double> bytes_per_us_;
  std::vector<std::weak_ptr<CpuSharedBuffer>> buffers_;  ///< all that live: what flush_caches() evicts
};

void CpuDevice::flush_caches() {
  std::erase_if(buffers_, [](const auto& buffer) { return buffer.expired(); });
  for (const auto& weak : buffers_) {
    if (const auto buffer = weak.lock()) buffer->evict();
  }
}

Result<std::shared_ptr<devices::SharedBuffer>> CpuDevice::allocate(std::size_t size_bytes,
                                                                   devices::Placement placement,
                                                                   std::size_t alignment_bytes) {
  auto buffer = CpuSharedBuffer::create(size_bytes, placement, alignment_bytes);
  if (!buffer) return failure(buffer.error());
  buffers_.push_back(*buffer);
  return *buffer;
}

/// The verdict on a compile that gave no library.
Verdict refusal(const CompileAttempt& attempt, const std::string& messages,
                std::chrono::milliseconds deadline) {
  switch (attempt.kind) {
    case CompileAttempt::Kind::timed_out:
      return {Outcome::compile_timeout, Gate::compile,
              "The compiler had not finished after " + std::to_string(deadline.count()) +
                  " ms: too deep templates, or too much unrolled code."};
    case CompileAttempt::Kind::out_of_memory:
      return {Outcome::compile_error, Gate::compile,
              "The compiler ran out of memory: too deep templates, or too much unrolled code.\n" + messages};
    default:
      return {
          Outcome::compile_error, Gate::compile,
          messages.empty() ? "The compiler failed without a message: an internal error of g++." : messages};
  }
}

Result<Compiled> CpuDevice::compile(const std::string& source, const LaunchPlan& plan,
                                    std::chrono::milliseconds deadline) {
  if (auto reason = unsupported_on_cpu(source, plan))
    return stop(Outcome::unsupported, Gate::compile, *reason);
  const auto attempt = compiler_->compile(translation_unit(source, plan, compiler_->headers()), deadline);
  if (!attempt) return failure(attempt.error());
  const std::string messages = readable_diagnostics(attempt->output, source, plan, compiler_->own_paths());
  if (attempt->kind != CompileAttempt::Kind::compiled)
    return tl::unexpected<Verdict>(refusal(*attempt, messages, deadline));

  const auto bytes = read_text_file(attempt->library);
  if (!bytes) return failure(bytes.error());
  const auto violation = inspect_shared_object(*bytes, plan.launches.size() + plan.prepare.size());
  if (!violation) return failure(violation.error().in(attempt->library.string()));
  if (*violation) return stop(Outcome::inspect_violation, Gate::inspect, **violation);
  const auto loaded = loaded_bytes(*bytes);
  if (!loaded) return failure(loaded.error());
  devices::Binary binary{attempt->library.string(), {}};
  binary.report.binary_hash = sha256_hex(*loaded);
  binary.report.binary_bytes = static_cast<std::int64_t>(bytes->size());
  binary.report.cached = attempt->cached;
  binary.report.log = messages.substr(0, kMostLog);
  if (const std::string loops = vector_report(attempt->output, kCandidateFile); !loops.empty())
    binary.report.log +=
        "Loops, as g++ tells (a sum into one variable counts as vectorised, but is not fast):\n" + loops;
  return binary;
}

}  // namespace

Result<std::unique_ptr<devices::Device>> open_cpu_device(const CpuDeviceSettings& settings) {
  const fs::path runner =
      settings.runner.empty() ? beside_this_program("kevolve-runner") : fs::absolute(settings.runner);
  if (::access(runner.c_str(), X_OK) != 0)
    return failure("cpu device: the program '" + runner.string() +
                   "' is missing; build the target kevolve-runner");
  auto compiler =
      Compiler::open({.program = settings.compiler,
                      .headers = settings.headers.empty() ? header_root() : fs::absolute(settings.headers),
                      .cache_folder = settings.cache_folder});
  if (!compiler) return failure(compiler.error().in("cpu device"));
  const int wanted =
      settings.threads > 0 ? settings.threads : static_cast<int>(std::thread::hardware_concurrency());
  const int threads = std::clamp(wanted, 1, kMostThreads);
  DeviceInfo info;
  info.name = kCpuDevice;
  info.told_traits = cpu_traits();
  info.model = processor_model() + ", " + std::to_string(threads) + (threads == 1 ? " thread" : " threads");
  info.architecture = machine_architecture();
  info.toolchain = (*compiler)->version();
  info.torch = settings.torch;
  info.num_sms = threads;
  Peaks peaks;
  if (settings.measure) peaks = {cold_copy_bytes_per_us(threads), fma_flops_per_us(threads)};
  info.memory_bytes_per_us = peaks.cold_copy_bytes_per_us;
  info.facts = cpu_facts(vector_bits(), data_caches(), arithmetic_flags(), threads, peaks);
  return std::make_unique<CpuDevice>(std::move(info), std::move(*compiler), runner, peaks.fma_flops_per_us);
}

}  // namespace kevolve::cpu
