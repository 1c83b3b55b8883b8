#pragma once
// ActivityTrace: CUPTI's record of what the GPU did for this process: every kernel and fill with the GPU's
// own timestamps. A second witness beside events: it knows nothing of where the harness put these.
//
// One at a time in a process; one thread. Once begun, launches of this process take longer.

#include <cstdint>
#include <filesystem>
#include <vector>

#include "core/devices/cuda/cupti.hpp"
#include "core/model/evaluation.hpp"

namespace kevolve::cuda {

/// A kernel, or a fill of memory, as the GPU executed it.
struct TracedWork {
  bool kernel = true;
  std::uint64_t begin_ns = 0, end_ns = 0;
};

class ActivityTrace {
 public:
  /// `library`: of find_cupti().
  static Result<ActivityTrace> begin(const std::filesystem::path& library);
  ActivityTrace(ActivityTrace&& other) noexcept;
  ActivityTrace& operator=(ActivityTrace&&) = delete;
  ~ActivityTrace();

  /// All that was executed since the last call, in the order of its beginnings. The stream must have been
  /// waited for.
  Result<std::vector<TracedWork>> take();

 private:
  explicit ActivityTrace(const Cupti* cupti) : cupti_(cupti) {}
  const Cupti* cupti_;
};

/// What the runs of a plan looked like: the median of their times; of the numbers of launches the one that is
/// farthest from `planned`. Each run's first kernel is not the plan's and is left out.
Witness witness_of(const std::vector<std::vector<TracedWork>>& runs, double planned);

}  // namespace kevolve::cuda
