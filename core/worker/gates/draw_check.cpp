#include "core/worker/gates/draw_check.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "core/gates/evidence.hpp"
#include "core/worker/timing_bench.hpp"

namespace kevolve::worker {
namespace {

// A kernel so much slower than PyTorch, or than the kernels it will be timed beside, is judged with fewer
// repetitions: it will never be a champion. (On a GPU; the cpu device's repetitions run under different
// orders of the threads, and all are needed.)
constexpr double kHopeless = 20;
constexpr std::size_t kHopelessRepetitions = 2;

std::string_view order_text(devices::ThreadOrder order) {
  switch (order) {
    case devices::ThreadOrder::forward:
      return "forward";
    case devices::ThreadOrder::reverse:
      return "reverse";
    case devices::ThreadOrder::shuffled:
      return "shuffled";
  }
  return "";
}

Verdict memory_verdict(const std::string& values) {
  return {
      Outcome::wrong_result, Gate::correctness,
      values +
          ": the result depends on what outputs, scratch or shared memory held before the run, or on where "
          "the buffers lie. Write every scratch element before reading it, or ask for an \"init\"."};
}

}  // namespace

DrawCheck::DrawCheck(Trial& trial, const CompiledSubject& subject, Nearness& nearness)
    : trial_(trial), memory_(*trial.device->memory()), subject_(subject), nearness_(nearness) {}

Result<void> DrawCheck::start(const judge::Draw& first) {
  const devices::Device& device = *trial_.device;
  Court& court = *trial_.court;
  TRY(const double eager_us, court.judge.time_us(std::string(subjects::kEager), first));
  if (!trial_.request.fresh_draws && !device.times_on_host()) {
    const auto rival_us = court.bench.fastest_rival_us(trial_.compare_with);
    hopeless_us_ = kHopeless * std::min(eager_us, rival_us.value_or(eager_us));
  }
  TRY(Session session, Session::start(*trial_.device, *trial_.op, subject_, run_deadline(eager_us)));
  session_.emplace(std::move(session));
  for (const devices::Placement placement :
       {devices::Placement::flush_right, devices::Placement::flush_left}) {
    TRY_DO(session_->add_set(placement));
  }
  return {};
}

Result<Verdict> DrawCheck::once(const judge::Draw& draw, const Pass& pass) {
  auto report = run(draw, pass);
  if (!report || !report->passed()) return report;
  return compared(draw, session_->outputs(pass.set), pass);
}

Result<Verdict> DrawCheck::thoroughly(const judge::Draw& draw) {
  const Pass first{.set = 0, .poison = gates::kPoisons[0]};
  std::vector<Pass> others{{.set = 1, .poison = gates::kPoisons[1]},
                           {.set = 0, .poison = gates::kPoisons[1], .order = devices::ThreadOrder::reverse},
                           {.set = 1,
                            .poison = gates::kPoisons[2],
                            .order = devices::ThreadOrder::shuffled,
                            .order_seed = trial_.court->seed.bits[0]},
                           {.set = 0,
                            .poison = gates::kPoisons[2],
                            .order = devices::ThreadOrder::shuffled,
                            .order_seed = trial_.court->seed.bits[1]}};
  auto report = run(draw, first);
  if (!report || !report->passed()) return report;
  const auto copies = session_->copy_outputs(0);
  if (!copies) return failure(copies.error());
  const std::vector<gates::Elements> before = views(*copies);
  if (hopeless()) others.resize(kHopelessRepetitions);
  for (const Pass& pass : others) {
    report = run(draw, pass);
    if (!report || !report->passed()) return report;
    if (auto verdict = unwritten(draw, before, first, pass)) return *verdict;
    if (subject_.header.deterministic) {
      auto verdict = disagreement(draw, before, first, pass);
      if (!verdict || !verdict->passed()) return verdict;
    } else if (auto verdict = compared(draw, session_->outputs(pass.set), pass); !verdict.passed()) {
      return verdict;
    }
  }
  return compared(draw, before, first);
}

Result<Verdict> DrawCheck::run(const judge::Draw& draw, const Pass& pass) {
  session_->write_inputs(pass.set, draw);
  const auto report = session_->run(pass, draw);
  if (!report) return failure(report.error());
  last_us_ = report->wall_us;
  if (!report->verdict.passed()) {
    Verdict verdict = report->verdict;
    verdict.evidence +=
        fmt::format(" (draw '{}', thread order {})", draw.distribution, order_text(pass.order));
    return verdict;
  }
  if (auto damage = session_->damage(pass.set, draw)) return *damage;
  return Verdict{Outcome::passed, Gate::correctness, ""};
}

Verdict DrawCheck::compared(const judge::Draw& draw, const std::vector<gates::Elements>& outputs,
                            const Pass& pass) {
  return compare_outputs(memory_, draw, outputs, trial_.op->precision, pass.poison, nearness_);
}

std::vector<gates::Elements> DrawCheck::views(const Copies& copies) const {
  std::vector<gates::Elements> all = session_->outputs(0);
  for (std::size_t o = 0; o < all.size(); ++o) all[o].data = copies[o].get();
  return all;
}

std::optional<Verdict> DrawCheck::unwritten(const judge::Draw& draw, const std::vector<gates::Elements>& was,
                                            const Pass& first, const Pass& pass) {
  if (first.poison == pass.poison) return std::nullopt;
  const auto now = session_->outputs(pass.set);
  for (std::size_t o = 0; o < was.size(); ++o) {
    if (memory_.unwritten_in_both(was[o], first.poison, now[o], pass.poison).empty()) continue;
    const gates::Comparison result =
        memory_.compare(draw.outputs[o], was[o], trial_.op->precision, first.poison);
    return Verdict{Outcome::unwritten, Gate::correctness, result.evidence};
  }
  return std::nullopt;
}

Result<Verdict> DrawCheck::disagreement(const judge::Draw& draw, const std::vector<gates::Elements>& was,
                                        const Pass& first, const Pass& pass) {
  const auto now = session_->outputs(pass.set);
  for (std::size_t o = 0; o < was.size(); ++o) {
    const std::size_t at = memory_.first_difference(was[o], now[o]);
    if (at == was[o].count) continue;
    const std::string element = gates::element_name(draw.outputs[o].output, draw.outputs[o].shape, at);
    const std::string values =
        fmt::format("{} is {} in one run and {} in another on the same inputs (draw '{}')", element,
                    gates::number_text(memory_.at(was[o], at)), gates::number_text(memory_.at(now[o], at)),
                    draw.distribution);
    // Is it the order of the threads? Then it shows in the very memory of the first run, too.
    Pass again = first;
    again.order = pass.order;
    again.order_seed = pass.order_seed;
    auto report = run(draw, again);
    if (!report || !report->passed()) return report;
    if (memory_.first_difference(was[o], session_->outputs(again.set)[o]) == was[o].count)
      return memory_verdict(values);
    return Verdict{
        Outcome::race, Gate::correctness,
        fmt::format("{}: the result depends on the order of threads or blocks (here {} and {}). Look for a "
                    "missing __syncthreads(), or for several threads writing the same place; floating-point "
                    "atomics need \"deterministic\": false in the header.",
                    values, order_text(first.order), order_text(pass.order))};
  }
  return Verdict{Outcome::passed, Gate::correctness, ""};
}

}  // namespace kevolve::worker
