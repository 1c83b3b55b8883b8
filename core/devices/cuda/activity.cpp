#include "core/devices/cuda/activity.hpp"

#include <cupti_activity.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <mutex>
#include <optional>

#include "core/gates/statistics.hpp"

namespace kevolve::cuda {
namespace {

constexpr std::size_t kBufferBytes = std::size_t{1} << 20;
constexpr std::size_t kBufferAlignment = 8;  // CUPTI's demand

/// CUPTI hands buffers over in callbacks that carry no argument of ours, in a thread of its own.
struct Collected {
  std::mutex mutex;
  std::optional<Cupti> cupti;
  std::vector<TracedWork> work;
};

Collected& collected() {
  static Collected all;
  return all;
}

void CUPTIAPI give_buffer(std::uint8_t** buffer, std::size_t* size, std::size_t* most_records) {
  *buffer = static_cast<std::uint8_t*>(std::aligned_alloc(kBufferAlignment, kBufferBytes));
  *size = *buffer == nullptr ? 0 : kBufferBytes;
  *most_records = 0;  // as many as fit
}

template <class Record>
TracedWork work_of(const CUpti_Activity* record, bool kernel) {
  const auto* activity = reinterpret_cast<const Record*>(record);
  return {kernel, activity->start, activity->end};
}

void CUPTIAPI take_buffer(CUcontext, std::uint32_t, std::uint8_t* buffer, std::size_t, std::size_t valid) {
  {
    const std::lock_guard lock(collected().mutex);
    CUpti_Activity* record = nullptr;
    while (collected().cupti->cuptiActivityGetNextRecord_(buffer, valid, &record) == CUPTI_SUCCESS) {
      if (record->kind == CUPTI_ACTIVITY_KIND_CONCURRENT_KERNEL)
        collected().work.push_back(work_of<CUpti_ActivityKernel10>(record, true));
      else if (record->kind == CUPTI_ACTIVITY_KIND_MEMSET)
        collected().work.push_back(work_of<CUpti_ActivityMemset4>(record, false));
    }
  }
  std::free(buffer);
}

constexpr CUpti_ActivityKind kKinds[] = {CUPTI_ACTIVITY_KIND_CONCURRENT_KERNEL, CUPTI_ACTIVITY_KIND_MEMSET};

}  // namespace

Result<ActivityTrace> ActivityTrace::begin(const std::filesystem::path& library) {
  auto cupti = Cupti::load(library);
  if (!cupti) return failure(cupti.error());
  const Cupti* kept = nullptr;
  {
    const std::lock_guard lock(collected().mutex);
    collected().cupti = *cupti;
    collected().work.clear();
    kept = &*collected().cupti;
  }
  if (auto done = kept->check(kept->cuptiActivityRegisterCallbacks_(give_buffer, take_buffer),
                              "cuptiActivityRegisterCallbacks");
      !done)
    return failure(done.error());
  ActivityTrace trace(kept);
  for (const CUpti_ActivityKind kind : kKinds) {
    if (auto done = kept->check(kept->cuptiActivityEnable_(kind), "cuptiActivityEnable"); !done)
      return failure(done.error());
  }
  return trace;
}

ActivityTrace::ActivityTrace(ActivityTrace&& other) noexcept : cupti_(other.cupti_) {
  other.cupti_ = nullptr;
}

ActivityTrace::~ActivityTrace() {
  if (cupti_ == nullptr) return;
  for (const CUpti_ActivityKind kind : kKinds) cupti_->cuptiActivityDisable_(kind);
}

Result<std::vector<TracedWork>> ActivityTrace::take() {
  auto done = cupti_->check(cupti_->cuptiActivityFlushAll_(CUPTI_ACTIVITY_FLAG_FLUSH_FORCED),
                            "cuptiActivityFlushAll");
  if (!done) return failure(done.error());
  std::vector<TracedWork> work;
  {
    const std::lock_guard lock(collected().mutex);
    work = std::exchange(collected().work, {});
  }
  std::sort(work.begin(), work.end(),
            [](const TracedWork& a, const TracedWork& b) { return a.begin_ns < b.begin_ns; });
  return work;
}

namespace {

constexpr double us(std::uint64_t nanoseconds) {
  return 1e-3 * static_cast<double>(nanoseconds);
}

/// Time in which anything ran; `work` begins in order.
double busy_us(const std::vector<TracedWork>& work) {
  std::uint64_t busy = 0, until = 0;
  for (const TracedWork& one : work) {
    if (one.end_ns <= until) continue;
    busy += one.end_ns - std::max(one.begin_ns, until);
    until = one.end_ns;
  }
  return us(busy);
}

double span_us(const std::vector<TracedWork>& work) {
  std::uint64_t end = 0;
  for (const TracedWork& one : work) end = std::max(end, one.end_ns);
  return work.empty() ? 0 : us(end - work.front().begin_ns);
}

}  // namespace

Witness witness_of(const std::vector<std::vector<TracedWork>>& runs, double planned) {
  Witness witness;
  witness.launches = planned;
  std::vector<double> busy, span;
  for (std::vector<TracedWork> work : runs) {
    const auto first =
        std::find_if(work.begin(), work.end(), [](const TracedWork& one) { return one.kernel; });
    if (first != work.end()) work.erase(work.begin(), std::next(first));
    const auto launches = static_cast<double>(
        std::count_if(work.begin(), work.end(), [](const TracedWork& one) { return one.kernel; }));
    if (std::abs(launches - planned) > std::abs(witness.launches - planned)) witness.launches = launches;
    busy.push_back(busy_us(work));
    span.push_back(span_us(work));
  }
  if (runs.empty()) return witness;
  witness.busy_us = gates::median(busy);
  witness.span_us = gates::median(span);
  return witness;
}

}  // namespace kevolve::cuda
