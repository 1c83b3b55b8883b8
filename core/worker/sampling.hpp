#pragma once
// Sampling: the candidate, the kernels to compare with and PyTorch's baselines take their samples side by
// side, in random order, until enough is known. One candidate's, from the first sample to the summary.
//
// One thread. Trial and draws must outlive it.

#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "core/gates/statistics.hpp"
#include "core/worker/timed_baselines.hpp"
#include "core/worker/timed_kernel.hpp"
#include "core/worker/trial.hpp"

namespace kevolve::worker {

inline constexpr std::size_t kTimedDraws = 2;  ///< sets of buffers that the samples rotate over

struct Timing {
  Verdict verdict{Outcome::passed, Gate::timing, ""};
  std::vector<Measurement> measurements;  ///< "candidate" first
  std::optional<double> prepare_us;
  std::optional<Witness> witness;
  gates::Ratio speedup{0, {0, 0}};              ///< against the yardstick; 0 without one
  std::string stopped;                          ///< why sampling stopped, for the log
  std::map<std::string, std::string> left_out;  ///< baselines that could not be timed, and why
};

/// Who is timed: kernels, the candidate first, and baselines.
struct Field {
  std::vector<TimedKernel*> kernels;
  ChosenBaselines baselines;
};

class Sampling {
 public:
  Sampling(const Trial& trial, const std::vector<std::shared_ptr<const judge::Draw>>& draws, Field field)
      : trial_(trial), draws_(draws), field_(std::move(field)) {}

  /// Until a stopping rule holds. An Error is operational: a kernel to compare with or a baseline failed.
  Result<Verdict> run();
  [[nodiscard]] Timing summary() const;

 private:
  Result<Verdict> sample(std::size_t who, std::size_t number);
  Result<Verdict> sample_baseline(TimedBaseline& baseline, std::size_t number);
  [[nodiscard]] Measurement measured(const std::string& subject, const std::vector<double>& samples,
                                     const std::vector<double>& sm_mhz) const;
  /// What speed-ups are against: what the request names, else the first kernel, else the first baseline.
  /// Without any, one that nothing is slower than: sampling stops on the candidate's own spread.
  [[nodiscard]] std::vector<double> yardstick() const;
  /// Decides whether more samples are worth their time: the strongest rival, which is named last.
  [[nodiscard]] std::vector<double> rival() const;

  const Trial& trial_;
  const std::vector<std::shared_ptr<const judge::Draw>>& draws_;
  Field field_;
  std::string stopped_;
};

}  // namespace kevolve::worker
