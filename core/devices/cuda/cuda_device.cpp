#include "core/devices/cuda/cuda_device.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <deque>

#include "core/devices/cuda/compile_device.hpp"
#include "core/devices/cuda/context.hpp"
#include "core/devices/cuda/cuda_memory.hpp"
#include "core/devices/cuda/cupti.hpp"
#include "core/devices/cuda/driver_queue.hpp"
#include "core/devices/cuda/judge_kernels.hpp"
#include "core/devices/cuda/shared_buffer.hpp"
#include "core/devices/cuda/toolkit.hpp"
#include "core/devices/runner_process.hpp"
#include "core/process/places.hpp"

namespace kevolve::cuda {

extern const char* const kRunnerKernels;  // kernels/runner.cu

namespace {

namespace fs = std::filesystem;

constexpr std::chrono::seconds kOwnDeadline{60};
constexpr std::chrono::microseconds kLaunching{500};  // of PyTorch: 10 to 250 us were seen
constexpr std::size_t kStandBy = 2;
constexpr int kCandidatesPerDraw = 64;
constexpr std::size_t kCopyBytes = std::size_t{512} << 20;

/// A plan that names the harness's own kernels; it is never launched as a plan.
LaunchPlan runner_plan() {
  LaunchPlan plan;
  for (const char* kernel : {"flush_l2", "scrub_shared", "read_clock", "delay"}) {
    plan.launches.emplace_back();
    plan.launches.back().kernel = kernel;
  }
  return plan;
}

struct Gpu {
  CUdevice device = 0;
  std::string model, driver;
  int capability = 0;
  DeviceLimits limits;
  double clock_hz = 0;
};

Result<Gpu> look_at(const Driver& driver, int ordinal) {
  Gpu gpu;
  int count = 0;
  driver.cuDeviceGetCount_(&count);
  if (ordinal >= count)
    return failure(fmt::format("there is no GPU {}: the driver sees {} ({})", ordinal, count,
                               count == 1 ? "cuda:0" : fmt::format("cuda:0 to cuda:{}", count - 1)));
  if (auto found = driver.check(driver.cuDeviceGet_(&gpu.device, ordinal), "opening the GPU"); !found)
    return failure(found.error());
  char name[256] = {};
  driver.cuDeviceGetName_(name, sizeof name, gpu.device);
  gpu.model = name;
  int version = 0;
  driver.cuDriverGetVersion_(&version);
  gpu.driver = fmt::format("CUDA {}.{}", version / 1000, version % 1000 / 10);
  const auto attribute = [&](CUdevice_attribute which) {
    int value = 0;
    driver.cuDeviceGetAttribute_(&value, which, gpu.device);
    return value;
  };
  gpu.capability = 10 * attribute(CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR) +
                   attribute(CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR);
  gpu.clock_hz = 1e3 * attribute(CU_DEVICE_ATTRIBUTE_CLOCK_RATE);
  gpu.limits.num_sms = attribute(CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT);
  gpu.limits.max_threads_per_block = attribute(CU_DEVICE_ATTRIBUTE_MAX_THREADS_PER_BLOCK);
  gpu.limits.max_shared_bytes = attribute(CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK_OPTIN);
  std::size_t memory = 0;
  driver.cuDeviceTotalMem_(&memory, gpu.device);
  gpu.limits.memory_bytes = static_cast<std::int64_t>(memory);
  return gpu;
}

/// What the sandbox must show of the machine for a CUDA context.
process::SandboxPolicy gpu_sandbox(const fs::path& runner, const fs::path& kernels, const fs::path& cupti) {
  process::SandboxPolicy policy{.read_only = {runner, kernels.parent_path()}};
  if (cupti.has_parent_path()) policy.read_only.push_back(cupti.parent_path());
  std::error_code error;
  if (fs::exists("/sys", error)) policy.read_only.emplace_back("/sys");
  for (const auto& entry : fs::directory_iterator("/dev", error)) {
    if (entry.path().filename().string().rfind("nvidia", 0) == 0) policy.devices.push_back(entry.path());
  }
  return policy;
}

/// Multiply-adds count two. Dense peaks by generation: NVIDIA's architecture whitepapers, fp16 tensor cores,
/// operations per SM and clock.
double tensor_flops_per_clock(int capability) {
  switch (capability) {
    case 75:
    case 86:
    case 89:
      return 1024;
    case 80:
      return 2048;
    case 90:
      return 4096;
    default:
      return capability >= 100 ? 8192 : 0;
  }
}

class CudaDevice final : public devices::Device {
 public:
  CudaDevice(const Driver& driver, Gpu gpu, DeviceInfo info, std::unique_ptr<devices::Device> compiler,
             fs::path runner, fs::path cupti)
      : driver_(driver),
        gpu_(std::move(gpu)),
        info_(std::move(info)),
        compiler_(std::move(compiler)),
        runner_(std::move(runner)),
        cupti_(std::move(cupti)) {}

  Result<void> prepare();

  [[nodiscard]] const DeviceInfo& info() const override { return info_; }
  [[nodiscard]] DeviceLimits limits() const override { return gpu_.limits; }
  [[nodiscard]] std::string timing_mode() const override { return "cold"; }
  [[nodiscard]] bool times_on_host() const override { return false; }
  [[nodiscard]] bool runners_flush() const override { return true; }
  void enter() override { context_->enter(); }
  /// What comes next is launched while the GPU is kept waiting, for PyTorch takes its time to launch.
  void flush_caches() override {
    context_->delay(kLaunching);
    context_->flush_l2();
  }
  /// Making a context disturbs whatever else the GPU does.
  void settle() override {
    for (const auto& process : standing_by_)
      (void)process->await_greeting();  // its error is met when it is used
  }
  [[nodiscard]] devices::Memory* memory() override { return memory_.get(); }
  [[nodiscard]] int candidates_per_draw() const override { return kCandidatesPerDraw; }
  double copy_bytes_per_us() override;
  [[nodiscard]] double flops_per_us(PrecisionClass precision) const override;

  Result<tl::expected<devices::Binary, Verdict>> compile(const std::string& source, const LaunchPlan& plan,
                                                         std::chrono::milliseconds deadline) override {
    return compiler_->compile(source, plan, deadline);
  }
  [[nodiscard]] bool can_run() const override { return true; }
  Result<std::shared_ptr<devices::SharedBuffer>> allocate(std::size_t size_bytes,
                                                          devices::Placement placement,
                                                          std::size_t alignment_bytes) override {
    return buffers_->take(size_bytes, placement, alignment_bytes);
  }
  Result<std::unique_ptr<devices::Runner>> start_runner(const devices::Binary& binary,
                                                        const LaunchPlan& plan) override;
  Result<std::unique_ptr<devices::Runner>> start_profiler(const devices::Binary& binary,
                                                          const LaunchPlan& plan) override;

 private:
  Result<fs::path> compile_own(const std::string& source, const LaunchPlan& plan);
  Result<void> stand_by();
  [[nodiscard]] Result<std::unique_ptr<devices::RunnerProcess>> spawn(bool administer) const;
  Result<void> load(devices::RunnerProcess& process, const devices::Binary& binary,
                    const LaunchPlan& plan) const;

  const Driver& driver_;
  Gpu gpu_;
  DeviceInfo info_;
  std::unique_ptr<devices::Device> compiler_;
  fs::path runner_, cupti_, runner_kernels_;
  std::optional<runner::Context> context_;  ///< the judge's; LibTorch shares it
  std::unique_ptr<devices::Memory> memory_;
  std::optional<BufferPool> buffers_;
  std::deque<std::unique_ptr<devices::RunnerProcess>> standing_by_;
  double copy_bytes_per_us_ = 0;
};

Result<fs::path> CudaDevice::compile_own(const std::string& source, const LaunchPlan& plan) {
  const auto binary = compiler_->compile(source, plan, kOwnDeadline);
  if (!binary) return failure(binary.error());
  if (!*binary) return failure("kevolve's own kernels do not compile: " + binary->error().evidence);
  return fs::path((*binary)->path);
}

Result<void> CudaDevice::prepare() {
  const auto own = compile_own(kRunnerKernels, runner_plan());
  if (!own) return failure(own.error());
  runner_kernels_ = *own;
  if (auto waiting = stand_by(); !waiting) return waiting;
  auto context =
      runner::Context::open(driver_.uuid(gpu_.device), runner_kernels_, runner::Context::Stream::legacy);
  if (!context) return failure(context.error());
  context_.emplace(std::move(*context));
  const auto judge = compile_own(judge_source(), judge_plan());
  if (!judge) return failure(judge.error());
  auto program = Program::load(driver_, *judge);
  if (!program) return failure(program.error());
  memory_ = std::make_unique<CudaMemory>(std::make_shared<DriverQueue>(driver_, std::move(*program)),
                                         gpu_.device, static_cast<std::size_t>(gpu_.limits.memory_bytes));
  buffers_.emplace(driver_, gpu_.device, *memory_);
  return {};
}

Result<std::unique_ptr<devices::RunnerProcess>> CudaDevice::spawn(bool administer) const {
  devices::RunnerCommand command{
      .argv = {runner_.string(), driver_.uuid(gpu_.device), runner_kernels_.string(), cupti_.string()},
      .sandbox = gpu_sandbox(runner_, runner_kernels_, cupti_),
      .device_clock = true,
      .greets = true};
  command.sandbox.administer = administer;
  return devices::RunnerProcess::spawn(command);
}

/// Runners that make their context while others work.
Result<void> CudaDevice::stand_by() {
  while (standing_by_.size() < kStandBy) {
    auto process = spawn(false);
    if (!process) return failure(process.error());
    standing_by_.push_back(std::move(*process));
  }
  return {};
}

Result<std::unique_ptr<devices::Runner>> CudaDevice::start_runner(const devices::Binary& binary,
                                                                  const LaunchPlan& plan) {
  if (auto waiting = stand_by(); !waiting) return failure(waiting.error());
  std::unique_ptr<devices::RunnerProcess> process = std::move(standing_by_.front());
  standing_by_.pop_front();
  if (auto loaded = load(*process, binary, plan); !loaded) return failure(loaded.error());
  if (auto waiting = stand_by(); !waiting) return failure(waiting.error());
  return process;
}

Result<std::unique_ptr<devices::Runner>> CudaDevice::start_profiler(const devices::Binary& binary,
                                                                    const LaunchPlan& plan) {
  auto process = spawn(true);
  if (!process) return failure(process.error());
  if (auto loaded = load(**process, binary, plan); !loaded) return failure(loaded.error());
  return std::move(*process);
}

/// Cubins go over as descriptors: a runner that stood by cannot see files that came later.
Result<void> CudaDevice::load(devices::RunnerProcess& process, const devices::Binary& binary,
                              const LaunchPlan& plan) const {
  const fs::path manifest(binary.path);
  const auto parsed = read_manifest(manifest);
  if (!parsed) return failure(parsed.error());
  std::vector<process::UniqueFd> files;
  devices::RunnerLoad what{Json{{"plan", to_json(plan)}, {"manifest", to_json(*parsed)}}.dump(), {}};
  for (const CubinFile& cubin : parsed->cubins) {
    files.emplace_back(::open((manifest.parent_path() / cubin.file).c_str(), O_RDONLY | O_CLOEXEC));
    if (!files.back().valid())
      return failure(fmt::format("cannot read {} beside {}", cubin.file, manifest.string()));
    what.files.push_back(files.back().get());
  }
  return process.load(plan, what);
}

double CudaDevice::copy_bytes_per_us() {
  if (copy_bytes_per_us_ > 0) return copy_bytes_per_us_;
  const auto from = memory_->allocate(kCopyBytes), to = memory_->allocate(kCopyBytes);
  if (!from || !to) return 0;
  double best_us = 0;
  for (int i = 0; i < 200; ++i) {  // an idle GPU takes some tens of milliseconds to reach its clocks
    const double us = memory_->time_us([&] {
      driver_.cuMemcpyDtoDAsync_(reinterpret_cast<CUdeviceptr>(to->get()),
                                 reinterpret_cast<CUdeviceptr>(from->get()), kCopyBytes, nullptr);
    });
    best_us = best_us == 0 ? us : std::min(best_us, us);
  }
  return copy_bytes_per_us_ = best_us > 0 ? 2.0 * static_cast<double>(kCopyBytes) / best_us : 0;
}

/// For answers as exact as fp32 the fastest known way is three fp16 products on tensor cores (Ootomo and
/// Yokota, 2022).
double CudaDevice::flops_per_us(PrecisionClass precision) const {
  const double fp16 = 1e-6 * gpu_.clock_hz * static_cast<double>(gpu_.limits.num_sms) *
                      tensor_flops_per_clock(gpu_.capability);
  if (precision <= PrecisionClass::compensated) return fp16 / 3;
  return precision == PrecisionClass::tf32 ? fp16 / 2 : fp16;
}

}  // namespace

std::optional<int> gpu_ordinal(std::string_view device_name) {
  constexpr std::string_view kPrefix = "cuda";
  if (device_name == kPrefix) return 0;
  if (device_name.substr(0, kPrefix.size() + 1) != "cuda:") return std::nullopt;
  device_name.remove_prefix(kPrefix.size() + 1);
  int value = 0;
  const char* end = device_name.data() + device_name.size();
  const auto parsed = std::from_chars(device_name.data(), end, value);
  if (parsed.ec != std::errc() || parsed.ptr != end || value < 0) return std::nullopt;
  return value;
}

int gpu_count() {
  const auto& driver = Driver::load();
  int count = 0;
  if (driver) driver->cuDeviceGetCount_(&count);
  return count;
}

Result<std::vector<std::string>> gpu_uuids() {
  const auto& driver = Driver::load();
  if (!driver) return failure(driver.error());
  std::vector<std::string> uuids;
  for (int ordinal = 0; ordinal < gpu_count(); ++ordinal) {
    CUdevice gpu = 0;
    if (auto got =
            driver->check(driver->cuDeviceGet_(&gpu, ordinal), fmt::format("looking at cuda:{}", ordinal));
        !got)
      return failure(got.error());
    uuids.push_back(driver->uuid(gpu));
  }
  return uuids;
}

Result<std::unique_ptr<devices::Device>> open_cuda_device(int ordinal, const CudaDeviceSettings& settings) {
  const auto& driver = Driver::load();
  if (!driver) return failure(driver.error().in(fmt::format("device cuda:{}", ordinal)));
  auto gpu = look_at(*driver, ordinal);
  if (!gpu) return failure(gpu.error());
  const fs::path programs = settings.programs.empty() ? process::program_folder() : settings.programs;
  const fs::path runner = programs / "kevolve-cuda-runner";
  if (::access(runner.c_str(), X_OK) != 0)
    return failure(
        fmt::format("the program '{}' is missing; build the target kevolve-cuda-runner", runner.string()));
  // From Hopper on, instructions of one architecture only (wgmma, setmaxnreg) need its own target.
  const std::string architecture = fmt::format("sm_{}{}", gpu->capability, gpu->capability >= 90 ? "a" : "");
  CudaCompileSettings compile{.programs = settings.programs, .cache_folder = settings.cache_folder};
  compile.num_sms = gpu->limits.num_sms;
  auto compiler = open_cuda_compile_device(architecture, compile);
  if (!compiler) return failure(compiler.error());
  const auto toolkit = find_toolkit(programs);
  const fs::path cupti = find_cupti(toolkit ? toolkit->root : fs::path());
  DeviceInfo info;
  info.name = fmt::format("cuda:{}", ordinal);
  info.model = gpu->model;
  info.architecture = architecture;
  info.told_traits = gpu_traits(architecture);
  info.driver = gpu->driver;
  info.toolchain = (*compiler)->info().toolchain;
  info.torch = settings.torch;
  info.num_sms = gpu->limits.num_sms;
  if (gpu->clock_hz > 0) info.facts = {fmt::format("The SMs run at up to {:.2f} GHz.", gpu->clock_hz / 1e9)};
  auto device = std::make_unique<CudaDevice>(*driver, std::move(*gpu), std::move(info), std::move(*compiler),
                                             runner, cupti);
  if (auto ready = device->prepare(); !ready)
    return failure(ready.error().in(fmt::format("device cuda:{}", ordinal)));
  return device;
}

}  // namespace kevolve::cuda
