#pragma once
// Profiler: hardware counters of whatever a runner launches, through CUPTI's range profiler. Used inside the
// process whose context makes the launches; it judges nothing (core/gates/profile.hpp does).
//
// The GPU counts only so many things at a time, so the launches are repeated once for each pass ("user
// replay"), one range around all of them. A range begins and ends on the GPU: gaps between launches are part
// of it, and a few microseconds of the profiler's own.
//
// Holds the device's primary context. One thread, the one in which that context is current.

#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "core/devices/cuda/cupti.hpp"
#include "core/devices/cuda/driver.hpp"

namespace kevolve::cuda {

class Profiler {
 public:
  using Action = std::function<Result<void>()>;

  /// `library`: of find_cupti(). The error says why counters cannot be read and what lifts the cause: no
  /// library, no permission, a GPU that is virtual, split or too old.
  static Result<std::unique_ptr<Profiler>> open(const std::filesystem::path& library, int device);
  Profiler(const Profiler&) = delete;
  Profiler& operator=(const Profiler&) = delete;
  ~Profiler();

  [[nodiscard]] const std::string& chip() const { return chip_; }  ///< "GH100"

  /// Values by metric name, of those metrics that the chip has. `replay` makes the launches and waits for
  /// them; it is called once uncounted, so that lazily loaded code is there, then once for each pass.
  /// `before` runs ahead of each call and is not counted: fills, emptied caches.
  Result<std::map<std::string, double>> collect(const std::vector<std::string>& metrics, const Action& replay,
                                                const Action& before = {});

 private:
  Profiler(const Driver& driver, const Cupti& cupti) : driver_(&driver), cupti_(cupti) {}
  Result<void> begin(int device);
  Result<void> require_support() const;
  void read_availability();
  Result<void> run_passes(CUpti_RangeProfiler_Object* ranges, std::size_t passes, const Action& replay,
                          const Action& before) const;

  const Driver* driver_;
  Cupti cupti_;
  CUdevice device_ = 0;
  CUcontext context_ = nullptr;
  bool begun_ = false;
  std::string chip_;
  std::vector<std::uint8_t> availability_;  ///< empty: unknown
};

}  // namespace kevolve::cuda
