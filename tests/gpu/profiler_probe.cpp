// profiler_probe [LIBCUPTI]: profiles three kernels whose regimes are beyond doubt and prints what the
// counters say, one JSON line each. Exit code 0: all regimes as expected; 1: not; 4: skipped, for want of a
// GPU or of permission to read counters.
//
// One kernel's failure does not keep the others from being tried.

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>

#include "core/devices/cuda/compile_device.hpp"
#include "core/devices/cuda/nvrtc.hpp"
#include "core/devices/cuda/profiler.hpp"
#include "core/devices/cuda/program.hpp"
#include "core/devices/cuda/toolkit.hpp"
#include "core/gates/profile.hpp"
#include "tests/gpu/probe_kernels.hpp"

namespace kevolve {
using namespace cuda;
using namespace devices;
using namespace gates;
namespace {

namespace fs = std::filesystem;

struct Probe {
  const char* name;
  const char* source;
  unsigned grid_x, grid_y, block;
  std::size_t x_bytes, y_bytes, z_bytes;  ///< inputs, then the output; y of 0: one input
  float answer;                           ///< every element of the output
  Regime expected;
};

constexpr std::size_t kMiB = 1 << 20;
constexpr Probe kProbes[] = {
    {"copy", kCopySource, 16384, 1, 256, 256 * kMiB, 0, 256 * kMiB, 1, Regime::memory_bound},
    {"matmul", kMatmulSource, 16, 16, 256, 16 * kMiB, 16 * kMiB, 16 * kMiB, 2048, Regime::compute_bound},
    {"sum", kSumSource, 1, 1, 1024, 16 * kMiB, 0, 4, 4 << 20, Regime::latency_bound},
};

/// Device memory, freed with its owner.
class Memory {
 public:
  explicit Memory(const Driver& driver) : driver_(driver) {}
  Memory(const Memory&) = delete;
  Memory& operator=(const Memory&) = delete;
  ~Memory() {
    if (address_ != 0) driver_.cuMemFree_(address_);
  }
  Result<void> fill(std::size_t bytes, float value) {
    unsigned bits = 0;
    static_assert(sizeof bits == sizeof value);
    std::copy_n(reinterpret_cast<const char*>(&value), sizeof value, reinterpret_cast<char*>(&bits));
    auto done =
        driver_.check(driver_.cuMemAlloc_(&address_, bytes), fmt::format("allocating {} bytes", bytes));
    if (done) done = driver_.check(driver_.cuMemsetD32Async_(address_, bits, bytes / 4, nullptr), "filling");
    return done;
  }
  [[nodiscard]] CUdeviceptr* address() { return &address_; }

 private:
  const Driver& driver_;
  CUdeviceptr address_ = 0;
};

/// The GPU, and what all probes share.
struct Machine {
  const Driver& driver;
  fs::path programs, cupti, scratch;
  CUdevice device = 0;
  CUcontext context = nullptr;
  int sms = 0;
  std::string architecture = {};

  [[nodiscard]] int attribute(CUdevice_attribute which) const {
    int value = 0;
    driver.cuDeviceGetAttribute_(&value, which, device);
    return value;
  }
};

Result<void> open(Machine& machine) {
  const Driver& driver = machine.driver;
  auto done = driver.check(driver.cuDeviceGet_(&machine.device, 0), "finding GPU 0");
  if (done)
    done = driver.check(driver.cuDevicePrimaryCtxRetain_(&machine.context, machine.device), "opening GPU 0");
  if (done) done = driver.check(driver.cuCtxSetCurrent_(machine.context), "entering the context");
  if (!done) return done;
  machine.sms = machine.attribute(CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT);
  machine.architecture =
      fmt::format("sm_{}{}", machine.attribute(CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR),
                  machine.attribute(CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR));
  char name[256] = "";
  driver.cuDeviceGetName_(name, sizeof name, machine.device);
  fmt::print(stderr, "GPU 0: {}, {}, {} SMs; CUPTI: {}\n", name, machine.architecture, machine.sms,
             machine.cupti.string());
  return {};
}

/// A loaded kernel and what keeps it loaded.
struct Loaded {
  std::optional<Program> program;
  CUfunction function = nullptr;
};

/// As candidates are compiled: in a sandboxed process.
Result<Loaded> compile_sandboxed(const Machine& machine, const Probe& probe) {
  const auto device =
      open_cuda_compile_device(machine.architecture, {machine.programs, machine.scratch / "cache"});
  if (!device) return failure(device.error());
  LaunchPlan plan;
  plan.launches.emplace_back();
  plan.launches.back().kernel = probe.name;
  const auto compiled = (*device)->compile(probe.source, plan, std::chrono::minutes(2));
  if (!compiled) return failure(compiled.error());
  if (!*compiled) return failure(compiled->error().evidence);
  auto program = Program::load(machine.driver, (*compiled)->path);
  if (!program) return failure(program.error());
  Loaded loaded;
  loaded.program.emplace(std::move(*program));
  loaded.function = loaded.program->kernel(probe.name);
  if (loaded.function == nullptr) return failure("the kernel is not in its own cubin");
  return loaded;
}

/// Where there is no sandbox: in this process. These sources are our own.
Result<Loaded> compile_here(const Machine& machine, const Probe& probe) {
  const auto toolkit = find_toolkit(machine.programs);
  if (!toolkit) return failure(toolkit.error());
  const auto nvrtc = Nvrtc::load(toolkit->library, toolkit->companions);
  if (!nvrtc) return failure(nvrtc.error());
  CompileJob job;
  job.library = toolkit->library;
  job.companions = toolkit->companions;
  job.include_folders = toolkit->include_folders;
  job.architecture = machine.architecture;
  job.source = probe.source;
  job.groups = {{0, {probe.name}}};
  job.output = machine.scratch;
  const CompileAnswer answer = nvrtc->run(job);
  if (answer.status != CompileAnswer::Status::compiled) return failure(answer.message);
  const auto cubin = read_text_file(job.output / cubin_name(0));
  if (!cubin) return failure(cubin.error());
  const Driver& driver = machine.driver;
  CUlibrary library = nullptr;  // never unloaded: the process ends soon
  CUkernel kernel = nullptr;
  Loaded loaded;
  auto done = driver.check(
      driver.cuLibraryLoadData_(&library, cubin->data(), nullptr, nullptr, 0, nullptr, nullptr, 0),
      "loading");
  if (done)
    done = driver.check(
        driver.cuLibraryGetKernel_(&kernel, library, answer.groups.at(0).lowered.at(probe.name).c_str()),
        "finding the kernel");
  if (done) done = driver.check(driver.cuKernelGetFunction_(&loaded.function, kernel), "loading the kernel");
  if (!done) return failure(done.error());
  return loaded;
}

Result<Loaded> compile(const Machine& machine, const Probe& probe) {
  auto loaded = compile_sandboxed(machine, probe);
  if (loaded) return loaded;
  fmt::print(stderr, "{}: not compiled in a sandbox, so here instead: {}\n", probe.name,
             loaded.error().message);
  return compile_here(machine, probe);
}

/// Median of the launches' times by device events, in microseconds.
Result<double> time(const Driver& driver, const Profiler::Action& launch) {
  CUevent begin = nullptr, end = nullptr;  // the process ends soon
  auto done = driver.check(driver.cuEventCreate_(&begin, CU_EVENT_DEFAULT), "making an event");
  if (done) done = driver.check(driver.cuEventCreate_(&end, CU_EVENT_DEFAULT), "making an event");
  std::vector<double> times;
  for (int i = 0; done && i < 21; ++i) {
    done = driver.check(driver.cuEventRecord_(begin, nullptr), "recording an event");
    if (done) done = launch();
    if (done) done = driver.check(driver.cuEventRecord_(end, nullptr), "recording an event");
    if (done) done = driver.check(driver.cuEventSynchronize_(end), "waiting for the kernel");
    float ms = 0;
    if (done) done = driver.check(driver.cuEventElapsedTime_(&ms, begin, end), "reading the time");
    times.push_back(1000.0 * static_cast<double>(ms));
  }
  if (!done) return failure(done.error());
  std::nth_element(times.begin(), times.begin() + 10, times.end());
  return times[10];
}

Result<void> check_answer(const Driver& driver, const Probe& probe, CUdeviceptr output) {
  for (const std::size_t at : {std::size_t{0}, probe.z_bytes / 8 * 4, probe.z_bytes - 4}) {
    if (at >= probe.z_bytes) continue;
    float found = 0;
    if (auto read =
            driver.check(driver.cuMemcpyDtoH_(&found, output + at, sizeof found), "reading the answer");
        !read)
      return read;
    if (found != probe.answer)
      return failure(fmt::format("wrong answer {} at byte {}; expected {}", found, at, probe.answer));
  }
  return {};
}

KernelFacts facts_of(const Machine& machine, const Probe& probe, CUfunction function) {
  const Driver& driver = machine.driver;
  int registers = 0, local = 0, shared = 0, resident = 0;
  driver.cuFuncGetAttribute_(&registers, CU_FUNC_ATTRIBUTE_NUM_REGS, function);
  driver.cuFuncGetAttribute_(&local, CU_FUNC_ATTRIBUTE_LOCAL_SIZE_BYTES, function);
  driver.cuFuncGetAttribute_(&shared, CU_FUNC_ATTRIBUTE_SHARED_SIZE_BYTES, function);
  driver.cuOccupancyMaxActiveBlocksPerMultiprocessor_(&resident, function, static_cast<int>(probe.block), 0);
  KernelFacts facts;
  facts.least_bytes = static_cast<double>(probe.x_bytes + probe.y_bytes + probe.z_bytes);
  facts.num_sms = machine.sms;
  facts.blocks = probe.grid_x * probe.grid_y;
  facts.resident_blocks = resident;
  facts.registers = registers;
  facts.spill_bytes = local;
  facts.shared_bytes = shared;
  return facts;
}

struct Reading {
  Json line;
  bool as_expected = false;
};

Reading reading_of(const Probe& probe, const KernelFacts& facts,
                   const std::map<std::string, double>& counters) {
  const Profile profile = profile_of(metrics_of(counters), facts);
  Reading reading{to_json(profile), profile.regime == probe.expected};
  reading.line["kernel"] = probe.name;
  reading.line["expected"] = name(probe.expected);
  reading.line["as_expected"] = reading.as_expected;
  reading.line["median_us"] = facts.median_us;
  reading.line["registers"] = facts.registers;
  reading.line["resident_blocks"] = facts.resident_blocks;
  for (const std::string& counter : curated_counters())
    if (!counters.contains(counter)) reading.line["not_counted"].push_back(counter);
  return reading;
}

Result<Reading> run(const Machine& machine, Profiler& profiler, const Probe& probe) {
  const auto loaded = compile(machine, probe);
  if (!loaded) return failure(loaded.error().in("compiling"));
  const Driver& driver = machine.driver;
  Memory x(driver), y(driver), z(driver);
  auto filled = x.fill(probe.x_bytes, 1);
  if (filled && probe.y_bytes > 0) filled = y.fill(probe.y_bytes, 1);
  if (filled) filled = z.fill(probe.z_bytes, 0);
  if (!filled) return failure(filled.error());
  std::vector<void*> arguments = {x.address()};
  if (probe.y_bytes > 0) arguments.push_back(y.address());
  arguments.push_back(z.address());
  CUlaunchConfig config{};
  config.gridDimX = probe.grid_x;
  config.gridDimY = probe.grid_y;
  config.blockDimX = probe.block;
  config.gridDimZ = config.blockDimY = config.blockDimZ = 1;
  const Profiler::Action launch = [&] {
    return driver.check(driver.cuLaunchKernelEx_(&config, loaded->function, arguments.data(), nullptr),
                        "launching");
  };
  const Profiler::Action replay = [&]() -> Result<void> {
    if (auto launched = launch(); !launched) return launched;
    return driver.check(driver.cuCtxSynchronize_(), "running the kernel");
  };
  if (auto ran = replay(); !ran) return failure(ran.error());
  if (auto right = check_answer(driver, probe, *z.address()); !right) return failure(right.error());
  const auto median_us = time(driver, launch);
  if (!median_us) return failure(median_us.error().in("timing"));
  const auto counters = profiler.collect(curated_counters(), replay);
  if (!counters) return failure(counters.error().in("counting"));
  KernelFacts facts = facts_of(machine, probe, loaded->function);
  facts.median_us = *median_us;
  return reading_of(probe, facts, *counters);
}

int skipped(const std::string& why) {
  fmt::print(stderr, "SKIPPED: {}\n", why);
  return 4;
}

bool is_permission(const Error& error) {
  return error.message.find("PRIVILEGES") != std::string::npos;
}

int probe_all(Machine& machine) {
  if (const auto opened = open(machine); !opened) {
    fmt::print(stderr, "profiler_probe: {}\n", opened.error().message);
    return 1;
  }
  const auto profiler = Profiler::open(machine.cupti, 0);
  if (!profiler) {
    if (is_permission(profiler.error())) return skipped(profiler.error().message);
    fmt::print(stderr, "profiler_probe: {}\n", profiler.error().message);
    return 1;
  }
  fmt::print(stderr, "chip {}\n", (*profiler)->chip());
  bool good = true, forbidden = false;
  for (const Probe& probe : kProbes) {
    const auto outcome = run(machine, **profiler, probe);
    if (outcome) {
      fmt::print("{}\n", outcome->line.dump());
    } else {
      fmt::print("{}\n", Json{{"kernel", probe.name}, {"error", outcome.error().message}}.dump());
      forbidden = forbidden || is_permission(outcome.error());
    }
    std::fflush(stdout);
    good = good && outcome && outcome->as_expected;
  }
  if (forbidden) return skipped("this process may not read the GPU's counters; see the lines above");
  return good ? 0 : 1;
}

int probe(const char* library) {
  const Result<Driver>& driver = Driver::load();
  if (!driver) return skipped(driver.error().message);
  char folder[] = "/tmp/kevolve_probe_XXXXXX";
  if (::mkdtemp(folder) == nullptr) return skipped("no temporary folder can be made in /tmp");
  Machine machine{*driver, KEVOLVE_BIN_DIR, library == nullptr ? "" : library, folder};
  if (const auto toolkit = find_toolkit(machine.programs); machine.cupti.empty())
    machine.cupti = find_cupti(toolkit ? toolkit->root : fs::path());
  const int code = probe_all(machine);
  std::error_code ignored;
  fs::remove_all(folder, ignored);
  return code;
}

}  // namespace
}  // namespace kevolve

int main(int argc, char** argv) {
  return kevolve::probe(argc > 1 ? argv[1] : nullptr);
}
