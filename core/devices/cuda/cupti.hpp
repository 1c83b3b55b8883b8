#pragma once
// Cupti: the functions of NVIDIA's profiling library, found at run time. Nothing links libcupti, so that
// every program starts where it is missing and can say so. Its Host API (names and passes of metrics) needs
// no GPU.
//
// Loaded libraries are never unloaded; immutable, thread-safe.

#include <cupti_activity.h>
#include <cupti_profiler_host.h>
#include <cupti_profiler_target.h>
#include <cupti_range_profiler.h>
#include <cupti_result.h>
#include <cupti_target.h>

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "core/text/result.hpp"

namespace kevolve::cuda {

#define KEVOLVE_CUPTI_FUNCTIONS(use)                                                                         \
  use(cuptiGetResultString) use(cuptiProfilerInitialize) use(cuptiProfilerDeInitialize)                      \
      use(cuptiProfilerDeviceSupported) use(cuptiProfilerGetCounterAvailability) use(cuptiDeviceGetChipName) \
          use(cuptiProfilerHostInitialize) use(cuptiProfilerHostDeinitialize)                                \
              use(cuptiProfilerHostGetMetricProperties) use(cuptiProfilerHostConfigAddMetrics)               \
                  use(cuptiProfilerHostGetConfigImageSize) use(cuptiProfilerHostGetConfigImage)              \
                      use(cuptiProfilerHostGetNumOfPasses) use(cuptiProfilerHostEvaluateToGpuValues)         \
                          use(cuptiRangeProfilerEnable) use(cuptiRangeProfilerDisable)                       \
                              use(cuptiRangeProfilerGetCounterDataSize)                                      \
                                  use(cuptiRangeProfilerCounterDataImageInitialize)                          \
                                      use(cuptiRangeProfilerSetConfig) use(cuptiRangeProfilerStart)          \
                                          use(cuptiRangeProfilerStop) use(cuptiRangeProfilerPushRange)       \
                                              use(cuptiRangeProfilerPopRange)                                \
                                                  use(cuptiRangeProfilerDecodeData)                          \
                                                      use(cuptiActivityRegisterCallbacks)                    \
                                                          use(cuptiActivityEnable) use(cuptiActivityDisable) \
                                                              use(cuptiActivityFlushAll)                     \
                                                                  use(cuptiActivityGetNextRecord)

struct Cupti {
#define KEVOLVE_MEMBER(function) decltype(&::function) function##_ = nullptr;
  KEVOLVE_CUPTI_FUNCTIONS(KEVOLVE_MEMBER)
#undef KEVOLVE_MEMBER

  /// `library`: of find_cupti(). The error says what is missing and what to install.
  static Result<Cupti> load(const std::filesystem::path& library);

  /// Names the call and the error; where a person can lift the cause, also how.
  [[nodiscard]] Result<void> check(CUptiResult result, std::string_view call) const;
};

/// libcupti of the toolkit in `root` (beside NVRTC, or in extras/CUPTI), otherwise its bare name, which
/// leaves the search to the system.
std::filesystem::path find_cupti(const std::filesystem::path& root);

/// A set of metrics, ready to be counted on one kind of chip.
struct MetricSchedule {
  std::vector<std::string> metrics;  ///< those that the chip has
  std::vector<std::string> missing;  ///< those that it has not
  std::vector<std::uint8_t> config;  ///< CUPTI's "config image"
  std::size_t passes = 0;            ///< how often the launches have to be repeated
};

/// CUPTI's host object: what metrics are made of on one kind of chip. Needs no GPU. One thread.
class MetricHost {
 public:
  /// `chip`: "GH100", … `availability`: CUPTI's counter availability image, or empty.
  static Result<MetricHost> create(const Cupti& cupti, const std::string& chip,
                                   const std::vector<std::uint8_t>& availability = {});
  MetricHost(MetricHost&& other) noexcept : cupti_(other.cupti_), object_(other.object_) {
    other.object_ = nullptr;
  }
  MetricHost& operator=(MetricHost&&) = delete;
  ~MetricHost();

  /// Once for each host: CUPTI adds to what was scheduled before.
  Result<MetricSchedule> schedule(const std::vector<std::string>& metrics);
  /// Values of `metrics` over the first range in the decoded `counters`.
  Result<std::vector<double>> evaluate(const std::vector<std::uint8_t>& counters,
                                       const std::vector<std::string>& metrics) const;

 private:
  MetricHost(const Cupti& cupti, CUpti_Profiler_Host_Object* object) : cupti_(&cupti), object_(object) {}

  const Cupti* cupti_;
  CUpti_Profiler_Host_Object* object_;
};

/// CUPTI takes names as an array of pointers; it lives as long as `names` do.
std::vector<const char*> pointers(const std::vector<std::string>& names);

}  // namespace kevolve::cuda
