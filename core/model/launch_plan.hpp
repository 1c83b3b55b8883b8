#pragma once
// LaunchPlan: a candidate's header with all expressions evaluated for one workload, one choice of tunables
// and one device. It is all that a runner needs to know; it crosses the process boundary as JSON.
// Plain data.

#include <array>
#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "core/model/candidate.hpp"
#include "core/model/verdict.hpp"

namespace kevolve {

enum class BufferRole { input, output, scratch };

struct PlannedBuffer {
  std::string name;
  BufferRole role = BufferRole::input;
  DType dtype = DType::f32;
  std::int64_t elements = 0;
  Fill fill = Fill::none;  ///< done by the runner at the start of every run, timed
  std::int64_t alignment_bytes = 16;
  [[nodiscard]] std::int64_t size_bytes() const {
    return elements * static_cast<std::int64_t>(kevolve::size_bytes(dtype));
  }
};

struct PlannedTensorMap {
  int buffer = 0;
  DType dtype = DType::f32;
  std::vector<std::int64_t> dims, strides_bytes, box;
  std::string swizzle, l2_promotion, out_of_bounds;
};

struct PlannedPointer {
  int buffer = 0;
};  ///< index into LaunchPlan::buffers
struct PlannedInteger {
  DType dtype = DType::i32;
  std::int64_t value = 0;
};
struct PlannedReal {
  DType dtype = DType::f32;
  double value = 0;
};
using PlannedArgument = std::variant<PlannedPointer, PlannedInteger, PlannedReal, PlannedTensorMap>;

struct PlannedLaunch {
  std::string kernel;  ///< C++ name expression
  std::array<std::int64_t, 3> grid{1, 1, 1}, block{1, 1, 1}, cluster{1, 1, 1};
  std::int64_t shared_bytes = 0;
  bool cooperative = false;
  std::int64_t max_registers = 0;  ///< 0: no limit
  std::vector<PlannedArgument> arguments;
};

struct LaunchPlan {
  std::vector<PlannedBuffer> buffers;  ///< inputs in operator order, then outputs, then scratch
  std::vector<PlannedLaunch> prepare, launches;
  std::vector<std::pair<std::string, std::string>>
      macros;  ///< axes, scalars, tunables, NUM_SMS as the source sees them

  [[nodiscard]] int buffer_index(std::string_view name) const;  ///< -1 when absent
  /// True for what `prepare` has to do with: it is filled before `prepare` and must then survive every run.
  /// All else is filled before each run.
  [[nodiscard]] bool filled_before_prepare(std::size_t buffer) const;
};

/// What the resolver needs to know of a device.
struct DeviceLimits {
  std::int64_t num_sms = 1;
  std::int64_t max_threads_per_block = 1024;
  std::int64_t max_shared_bytes = 227 * 1024;
  std::int64_t memory_bytes = 0;  ///< of the device; 0: not known
};

/// Evaluates `header` at `axes` (a workload's, or a hold-out's) and `tunables`. An unmet constraint is the
/// verdict `not_applicable`, an expression that cannot be evaluated or a launch beyond the limits
/// `launch_error`, both at gate policy: candidates' failures, hence a Verdict and not an Error.
tl::expected<LaunchPlan, Verdict> resolve(const CandidateHeader& header, const Operator& op,
                                          const Bindings& axes, const Bindings& tunables,
                                          const DeviceLimits& limits);

Json to_json(const LaunchPlan& plan);
Result<LaunchPlan> launch_plan_from_json(const Json& json);

}  // namespace kevolve
