#include "core/worker/gates/timing.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "core/gates/evidence.hpp"
#include "core/process/log.hpp"
#include "core/worker/timing_bench.hpp"

namespace kevolve::worker {
namespace {

/// A time below this share of the physical limit is a mistake of the measurement or a trick.
constexpr double kImpossible = 0.5;

/// The least time that the workload's bytes and operations need on the device; 0 where that is unknown.
double floor_us(const Trial& trial) {
  const Operator& op = *trial.op;
  const PrecisionClass precision = std::max(trial.record.precision.value_or(op.precision), op.precision);
  const double bytes = static_cast<double>(op.bytes.evaluate(trial.workload->axes).value_or(0));
  const double flops = static_cast<double>(op.flops.evaluate(trial.workload->axes).value_or(0));
  const double bytes_per_us = trial.device->copy_bytes_per_us();
  const double flops_per_us = trial.device->flops_per_us(precision);
  return std::max(bytes_per_us > 0 ? bytes / bytes_per_us : 0, flops_per_us > 0 ? flops / flops_per_us : 0);
}

/// What timing says if the physical limit lets it.
Verdict believed(const Evaluation& record, const Timing& timing) {
  if (!timing.verdict.passed()) return timing.verdict;
  const double median_us = record.measurements.front().median_us;
  if (median_us >= kImpossible * record.floor_us) return timing.verdict;
  return {Outcome::quarantined, Gate::timing,
          fmt::format(
              "The median of {} us is below half of the physical limit of {} us, which moving the workload's "
              "bytes or doing its operations takes on this device. Such a time is not believed.",
              gates::number_text(median_us), gates::number_text(record.floor_us))};
}

void log_timed(const Trial& trial, const std::string& stopped) {
  const Measurement& own = trial.record.measurements.front();
  process::log_line("timed", {{"id", trial.request.id},
                              {"samples", std::to_string(own.samples_us.size())},
                              {"median_us", gates::number_text(own.median_us)},
                              {"stopped", stopped}});
}

Result<Verdict> run_timing(Trial& trial) {
  TRY(Timing timing, trial.court->bench.time(trial));
  Evaluation& record = trial.record;
  trial.left_out = std::move(timing.left_out);
  record.measurements = std::move(timing.measurements);
  record.prepare_us = timing.prepare_us;
  record.witness = std::move(timing.witness);
  record.speedup = timing.speedup.median;
  record.speedup_low = timing.speedup.interval.low;
  record.floor_us = floor_us(trial);
  if (timing.verdict.passed()) log_timed(trial, timing.stopped);
  return believed(record, timing);
}

}  // namespace

GateCheck timing_gate() {
  return {Gate::timing, Phase::alone, run_timing};
}

}  // namespace kevolve::worker
