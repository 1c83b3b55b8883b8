#include "core/devices/cuda/compile_device.hpp"

#include <algorithm>
#include <map>
#include <system_error>

#include "core/devices/cuda/architecture.hpp"
#include "core/devices/cuda/compile_job.hpp"
#include "core/devices/cuda/cubin_cache.hpp"
#include "core/devices/cuda/diagnostics.hpp"
#include "core/devices/cuda/inspection.hpp"
#include "core/devices/cuda/nvrtc_process.hpp"
#include "core/devices/cuda/prelude.hpp"
#include "core/devices/cuda/ptxas_log.hpp"
#include "core/gates/tensor_cores.hpp"
#include "core/text/sha256.hpp"

namespace kevolve::cuda {
namespace {

namespace fs = std::filesystem;
using std::chrono::milliseconds;

constexpr int kRulesVersion = 2;  // of inspection: raise it to forget what older rules admitted

/// A begun folder of the cache, removed unless it became an entry.
class BegunFolder {
 public:
  explicit BegunFolder(fs::path path) : path_(std::move(path)) {}
  BegunFolder(const BegunFolder&) = delete;
  BegunFolder& operator=(const BegunFolder&) = delete;
  ~BegunFolder() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  [[nodiscard]] const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

/// Kernels of all launches by register limit, each name once a group.
std::vector<CompileGroup> groups_of(const LaunchPlan& plan) {
  std::map<std::int64_t, std::vector<std::string>> kernels;
  for (const auto* launches : {&plan.prepare, &plan.launches}) {
    for (const auto& launch : *launches) {
      auto& group = kernels[launch.max_registers];
      if (std::find(group.begin(), group.end(), launch.kernel) == group.end()) group.push_back(launch.kernel);
    }
  }
  std::vector<CompileGroup> groups;
  for (auto& [limit, names] : kernels) groups.push_back({limit, std::move(names)});
  return groups;
}

Verdict verdict(Outcome outcome, Gate gate, std::string evidence) {
  return {outcome, gate, std::move(evidence)};
}

Verdict refused(const std::vector<std::string>& sentences) {
  std::string evidence;
  for (std::size_t i = 0; i < sentences.size() && i < 5; ++i) evidence += (i > 0 ? "\n" : "") + sentences[i];
  if (sentences.size() > 5)
    evidence += "\n... and " + std::to_string(sentences.size() - 5) + " more violations.";
  return verdict(Outcome::inspect_violation, Gate::inspect, evidence);
}

void add_resources(const CompiledKernel& kernel, const std::string& log, CompileReport& report) {
  const auto all = parse_ptxas_log(log);
  const auto found = all.find(kernel.symbol);
  if (found == all.end()) return;
  const auto& used = found->second;
  std::string name = kernel.name;
  if (report.resources.count(name + ".registers") != 0)  // the same kernel under another limit
    name += " (max_registers " + std::to_string(kernel.max_registers) + ")";
  report.resources[name + ".registers"] = used.registers;
  report.resources[name + ".spill_bytes"] = used.spill_store_bytes + used.spill_load_bytes;
  report.resources[name + ".spill_store_bytes"] = used.spill_store_bytes;
  report.resources[name + ".spill_load_bytes"] = used.spill_load_bytes;
  report.resources[name + ".stack_bytes"] = used.stack_bytes;
  report.resources[name + ".shared_bytes"] = used.shared_bytes;
  report.resources[name + ".constant_bytes"] = used.constant_bytes;
}

class CompileDevice final : public devices::Device {
 public:
  CompileDevice(DeviceInfo info, DeviceLimits limits, NvrtcProcess nvrtc, CubinCache cache)
      : info_(std::move(info)), limits_(limits), nvrtc_(std::move(nvrtc)), cache_(std::move(cache)) {}

  [[nodiscard]] const DeviceInfo& info() const override { return info_; }
  [[nodiscard]] DeviceLimits limits() const override { return limits_; }
  [[nodiscard]] std::string timing_mode() const override { return "cold"; }
  void flush_caches() override {}
  [[nodiscard]] devices::Memory* memory() override { return nullptr; }
  double copy_bytes_per_us() override { return 0; }
  [[nodiscard]] bool can_run() const override { return false; }

  Result<tl::expected<devices::Binary, Verdict>> compile(const std::string& source, const LaunchPlan& plan,
                                                         milliseconds deadline) override;

  Result<std::shared_ptr<devices::SharedBuffer>> allocate(std::size_t, devices::Placement,
                                                          std::size_t) override {
    return failure(no_gpu());
  }
  Result<std::unique_ptr<devices::Runner>> start_runner(const devices::Binary&, const LaunchPlan&) override {
    return failure(no_gpu());
  }

 private:
  [[nodiscard]] std::string no_gpu() const {
    return info_.name +
           " compiles only: there is no GPU behind it. Stop at gate inspect, or use another device";
  }
  [[nodiscard]] std::string key(const CompileJob& job) const;
  Result<tl::expected<Manifest, Verdict>> examine(const CompileJob& job, const CompileAnswer& answer) const;

  DeviceInfo info_;
  DeviceLimits limits_;
  NvrtcProcess nvrtc_;
  CubinCache cache_;
};

/// All that decides what the compiler makes of a job, and none of where it lies.
std::string CompileDevice::key(const CompileJob& job) const {
  Json content = to_json(job);
  for (const char* place : {"library", "companions", "include_folders", "output"}) content.erase(place);
  content["nvrtc"] = info_.toolchain;
  content["options"] = fixed_compile_options();
  for (const auto& header : builtin_headers()) content["headers"][header.name] = header.text;
  content["rules"] = kRulesVersion;
  return sha256_hex(content.dump());
}

Result<tl::expected<Manifest, Verdict>> CompileDevice::examine(const CompileJob& job,
                                                               const CompileAnswer& answer) const {
  if (answer.groups.size() != job.groups.size())
    return failure("kevolve-nvrtc answered for " + std::to_string(answer.groups.size()) + " groups of " +
                   std::to_string(job.groups.size()));
  Manifest manifest{info_.architecture, answer.version, {}, {}, {}};
  std::vector<Cubin> cubins;
  std::vector<std::string> faults;
  std::string hashes;
  for (std::size_t i = 0; i < job.groups.size(); ++i) {
    const auto bytes = read_text_file(job.output / cubin_name(i));
    if (!bytes) return failure(bytes.error());
    auto cubin = read_cubin(*bytes);
    if (!cubin)
      return tl::unexpected(verdict(Outcome::inspect_violation, Gate::inspect,
                                    "The compiled binary cannot be read: " + cubin.error().message + "."));
    for (auto& fault : violations(*cubin, answer.groups[i].unreferenced))
      if (std::find(faults.begin(), faults.end(), fault) == faults.end()) faults.push_back(std::move(fault));
    hashes += cubin->normalised_hash;
    cubins.push_back(std::move(*cubin));
    manifest.cubins.push_back({cubin_name(i), static_cast<std::int64_t>(bytes->size()), sha256_hex(*bytes)});
    manifest.report.binary_bytes += static_cast<std::int64_t>(bytes->size());
    for (const auto& [type, count] : answer.groups[i].tensor_cores)
      manifest.report.resources[gates::tensor_core_resource(type)] += count;
    for (const auto& name : job.groups[i].kernels) {
      const auto lowered = answer.groups[i].lowered.find(name);
      const bool known = lowered != answer.groups[i].lowered.end();
      manifest.kernels.push_back({name, job.groups[i].max_registers, i, known ? lowered->second : ""});
      add_resources(manifest.kernels.back(), answer.groups[i].log, manifest.report);
    }
    if (i == 0) manifest.report.log = compile_warnings(answer.groups[i].log);
  }
  for (auto& fault : missing_kernels(cubins, manifest.kernels)) faults.push_back(std::move(fault));
  if (!faults.empty()) return tl::unexpected(refused(faults));
  for (const auto& name : unused_kernels(cubins, manifest.kernels))
    manifest.report.log += "Kernel '" + name + "' is compiled, but no launch names it.\n";
  manifest.report.binary_hash = cubins.size() == 1 ? hashes : sha256_hex(hashes);
  return manifest;
}

Result<tl::expected<devices::Binary, Verdict>> CompileDevice::compile(const std::string& source,
                                                                      const LaunchPlan& plan,
                                                                      milliseconds deadline) {
  CompileJob job = nvrtc_.new_job(info_.architecture);
  job.source = source;
  job.macros = plan.macros;
  job.groups = groups_of(plan);
  const std::string address = key(job);
  if (const auto cached = cache_.find(address))
    return devices::Binary{cache_.manifest_path(address).string(), cached->report};
  const auto folder = cache_.begin();
  if (!folder) return failure(folder.error());
  const BegunFolder begun(*folder);
  job.output = begun.path();
  const auto answer = nvrtc_.run(job, deadline);
  if (!answer) return failure(answer.error().in("compile"));
  if (!*answer) return tl::unexpected(answer->error());
  if ((*answer)->status == CompileAnswer::Status::failed)
    return failure("NVRTC " + (*answer)->version + " failed: " + (*answer)->message);
  if ((*answer)->status == CompileAnswer::Status::rejected)
    return tl::unexpected(verdict(Outcome::compile_error, Gate::compile,
                                  compile_evidence((*answer)->message, source, plan, nvrtc_.toolkit().root)));
  const auto manifest = examine(job, **answer);
  if (!manifest) return failure(manifest.error());
  if (!*manifest) return tl::unexpected(manifest->error());
  if (auto committed = cache_.commit(begun.path(), address, **manifest); !committed)
    return failure(committed.error());
  return devices::Binary{cache_.manifest_path(address).string(), (*manifest)->report};
}

std::string listed(const std::vector<int>& architectures) {
  std::string text;
  for (const int architecture : architectures)
    text += (text.empty() ? "sm_" : ", sm_") + std::to_string(architecture);
  return text;
}

}  // namespace

std::optional<std::string> compile_architecture(std::string_view device_name) {
  constexpr std::string_view kPrefix = "cuda:";
  if (device_name.substr(0, kPrefix.size()) != kPrefix) return std::nullopt;
  device_name.remove_prefix(kPrefix.size());
  if (!compute_capability(device_name)) return std::nullopt;
  return std::string(device_name);
}

Result<std::unique_ptr<devices::Device>> open_cuda_compile_device(const std::string& architecture,
                                                                  const CudaCompileSettings& settings) {
  const auto capability = compute_capability(architecture);
  if (!capability)
    return failure("'" + architecture + "' is no GPU architecture; expected one like sm_90a or sm_80");
  auto nvrtc = NvrtcProcess::find(settings.programs, settings.memory_bytes);
  if (!nvrtc) return failure(nvrtc.error());
  auto cache = CubinCache::open(settings.cache_folder);
  if (!cache) return failure(cache.error());
  const auto about = nvrtc->run(nvrtc->new_job(architecture), std::chrono::seconds(30));
  if (!about) return failure(about.error().in("cannot use NVRTC"));
  if (!*about) return failure("cannot use NVRTC: " + about->error().evidence);
  if ((*about)->status != CompileAnswer::Status::compiled)
    return failure("cannot use NVRTC: " + (*about)->message);
  const auto& known = (*about)->architectures;
  if (std::find(known.begin(), known.end(), *capability) == known.end())
    return failure("NVRTC " + (*about)->version + " does not know " + architecture + "; it knows " +
                   listed(known));
  DeviceLimits limits = limits_of(*capability);
  if (settings.num_sms > 0) limits.num_sms = settings.num_sms;
  DeviceInfo info;
  info.name = "cuda:" + architecture;
  info.model = "compile only, no GPU";
  info.architecture = architecture;
  info.told_traits = gpu_traits(architecture);
  info.toolchain = "NVRTC " + (*about)->version;
  info.num_sms = limits.num_sms;
  return std::make_unique<CompileDevice>(info, limits, std::move(*nvrtc), std::move(*cache));
}

}  // namespace kevolve::cuda
