#include "core/devices/cuda/cupti.hpp"

#include <dlfcn.h>
#include <fmt/format.h>

namespace kevolve::cuda {
namespace {

namespace fs = std::filesystem;

/// What a person can do about an error, or "".
std::string_view remedy(CUptiResult result) {
  switch (result) {
    case CUPTI_ERROR_INSUFFICIENT_PRIVILEGES:
    case CUPTI_ERROR_VIRTUALIZED_DEVICE_INSUFFICIENT_PRIVILEGES:
      return ". The driver lets administrators only read the counters: load the nvidia kernel module with "
             "NVreg_RestrictProfilingToAdminUsers=0 (a line in /etc/modprobe.d, then reload or reboot), or "
             "give this process CAP_SYS_ADMIN (docker run --cap-add=SYS_ADMIN)";
    case CUPTI_ERROR_MIG_DEVICE_NOT_SUPPORTED:
      return ". This GPU is split (MIG): profile on a whole one";
    case CUPTI_ERROR_VIRTUALIZED_DEVICE_NOT_SUPPORTED:
      return ". This is a virtual GPU: profile on a physical one, or have profiling enabled for the vGPU";
    case CUPTI_ERROR_CONFIDENTIAL_COMPUTING_NOT_SUPPORTED:
      return ". Counters cannot be read under confidential computing: profile on a machine without it";
    case CUPTI_ERROR_HARDWARE_BUSY:
    case CUPTI_ERROR_MULTIPLE_SUBSCRIBERS_NOT_SUPPORTED:
      return ". Another profiler (ncu, nsys, DCGM) holds the counters: stop it; DCGM: dcgmi profile --pause";
    case CUPTI_ERROR_INVALID_CHIP_NAME:
      return ". This CUPTI is older than the GPU: install the CUDA toolkit that belongs to the driver";
    default:
      return "";
  }
}

/// libcupti loads its own companions by bare name; from a folder that the loader does not search it finds
/// them only when they are in the process already.
void load_companions(const fs::path& folder) {
  for (const char* name : {"libnvperf_target.so", "libnvperf_host.so"}) {
    std::error_code error;
    if (fs::exists(folder / name, error)) ::dlopen((folder / name).c_str(), RTLD_NOW | RTLD_LOCAL);
  }
}

}  // namespace

std::vector<const char*> pointers(const std::vector<std::string>& names) {
  std::vector<const char*> list;
  for (const std::string& name : names) list.push_back(name.c_str());
  return list;
}

fs::path find_cupti(const fs::path& root) {
  constexpr const char* kName = "libcupti.so.13";
  if (root.empty()) return kName;
  for (const char* folder : {"lib64", "lib", "extras/CUPTI/lib64", "extras/CUPTI/lib"}) {
    for (const char* name : {kName, "libcupti.so.12", "libcupti.so"}) {
      std::error_code error;
      if (fs::exists(root / folder / name, error)) return root / folder / name;
    }
  }
  return kName;
}

Result<Cupti> Cupti::load(const fs::path& library) {
  if (library.has_parent_path()) load_companions(library.parent_path());
  void* handle = ::dlopen(library.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (handle == nullptr) {
    const char* reason = ::dlerror();
    return failure(
        fmt::format("hardware counters need CUPTI, and '{}' cannot be loaded ({}). Install the CUDA toolkit "
                    "with its CUPTI (package cuda-cupti), or set CUDA_HOME to a folder that has it",
                    library.string(), reason == nullptr ? "no reason given" : reason));
  }
  Cupti cupti;
#define KEVOLVE_FIND(function)                                                                    \
  cupti.function##_ = reinterpret_cast<decltype(cupti.function##_)>(::dlsym(handle, #function));  \
  if (cupti.function##_ == nullptr)                                                               \
    return failure(                                                                               \
        fmt::format("'{}' is too old for hardware counters: it has no {}. Install CUPTI 12.6 or " \
                    "newer",                                                                      \
                    library.string(), #function));
  KEVOLVE_CUPTI_FUNCTIONS(KEVOLVE_FIND)
#undef KEVOLVE_FIND
  return cupti;
}

Result<void> Cupti::check(CUptiResult result, std::string_view call) const {
  if (result == CUPTI_SUCCESS) return {};
  const char* name = nullptr;
  cuptiGetResultString_(result, &name);
  return failure(fmt::format("{}: {}{}", call,
                             name == nullptr ? fmt::format("CUPTI error {}", static_cast<int>(result)) : name,
                             remedy(result)));
}

Result<MetricHost> MetricHost::create(const Cupti& cupti, const std::string& chip,
                                      const std::vector<std::uint8_t>& availability) {
  CUpti_Profiler_Host_Initialize_Params params{};
  params.structSize = CUpti_Profiler_Host_Initialize_Params_STRUCT_SIZE;
  params.profilerType = CUPTI_PROFILER_TYPE_RANGE_PROFILER;
  params.pChipName = chip.c_str();
  params.pCounterAvailabilityImage = availability.empty() ? nullptr : availability.data();
  if (auto made = cupti.check(cupti.cuptiProfilerHostInitialize_(&params),
                              "cuptiProfilerHostInitialize for chip " + chip);
      !made)
    return failure(made.error());
  return MetricHost(cupti, params.pHostObject);
}

MetricHost::~MetricHost() {
  if (object_ == nullptr) return;
  CUpti_Profiler_Host_Deinitialize_Params params{};
  params.structSize = CUpti_Profiler_Host_Deinitialize_Params_STRUCT_SIZE;
  params.pHostObject = object_;
  cupti_->cuptiProfilerHostDeinitialize_(&params);
}

Result<MetricSchedule> MetricHost::schedule(const std::vector<std::string>& metrics) {
  MetricSchedule schedule;
  for (const std::string& metric : metrics) {
    CUpti_Profiler_Host_GetMetricProperties_Params properties{};
    properties.structSize = CUpti_Profiler_Host_GetMetricProperties_Params_STRUCT_SIZE;
    properties.pHostObject = object_;
    properties.pMetricName = metric.c_str();
    const bool known = cupti_->cuptiProfilerHostGetMetricProperties_(&properties) == CUPTI_SUCCESS;
    (known ? schedule.metrics : schedule.missing).push_back(metric);
  }
  if (schedule.metrics.empty()) return failure("this chip has none of the metrics that were asked for");
  // All in one call: added one by one they take a pass each, and one that is refused spoils the object.
  std::vector<const char*> names = pointers(schedule.metrics);
  CUpti_Profiler_Host_ConfigAddMetrics_Params add{};
  add.structSize = CUpti_Profiler_Host_ConfigAddMetrics_Params_STRUCT_SIZE;
  add.pHostObject = object_;
  add.ppMetricNames = names.data();
  add.numMetrics = names.size();
  auto done =
      cupti_->check(cupti_->cuptiProfilerHostConfigAddMetrics_(&add), "cuptiProfilerHostConfigAddMetrics");
  if (!done) return failure(done.error());
  CUpti_Profiler_Host_GetConfigImageSize_Params size{};
  size.structSize = CUpti_Profiler_Host_GetConfigImageSize_Params_STRUCT_SIZE;
  size.pHostObject = object_;
  done = cupti_->check(cupti_->cuptiProfilerHostGetConfigImageSize_(&size),
                       "cuptiProfilerHostGetConfigImageSize");
  if (!done) return failure(done.error());
  schedule.config.resize(size.configImageSize);
  CUpti_Profiler_Host_GetConfigImage_Params image{};
  image.structSize = CUpti_Profiler_Host_GetConfigImage_Params_STRUCT_SIZE;
  image.pHostObject = object_;
  image.configImageSize = schedule.config.size();
  image.pConfigImage = schedule.config.data();
  done = cupti_->check(cupti_->cuptiProfilerHostGetConfigImage_(&image), "cuptiProfilerHostGetConfigImage");
  if (!done) return failure(done.error());
  CUpti_Profiler_Host_GetNumOfPasses_Params passes{};
  passes.structSize = CUpti_Profiler_Host_GetNumOfPasses_Params_STRUCT_SIZE;
  passes.configImageSize = schedule.config.size();
  passes.pConfigImage = schedule.config.data();
  done = cupti_->check(cupti_->cuptiProfilerHostGetNumOfPasses_(&passes), "cuptiProfilerHostGetNumOfPasses");
  if (!done) return failure(done.error());
  schedule.passes = passes.numOfPasses;
  return schedule;
}

Result<std::vector<double>> MetricHost::evaluate(const std::vector<std::uint8_t>& counters,
                                                 const std::vector<std::string>& metrics) const {
  std::vector<double> values(metrics.size());
  std::vector<const char*> names = pointers(metrics);
  CUpti_Profiler_Host_EvaluateToGpuValues_Params params{};
  params.structSize = CUpti_Profiler_Host_EvaluateToGpuValues_Params_STRUCT_SIZE;
  params.pHostObject = object_;
  params.pCounterDataImage = counters.data();
  params.counterDataImageSize = counters.size();
  params.rangeIndex = 0;
  params.ppMetricNames = names.data();
  params.numMetrics = names.size();
  params.pMetricValues = values.data();
  auto done = cupti_->check(cupti_->cuptiProfilerHostEvaluateToGpuValues_(&params),
                            "cuptiProfilerHostEvaluateToGpuValues");
  if (!done) return failure(done.error());
  return values;
}

}  // namespace kevolve::cuda
