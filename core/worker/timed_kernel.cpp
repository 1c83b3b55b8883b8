#include "core/worker/timed_kernel.hpp"

#include <fmt/format.h>

#include "core/gates/evidence.hpp"
#include "core/worker/compare_outputs.hpp"

namespace kevolve::worker {
namespace {

Verdict at_timing(Verdict verdict) {
  verdict.gate = Gate::timing;
  return verdict;
}

}  // namespace

Result<Verdict> TimedKernel::warm_up(std::size_t set, const judge::Draw& draw) {
  auto verdict = run(set, draw, {.set = set, .poison = gates::kPoisons[set % 3]});
  if (!verdict || !verdict->passed()) return verdict;
  auto copies = session_.copy_outputs(first_set_ + set);
  if (!copies) return failure(copies.error());
  verified_.push_back(std::move(*copies));
  return compared(draw, set, gates::kPoisons[set % 3]);
}

/// A set of other inputs, so that nothing which a rehearsal may leave is of use.
std::optional<std::size_t> TimedKernel::rehearsal_for(std::size_t set) const {
  if (wall_us_ > kShortUs || warm_sets() < 2) return std::nullopt;
  return first_set_ + (set + 1) % warm_sets();
}

Result<Verdict> TimedKernel::sample(std::size_t set, const judge::Draw& draw, std::size_t number) {
  if (set >= warm_sets()) {
    if (auto warm = warm_up(set, draw); !warm || !warm->passed()) return warm;
  }
  const std::uint8_t pattern = gates::kPoisons[number % 3];
  auto verdict =
      run(set, draw, {.set = set, .poison = pattern, .timed = true, .rehearsal = rehearsal_for(set)});
  if (!verdict || !verdict->passed()) return verdict;
  *verdict = verified(draw, set, pattern);
  if (!verdict->passed()) return verdict;
  samples_us.push_back(wall_us_);
  sm_mhz.push_back(sm_mhz_);
  if (session_.prepare_us()) prepare_us.push_back(*session_.prepare_us());
  return verdict;
}

Result<Verdict> TimedKernel::run(std::size_t set, const judge::Draw& draw, Pass pass) {
  pass.set = first_set_ + set;
  const auto report = session_.run(pass, draw);
  if (!report) return failure(report.error());
  if (!report->verdict.passed()) return at_timing(report->verdict);
  if (auto damage = session_.damage(pass.set, draw)) return at_timing(*damage);
  wall_us_ = report->wall_us;
  sm_mhz_ = report->sm_mhz;
  return Verdict{Outcome::passed, Gate::timing, ""};
}

Verdict TimedKernel::compared(const judge::Draw& draw, std::size_t set, std::uint8_t pattern) const {
  Nearness ignored;
  return at_timing(
      compare_outputs(*memory_, draw, session_.outputs(first_set_ + set), required_, pattern, ignored));
}

Verdict TimedKernel::verified(const judge::Draw& draw, std::size_t set, std::uint8_t pattern) const {
  if (!session_.subject().header.deterministic) return compared(draw, set, pattern);
  const std::vector<gates::Elements> outputs = session_.outputs(first_set_ + set);
  for (std::size_t o = 0; o < outputs.size(); ++o) {
    const gates::Elements& now = outputs[o];
    const gates::Elements right{now.dtype, verified_[set][o].get(), now.count};
    const std::size_t at = memory_->first_difference(now, right);
    if (at == now.count) continue;
    return {
        memory_->holds_poison(now, at, pattern) ? Outcome::unwritten : Outcome::race, Gate::timing,
        fmt::format(
            "{} is {} in a timed run, but {} in the verified run on the same inputs: every run must do the "
            "same work.",
            gates::element_name(draw.outputs[o].output, draw.outputs[o].shape, at),
            gates::number_text(memory_->at(now, at)), gates::number_text(memory_->at(right, at)))};
  }
  return {Outcome::passed, Gate::timing, ""};
}

}  // namespace kevolve::worker
