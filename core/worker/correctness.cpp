#include "core/worker/correctness.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "core/gates/evidence.hpp"
#include "core/model/stopwatch.hpp"
#include "core/model/subjects.hpp"
#include "core/worker/log.hpp"
#include "core/worker/session.hpp"

namespace kevolve {
namespace {

constexpr double kMaxSeconds = 60;  // then no further distributions, but never fewer than these
constexpr std::size_t kFewestDistributions = 3;
// A kernel so much slower than PyTorch, or than the kernels it will be timed beside, is judged with fewer
// repetitions: it will never be a champion. (On a GPU; the cpu device's repetitions run under different
// orders of the threads, and all are needed.)
constexpr double kHopeless = 20;
constexpr std::size_t kHopelessDistributions = 5, kHopelessRepetitions = 2;
constexpr double kHopelessSeconds = 0.2;      // then the fewest distributions are enough
constexpr std::uint64_t kHoldoutDraws = 100;  // numbers of the hold-outs' draws

std::string_view order_text(ThreadOrder order) {
  switch (order) {
    case ThreadOrder::forward:
      return "forward";
    case ThreadOrder::reverse:
      return "reverse";
    case ThreadOrder::shuffled:
      return "shuffled";
  }
  return "";
}

class Check {
 public:
  Check(Device& device, Judge& judge, const CompiledSubject& subject, const Seed& seed,
        const Standing& standing, Correctness& record)
      : device_(device),
        memory_(*device.memory()),
        judge_(judge),
        subject_(subject),
        seed_(seed),
        standing_(standing),
        record_(record) {}

  /// Starts the runner, with one set of buffers flush with each of its guards.
  Result<void> start(const Draw& first) {
    const auto eager_us = judge_.time_us(std::string(subjects::kEager), first);
    if (!eager_us) return failure(eager_us.error());
    if (!standing_.contender && !device_.times_on_host())
      hopeless_us_ = kHopeless * std::min(*eager_us, standing_.rival_us.value_or(*eager_us));
    auto session = Session::start(device_, judge_.op(), subject_, run_deadline(*eager_us));
    if (!session) return failure(session.error());
    session_.emplace(std::move(*session));
    for (const Placement placement : {Placement::flush_right, Placement::flush_left}) {
      if (auto added = session_->add_set(placement); !added) return added;
    }
    return {};
  }

  [[nodiscard]] std::optional<Session> release_session() { return std::move(session_); }

  /// Whether the last run took so long that nothing can be won.
  [[nodiscard]] bool hopeless() const { return hopeless_us_ > 0 && last_us_ > hopeless_us_; }

  /// One run and one whole comparison.
  Result<Verdict> once(const Draw& draw, const Pass& pass) {
    auto report = run(draw, pass);
    if (!report || !report->passed()) return report;
    return compared(draw, session_->outputs(pass.set), pass);
  }

  /// The same inputs under several thread orders, placements and poisons.
  Result<Verdict> thoroughly(const Draw& draw) {
    const Pass first{.set = 0, .poison = kPoisons[0]};
    std::vector<Pass> others{
        {.set = 1, .poison = kPoisons[1]},
        {.set = 0, .poison = kPoisons[1], .order = ThreadOrder::reverse},
        {.set = 1, .poison = kPoisons[2], .order = ThreadOrder::shuffled, .order_seed = seed_.bits[0]},
        {.set = 0, .poison = kPoisons[2], .order = ThreadOrder::shuffled, .order_seed = seed_.bits[1]}};
    auto report = run(draw, first);
    if (!report || !report->passed()) return report;
    const auto copies = session_->copy_outputs(0);
    if (!copies) return failure(copies.error());
    const std::vector<Elements> before = views(*copies);
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

 private:
  /// Runs, and looks for damage.
  Result<Verdict> run(const Draw& draw, const Pass& pass) {
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

  Verdict compared(const Draw& draw, const std::vector<Elements>& outputs, const Pass& pass) {
    return compare_outputs(memory_, draw, outputs, judge_.op().precision, pass.poison, record_);
  }

  [[nodiscard]] std::vector<Elements> views(const Copies& copies) const {
    std::vector<Elements> all = session_->outputs(0);
    for (std::size_t o = 0; o < all.size(); ++o) all[o].data = copies[o].get();
    return all;
  }

  /// Elements that hold the poison in two runs with different poisons were written in neither.
  std::optional<Verdict> unwritten(const Draw& draw, const std::vector<Elements>& was, const Pass& first,
                                   const Pass& pass) {
    if (first.poison == pass.poison) return std::nullopt;
    const auto now = session_->outputs(pass.set);
    for (std::size_t o = 0; o < was.size(); ++o) {
      if (memory_.unwritten_in_both(was[o], first.poison, now[o], pass.poison).empty()) continue;
      const Comparison result = memory_.compare(draw.outputs[o], was[o], judge_.op().precision, first.poison);
      return Verdict{Outcome::unwritten, Gate::correctness, result.evidence};
    }
    return std::nullopt;
  }

  /// Two runs of one deterministic kernel on the same inputs must agree bit for bit.
  Result<Verdict> disagreement(const Draw& draw, const std::vector<Elements>& was, const Pass& first,
                               const Pass& pass) {
    const auto now = session_->outputs(pass.set);
    for (std::size_t o = 0; o < was.size(); ++o) {
      const std::size_t at = memory_.first_difference(was[o], now[o]);
      if (at == was[o].count) continue;
      const std::string element = element_name(draw.outputs[o].output, draw.outputs[o].shape, at);
      const std::string values = fmt::format(
          "{} is {} in one run and {} in another on the same inputs (draw '{}')", element,
          number_text(memory_.at(was[o], at)), number_text(memory_.at(now[o], at)), draw.distribution);
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
          fmt::format(
              "{}: the result depends on the order of threads or blocks (here {} and {}). Look for a "
              "missing __syncthreads(), or for several threads writing the same place; floating-point "
              "atomics need \"deterministic\": false in the header.",
              values, order_text(first.order), order_text(pass.order))};
    }
    return Verdict{Outcome::passed, Gate::correctness, ""};
  }

  static Verdict memory_verdict(const std::string& values) {
    return {
        Outcome::wrong_result, Gate::correctness,
        values +
            ": the result depends on what outputs, scratch or shared memory held before the run, or on where "
            "the buffers lie. Write every scratch element before reading it, or ask for an \"init\"."};
  }

  Device& device_;
  Memory& memory_;
  Judge& judge_;
  const CompiledSubject& subject_;
  const Seed seed_;
  const Standing standing_;
  Correctness& record_;
  std::optional<Session> session_;
  double hopeless_us_ = 0, last_us_ = 0;
};

/// Another combination of placement, order and poison for each further draw.
Pass pass_for(std::size_t k, const Seed& seed) {
  constexpr ThreadOrder kOrders[] = {ThreadOrder::forward, ThreadOrder::reverse, ThreadOrder::shuffled};
  return {.set = k % 2, .poison = kPoisons[k % 3], .order = kOrders[k % 3], .order_seed = seed.bits[0] + k};
}

Result<Verdict> check_workload(Device& device, Judge& judge, const Workload& workload,
                               const CompiledSubject& subject, DrawPool& draws, const Seed& seed,
                               const Standing& standing, Correctness& record) {
  const Stopwatch watch;
  const Distribution& timed = timed_distribution(judge.op());
  const auto first = draws.get(judge, workload.axes, timed, 0);
  if (!first) return failure(first.error());
  Check check(device, judge, subject, seed, standing, record);
  if (auto started = check.start(**first); !started) return failure(started.error());
  auto verdict = check.thoroughly(**first);
  std::size_t done = 1;
  for (const Distribution& distribution : judge.op().distributions) {
    if (!verdict || !verdict->passed()) return verdict;
    if (&distribution == &timed) continue;
    if (done >= kFewestDistributions && watch.seconds() > kMaxSeconds) {
      log_line("distributions_limited", {{"operator", judge.op().name},
                                         {"workload", workload.name},
                                         {"checked", std::to_string(done)},
                                         {"of", std::to_string(judge.op().distributions.size())}});
      break;
    }
    const bool enough = done >= kHopelessDistributions ||
                        (done >= kFewestDistributions && watch.seconds() > kHopelessSeconds);
    if (enough && check.hopeless()) break;
    const auto draw = draws.get(judge, workload.axes, distribution, done);
    if (!draw) return failure(draw.error());
    verdict = check.once(**draw, pass_for(done, seed));
    ++done;
  }
  if (verdict && verdict->passed()) record.session = check.release_session();
  return verdict;
}

Result<Verdict> check_holdout(Device& device, Judge& judge, const Bindings& axes,
                              const CompiledSubject& subject, DrawPool& draws, const Seed& seed,
                              std::uint64_t number, const Standing& standing, Correctness& record) {
  auto moved = prepare_at(device, judge.op(), axes, subject);
  if (!moved) return failure(moved.error());
  if (!moved->compiled) return moved->verdict;
  const auto draw = draws.get(judge, axes, timed_distribution(judge.op()), number);
  if (!draw) return failure(draw.error());
  Check check(device, judge, *moved->compiled, seed, standing, record);
  if (auto started = check.start(**draw); !started) return failure(started.error());
  auto verdict = check.once(**draw, pass_for(0, seed));
  if (!verdict || !verdict->passed()) return verdict;
  return check.once(**draw, pass_for(1, seed));
}

std::string bindings_text(const Bindings& bindings) {
  std::string text;
  for (const auto& [name, value] : bindings)
    text += fmt::format("{}{} = {}", text.empty() ? "" : ", ", name, value);
  return text;
}

}  // namespace

std::chrono::milliseconds run_deadline(double eager_us) {
  return std::chrono::milliseconds(5000 + static_cast<std::int64_t>(200 * eager_us / 1000));
}

Verdict compare_outputs(Memory& memory, const Draw& draw, const std::vector<Elements>& outputs,
                        PrecisionClass required, std::optional<std::uint8_t> poison, Correctness& record) {
  for (std::size_t o = 0; o < draw.outputs.size(); ++o) {
    const Comparison result = memory.compare(draw.outputs[o], outputs[o], required, poison);
    keep_worst(record.accuracy, result.accuracy);
    if (result.precision)
      record.precision = std::max(record.precision.value_or(PrecisionClass::exact), *result.precision);
    if (result.right()) continue;
    const bool unwritten = result.wrong > 0 && result.unwritten == result.wrong;
    const Outcome outcome = unwritten          ? Outcome::unwritten
                            : result.precision ? Outcome::wrong_precision
                                               : Outcome::wrong_result;
    return {outcome, Gate::correctness, result.evidence};
  }
  return {Outcome::passed, Gate::correctness, ""};
}

Result<Correctness> check_correctness(Device& device, Judge& judge, const Workload& workload,
                                      const CompiledSubject& subject, DrawPool& draws, const Seed& seed,
                                      const Standing& standing) {
  Correctness out;
  auto verdict = check_workload(device, judge, workload, subject, draws, seed, standing, out);
  for (std::size_t i = 0; verdict && verdict->passed() && i < workload.holdouts.size(); ++i) {
    Bindings axes = workload.axes;
    for (const auto& [name, value] : workload.holdouts[i]) axes[name] = value;
    verdict = check_holdout(device, judge, axes, subject, draws, seed, kHoldoutDraws + i, standing, out);
    if (verdict && !verdict->passed()) {
      verdict->evidence =
          fmt::format("At the hold-out {}: {}", bindings_text(workload.holdouts[i]), verdict->evidence);
    }
  }
  if (!verdict) return failure(verdict.error());
  out.verdict = std::move(*verdict);
  return out;
}

}  // namespace kevolve
