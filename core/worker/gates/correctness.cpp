#include "core/worker/gates/correctness.hpp"

#include <fmt/format.h>

#include "core/gates/tensor_cores.hpp"
#include "core/process/log.hpp"
#include "core/process/stopwatch.hpp"
#include "core/text/words.hpp"
#include "core/worker/gates/compile.hpp"
#include "core/worker/gates/draw_check.hpp"

namespace kevolve::worker {
namespace {

constexpr double kMaxSeconds = 60;  // then no further distributions, but never fewer than these
constexpr std::size_t kFewestDistributions = 3;
constexpr std::size_t kHopelessDistributions = 5;  // enough for a candidate without hope
constexpr double kHopelessSeconds = 0.2;           // then the fewest distributions are enough for it
constexpr std::uint64_t kHoldoutDraws = 100;       // numbers of the hold-outs' draws

/// Another combination of placement, order and poison for each further draw.
Pass pass_for(std::size_t k, const gates::Seed& seed) {
  constexpr devices::ThreadOrder kOrders[] = {devices::ThreadOrder::forward, devices::ThreadOrder::reverse,
                                              devices::ThreadOrder::shuffled};
  return {.set = k % 2,
          .poison = gates::kPoisons[k % 3],
          .order = kOrders[k % 3],
          .order_seed = seed.bits[0] + k};
}

/// Whether a candidate that took `seconds` for `done` distributions has seen enough of them.
bool enough(std::size_t done, double seconds, bool hopeless) {
  if (done >= kFewestDistributions && seconds > kMaxSeconds) return true;
  return hopeless &&
         (done >= kHopelessDistributions || (done >= kFewestDistributions && seconds > kHopelessSeconds));
}

void log_limited(const Trial& trial, std::size_t done) {
  process::log_line("distributions_limited", {{"operator", trial.op->name},
                                              {"workload", trial.workload->name},
                                              {"checked", std::to_string(done)},
                                              {"of", std::to_string(trial.op->distributions.size())}});
}

/// Every distribution at the workload's own axes.
Result<Verdict> check_workload(Trial& trial, Nearness& nearness) {
  Court& court = *trial.court;
  const process::Stopwatch watch;
  const Bindings& axes = trial.workload->axes;
  const Distribution& timed = timed_distribution(*trial.op);
  TRY(const auto first, court.draws.get(court.judge, axes, timed, 0));
  DrawCheck check(trial, *trial.candidate, nearness);
  TRY_DO(check.start(*first));
  auto verdict = check.thoroughly(*first);
  std::size_t done = 1;
  for (const Distribution& distribution : trial.op->distributions) {
    if (!verdict || !verdict->passed()) return verdict;
    if (&distribution == &timed) continue;
    if (enough(done, watch.seconds(), check.hopeless())) {
      if (watch.seconds() > kMaxSeconds) log_limited(trial, done);
      break;
    }
    TRY(const auto draw, court.draws.get(court.judge, axes, distribution, done));
    verdict = check.once(*draw, pass_for(done, court.seed));
    ++done;
  }
  if (verdict && verdict->passed()) trial.session = check.release_session();
  return verdict;
}

/// The timed distribution at a hold-out's axes, twice. `number`: of the draw.
Result<Verdict> check_holdout(Trial& trial, const Bindings& axes, std::uint64_t number, Nearness& nearness) {
  Court& court = *trial.court;
  TRY(const auto moved, compiled_at(*trial.device, *trial.op, axes, *trial.candidate));
  if (!moved) return moved.error();
  TRY(const auto draw, court.draws.get(court.judge, axes, timed_distribution(*trial.op), number));
  DrawCheck check(trial, *moved, nearness);
  TRY_DO(check.start(*draw));
  auto verdict = check.once(*draw, pass_for(0, court.seed));
  if (!verdict || !verdict->passed()) return verdict;
  return check.once(*draw, pass_for(1, court.seed));
}

Result<Verdict> check_holdouts(Trial& trial, Nearness& nearness) {
  std::uint64_t number = kHoldoutDraws;
  for (const Bindings& holdout : trial.workload->holdouts) {
    Bindings axes = trial.workload->axes;
    for (const auto& [name, value] : holdout) axes[name] = value;
    auto verdict = check_holdout(trial, axes, number++, nearness);
    if (!verdict) return verdict;
    if (verdict->passed()) continue;
    verdict->evidence = fmt::format("At the hold-out {}: {}", in_equations(holdout), verdict->evidence);
    return verdict;
  }
  return Verdict{Outcome::passed, Gate::correctness, ""};
}

Result<Verdict> run_correctness(Trial& trial) {
  Nearness nearness;
  auto verdict = check_workload(trial, nearness);
  if (verdict && verdict->passed()) verdict = check_holdouts(trial, nearness);
  if (verdict && nearness.precision) {
    trial.record.precision = gates::allowed_class(trial.candidate->binary.report, *nearness.precision);
    trial.record.accuracy = nearness.accuracy;
  }
  return verdict;
}

}  // namespace

GateCheck correctness_gate() {
  return {Gate::correctness, Phase::alone, run_correctness};
}

}  // namespace kevolve::worker
