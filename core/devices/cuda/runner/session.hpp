#pragma once
// Session: one loaded candidate and the sets of buffers bound to it, on the GPU. Lives as long as the
// process; one thread. After an ending that did not pass, the context may be broken and the process must end.

#include <array>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/devices/cuda/context.hpp"
#include "core/devices/cuda/runner/mapped_buffer.hpp"
#include "core/model/launch_plan.hpp"
#include "core/process/unique_fd.hpp"

namespace kevolve::cuda::runner {

/// How a run ended.
struct Ending {
  Outcome outcome = Outcome::passed;
  std::string evidence;
  double device_us = 0, sm_mhz = 0;
};

class Session {
 public:
  Session(Context& context, Program candidate, LaunchPlan plan)
      : context_(context),
        driver_(context.driver()),
        candidate_(std::move(candidate)),
        plan_(std::move(plan)) {}
  Session(const Session&) = delete;

  Result<void> bind(const std::vector<channel::BufferPlace>& places,
                    const std::vector<process::UniqueFd>& descriptors);
  /// Rehearses on another set when asked, scrubs shared memory, flushes caches when asked, then fills and
  /// launches, timed by events around these.
  Result<Ending> run(const channel::Request& request);
  /// Counters of the plan's launches over a bound set, caches flushed before each pass.
  Result<std::map<std::string, double>> profile(std::uint32_t set, const std::filesystem::path& cupti);
  /// Some runs as if timed, traced by CUPTI: its timestamps are the GPU's own, taken without our events.
  Result<Witness> witness(std::uint32_t set, const std::filesystem::path& cupti);

 private:
  union Value {
    std::uint64_t bits;
    CUtensorMap map;  // 64-byte aligned, as the hardware wants it
  };
  struct BoundLaunch {
    CUfunction kernel = nullptr;
    std::vector<Value> values;
    std::vector<void*> arguments;  ///< pointers into `values`
  };
  struct BoundSet {
    std::vector<MappedBuffer> buffers;
    std::vector<BoundLaunch> launches, prepare;
  };

  Result<BoundLaunch> bind_launch(const PlannedLaunch& launch, const BoundSet& set, const std::string& field);
  [[nodiscard]] std::string wrong_arguments(const PlannedLaunch& launch, CUfunction kernel) const;
  /// Once a launch: limits that must be raised, and a cooperative grid's co-residency.
  void admit(const PlannedLaunch& launch, CUfunction kernel, const std::string& field);
  Result<void> prepare_pass(const BoundSet& set) const;
  Result<void> launch_all(BoundSet& set) const;
  Result<void> fill_all(const BoundSet& set, bool before_prepare) const;
  /// Launches the plan over a set, queued only; what it was refused for, or nothing.
  std::optional<Result<Ending>> rehearse(std::uint32_t number);
  CUresult fill(const PlannedBuffer& planned, CUdeviceptr data) const;
  CUresult launch(const PlannedLaunch& planned, BoundLaunch& bound) const;
  [[nodiscard]] Ending faulted(CUresult result, const std::vector<PlannedLaunch>& launches) const;
  [[nodiscard]] Ending refused(CUresult result, const PlannedLaunch& launch, const std::string& field) const;

  Context& context_;
  const Driver& driver_;
  Program candidate_;
  LaunchPlan plan_;
  std::vector<BoundSet> sets_;
  std::string refusal_;  ///< why the plan cannot be launched here; told at the first run
};

}  // namespace kevolve::cuda::runner
