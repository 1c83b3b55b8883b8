#include "core/devices/cuda/profiler.hpp"

#include <fmt/format.h>

#include <cmath>

namespace kevolve::cuda {
namespace {

constexpr const char* kRange = "plan";

/// A CUPTI parameter block: its size first, all else zero.
#define KEVOLVE_PARAMS(Type, name) \
  Type name{};                     \
  name.structSize = Type##_STRUCT_SIZE

/// CUPTI's range profiler object, enabled on a context until destruction.
class Ranges {
 public:
  static Result<Ranges> enable(const Cupti& cupti, CUcontext context) {
    KEVOLVE_PARAMS(CUpti_RangeProfiler_Enable_Params, params);
    params.ctx = context;
    auto done = cupti.check(cupti.cuptiRangeProfilerEnable_(&params), "cuptiRangeProfilerEnable");
    if (!done) return failure(done.error());
    return Ranges(cupti, params.pRangeProfilerObject);
  }
  Ranges(Ranges&& other) noexcept : cupti_(other.cupti_), object_(other.object_) { other.object_ = nullptr; }
  Ranges& operator=(Ranges&&) = delete;
  ~Ranges() {
    if (object_ == nullptr) return;
    KEVOLVE_PARAMS(CUpti_RangeProfiler_Disable_Params, params);
    params.pRangeProfilerObject = object_;
    cupti_->cuptiRangeProfilerDisable_(&params);
  }
  [[nodiscard]] CUpti_RangeProfiler_Object* get() const { return object_; }

 private:
  Ranges(const Cupti& cupti, CUpti_RangeProfiler_Object* object) : cupti_(&cupti), object_(object) {}
  const Cupti* cupti_;
  CUpti_RangeProfiler_Object* object_;
};

/// The metrics' schedule, and the host that made it and will read it.
struct Scheduled {
  MetricHost host;
  MetricSchedule schedule;
};

Result<Scheduled> schedule_on(const Cupti& cupti, const std::string& chip,
                              const std::vector<std::uint8_t>& availability,
                              const std::vector<std::string>& metrics) {
  auto host = MetricHost::create(cupti, chip, availability);
  auto schedule = host ? host->schedule(metrics) : Result<MetricSchedule>(failure(host.error()));
  if (schedule) return Scheduled{std::move(*host), std::move(*schedule)};
  // An image that leaves out counters of the whole device must not cost those of memory.
  if (!availability.empty()) return schedule_on(cupti, chip, {}, metrics);
  return failure(schedule.error().in("chip " + chip));
}

/// The memory that CUPTI decodes one range's counters into.
Result<std::vector<std::uint8_t>> counter_image(const Cupti& cupti, CUpti_RangeProfiler_Object* ranges,
                                                const std::vector<std::string>& metrics) {
  std::vector<const char*> names = pointers(metrics);
  KEVOLVE_PARAMS(CUpti_RangeProfiler_GetCounterDataSize_Params, size);
  size.pRangeProfilerObject = ranges;
  size.pMetricNames = names.data();
  size.numMetrics = names.size();
  size.maxNumOfRanges = 1;
  size.maxNumRangeTreeNodes = 1;
  auto done =
      cupti.check(cupti.cuptiRangeProfilerGetCounterDataSize_(&size), "cuptiRangeProfilerGetCounterDataSize");
  if (!done) return failure(done.error());
  std::vector<std::uint8_t> image(size.counterDataSize);
  KEVOLVE_PARAMS(CUpti_RangeProfiler_CounterDataImage_Initialize_Params, params);
  params.pRangeProfilerObject = ranges;
  params.counterDataSize = image.size();
  params.pCounterData = image.data();
  done = cupti.check(cupti.cuptiRangeProfilerCounterDataImageInitialize_(&params),
                     "cuptiRangeProfilerCounterDataImageInitialize");
  if (!done) return failure(done.error());
  return image;
}

Result<void> configure(const Cupti& cupti, CUpti_RangeProfiler_Object* ranges, const MetricSchedule& schedule,
                       std::vector<std::uint8_t>& image) {
  KEVOLVE_PARAMS(CUpti_RangeProfiler_SetConfig_Params, params);
  params.pRangeProfilerObject = ranges;
  params.configSize = schedule.config.size();
  params.pConfig = schedule.config.data();
  params.counterDataImageSize = image.size();
  params.pCounterDataImage = image.data();
  params.range = CUPTI_UserRange;
  params.replayMode = CUPTI_UserReplay;
  params.maxRangesPerPass = 1;
  params.numNestingLevels = 1;
  params.minNestingLevel = 1;
  params.passIndex = 0;
  params.targetNestingLevel = 1;
  return cupti.check(cupti.cuptiRangeProfilerSetConfig_(&params), "cuptiRangeProfilerSetConfig");
}

/// One pass: the range around one call of `replay`. True when CUPTI has all that it needs.
Result<bool> run_pass(const Cupti& cupti, CUpti_RangeProfiler_Object* ranges,
                      const Profiler::Action& replay) {
  KEVOLVE_PARAMS(CUpti_RangeProfiler_Start_Params, start);
  KEVOLVE_PARAMS(CUpti_RangeProfiler_PushRange_Params, push);
  KEVOLVE_PARAMS(CUpti_RangeProfiler_PopRange_Params, pop);
  KEVOLVE_PARAMS(CUpti_RangeProfiler_Stop_Params, stop);
  start.pRangeProfilerObject = push.pRangeProfilerObject = ranges;
  pop.pRangeProfilerObject = stop.pRangeProfilerObject = ranges;
  push.pRangeName = kRange;
  auto done = cupti.check(cupti.cuptiRangeProfilerStart_(&start), "cuptiRangeProfilerStart");
  if (done) done = cupti.check(cupti.cuptiRangeProfilerPushRange_(&push), "cuptiRangeProfilerPushRange");
  if (!done) return failure(done.error());
  const Result<void> replayed = replay();
  // Whatever became of the launches: a range that stays open spoils the context for later ones.
  const auto popped = cupti.check(cupti.cuptiRangeProfilerPopRange_(&pop), "cuptiRangeProfilerPopRange");
  const auto stopped = cupti.check(cupti.cuptiRangeProfilerStop_(&stop), "cuptiRangeProfilerStop");
  for (const auto& step : {replayed, popped, stopped})
    if (!step) return failure(step.error());
  return stop.isAllPassSubmitted != 0;
}

}  // namespace

Result<std::unique_ptr<Profiler>> Profiler::open(const std::filesystem::path& library, int device) {
  const Result<Driver>& driver = Driver::load();
  if (!driver) return failure(driver.error());
  const Result<Cupti> cupti = Cupti::load(library);
  if (!cupti) return failure(cupti.error());
  std::unique_ptr<Profiler> profiler(new Profiler(*driver, *cupti));
  if (auto begun = profiler->begin(device); !begun) return failure(begun.error());
  return profiler;
}

Profiler::~Profiler() {
  if (!begun_) return;
  KEVOLVE_PARAMS(CUpti_Profiler_DeInitialize_Params, params);
  cupti_.cuptiProfilerDeInitialize_(&params);
}

Result<void> Profiler::begin(int device) {
  // The primary context is never released: the process that profiles is disposable.
  auto done = driver_->check(driver_->cuDeviceGet_(&device_, device), fmt::format("finding GPU {}", device));
  if (done)
    done = driver_->check(driver_->cuDevicePrimaryCtxRetain_(&context_, device_), "taking the GPU's context");
  if (done) done = driver_->check(driver_->cuCtxSetCurrent_(context_), "entering the GPU's context");
  if (!done) return done;
  KEVOLVE_PARAMS(CUpti_Profiler_Initialize_Params, initialize);
  done = cupti_.check(cupti_.cuptiProfilerInitialize_(&initialize), "cuptiProfilerInitialize");
  if (!done) return done;
  begun_ = true;
  if (done = require_support(); !done) return done;
  KEVOLVE_PARAMS(CUpti_Device_GetChipName_Params, name);
  name.deviceIndex = static_cast<std::size_t>(device);
  done = cupti_.check(cupti_.cuptiDeviceGetChipName_(&name), "cuptiDeviceGetChipName");
  if (!done) return done;
  chip_ = name.pChipName == nullptr ? "" : name.pChipName;
  read_availability();
  return {};
}

Result<void> Profiler::require_support() const {
  KEVOLVE_PARAMS(CUpti_Profiler_DeviceSupported_Params, params);
  params.cuDevice = device_;
  params.api = CUPTI_PROFILER_RANGE_PROFILING;
  // A check that cannot be made says nothing: the calls after it will.
  if (cupti_.cuptiProfilerDeviceSupported_(&params) != CUPTI_SUCCESS) return {};
  if (params.isSupported == CUPTI_PROFILER_CONFIGURATION_SUPPORTED) return {};
  const auto lacks = [](CUpti_Profiler_Support_Level level) {
    return level == CUPTI_PROFILER_CONFIGURATION_UNSUPPORTED ||
           level == CUPTI_PROFILER_CONFIGURATION_DISABLED;
  };
  std::string causes;
  if (lacks(params.architecture)) causes += " It is older than compute capability 7.0: use a newer GPU.";
  if (lacks(params.vGpu)) causes += " It is a virtual GPU without profiling: enable that in its host.";
  if (lacks(params.confidentialCompute)) causes += " Confidential computing is on: switch it off.";
  if (lacks(params.sli)) causes += " SLI is on: switch it off.";
  if (lacks(params.cmp)) causes += " It is a mining processor, which has no counters.";
  if (lacks(params.wsl)) causes += " This Windows Subsystem for Linux has no counters: use Linux itself.";
  return failure("this GPU's counters cannot be read." +
                 (causes.empty() ? std::string(" CUPTI gives no reason.") : causes));
}

void Profiler::read_availability() {
  // Best effort: it only narrows which counters CUPTI schedules.
  KEVOLVE_PARAMS(CUpti_Profiler_GetCounterAvailability_Params, params);
  params.ctx = context_;
  if (cupti_.cuptiProfilerGetCounterAvailability_(&params) != CUPTI_SUCCESS) return;
  availability_.resize(params.counterAvailabilityImageSize);
  params.pCounterAvailabilityImage = availability_.data();
  if (cupti_.cuptiProfilerGetCounterAvailability_(&params) != CUPTI_SUCCESS) availability_.clear();
}

Result<void> Profiler::run_passes(CUpti_RangeProfiler_Object* ranges, std::size_t passes,
                                  const Action& replay, const Action& before) const {
  // CUPTI says itself when it has enough; the number announced only bounds a loop that would not end.
  for (std::size_t pass = 0; pass < 2 * passes + 2; ++pass) {
    if (before) {
      if (auto prepared = before(); !prepared) return prepared;
    }
    auto idle = driver_->check(driver_->cuCtxSynchronize_(), "waiting for the GPU before a pass");
    if (!idle) return idle;
    const Result<bool> complete = run_pass(cupti_, ranges, replay);
    if (!complete) return failure(complete.error().in(fmt::format("pass {} of {}", pass + 1, passes)));
    if (*complete) return {};
  }
  return failure(fmt::format("CUPTI wants far more than the {} passes that it announced", passes));
}

Result<std::map<std::string, double>> Profiler::collect(const std::vector<std::string>& metrics,
                                                        const Action& replay, const Action& before) {
  const auto scheduled = schedule_on(cupti_, chip_, availability_, metrics);
  if (!scheduled) return failure(scheduled.error());
  const MetricSchedule& schedule = scheduled->schedule;
  for (const Action* action : {&before, &replay}) {
    if (!*action) continue;
    if (auto done = (*action)(); !done) return failure(done.error());
  }
  const auto ranges = Ranges::enable(cupti_, context_);
  if (!ranges) return failure(ranges.error());
  auto image = counter_image(cupti_, ranges->get(), schedule.metrics);
  if (!image) return failure(image.error());
  auto done = configure(cupti_, ranges->get(), schedule, *image);
  if (done) done = run_passes(ranges->get(), schedule.passes, replay, before);
  if (!done) return failure(done.error());
  KEVOLVE_PARAMS(CUpti_RangeProfiler_DecodeData_Params, decode);
  decode.pRangeProfilerObject = ranges->get();
  done = cupti_.check(cupti_.cuptiRangeProfilerDecodeData_(&decode), "cuptiRangeProfilerDecodeData");
  if (!done) return failure(done.error());
  if (decode.numOfRangeDropped > 0) return failure("CUPTI dropped the range: its buffer was too small");
  const auto values = scheduled->host.evaluate(*image, schedule.metrics);
  if (!values) return failure(values.error());
  std::map<std::string, double> found;
  for (std::size_t i = 0; i < values->size(); ++i)
    if (std::isfinite((*values)[i])) found[schedule.metrics[i]] = (*values)[i];
  return found;
}

}  // namespace kevolve::cuda
