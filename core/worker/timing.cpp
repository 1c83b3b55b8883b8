#include "core/worker/timing.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <random>

#include "core/gates/evidence.hpp"
#include "core/model/stopwatch.hpp"
#include "core/worker/correctness.hpp"
#include "core/worker/session.hpp"

namespace kevolve {
namespace {

constexpr std::size_t kDraws = 2;           // sets of buffers that the samples rotate over
constexpr std::uint64_t kFirstDraw = 1000;  // numbers that correctness has not used

/// A kernel under the clock: its runner, and its verified outputs for each draw.
class TimedKernel {
 public:
  TimedKernel(Memory& memory, PrecisionClass required, Session session)
      : memory_(&memory), required_(required), session_(std::move(session)) {}

  /// Untimed, compared with the oracle: what timed runs are verified against.
  Result<Verdict> warm_up(std::size_t set, const Draw& draw) {
    auto verdict = run(set, draw, {.set = set, .poison = kPoisons[set % 3]});
    if (!verdict || !verdict->passed()) return verdict;
    auto copies = session_.copy_outputs(set);
    if (!copies) return failure(copies.error());
    verified_.push_back(std::move(*copies));
    return compared(draw, set, kPoisons[set % 3]);
  }

  /// One timed run; its time is kept only when its output is right.
  Result<Verdict> sample(std::size_t set, const Draw& draw, std::size_t number) {
    const std::uint8_t pattern = kPoisons[number % 3];
    auto verdict = run(set, draw, {.set = set, .poison = pattern, .timed = true});
    if (!verdict || !verdict->passed()) return verdict;
    *verdict = verified(draw, set, pattern);
    if (!verdict->passed()) return verdict;
    samples_us.push_back(wall_us_);
    if (session_.prepare_us()) prepare_us.push_back(*session_.prepare_us());
    return verdict;
  }

  Session& session() { return session_; }
  [[nodiscard]] const std::string& name() const { return session_.subject().subject.name; }

  std::vector<double> samples_us, prepare_us;

 private:
  Result<Verdict> run(std::size_t set, const Draw& draw, const Pass& pass) {
    const auto report = session_.run(pass, draw);
    if (!report) return failure(report.error());
    if (!report->verdict.passed()) return at_timing(report->verdict);
    if (auto damage = session_.damage(set, draw)) return at_timing(*damage);
    wall_us_ = report->wall_us;
    return Verdict{Outcome::passed, Gate::timing, ""};
  }

  Verdict compared(const Draw& draw, std::size_t set, std::uint8_t pattern) const {
    Correctness ignored;
    return at_timing(compare_outputs(*memory_, draw, session_.outputs(set), required_, pattern, ignored));
  }

  Verdict verified(const Draw& draw, std::size_t set, std::uint8_t pattern) const {
    if (!session_.subject().header.deterministic) return compared(draw, set, pattern);
    const std::vector<Elements> outputs = session_.outputs(set);
    for (std::size_t o = 0; o < outputs.size(); ++o) {
      const Elements& now = outputs[o];
      const Elements right{now.dtype, verified_[set][o].get(), now.count};
      const std::size_t at = memory_->first_difference(now, right);
      if (at == now.count) continue;
      return {
          memory_->holds_poison(now, at, pattern) ? Outcome::unwritten : Outcome::race, Gate::timing,
          fmt::format(
              "{} is {} in a timed run, but {} in the verified run on the same inputs: every run must do the "
              "same work.",
              element_name(draw.outputs[o].output, draw.outputs[o].shape, at),
              number_text(memory_->at(now, at)), number_text(memory_->at(right, at)))};
    }
    return {Outcome::passed, Gate::timing, ""};
  }

  static Verdict at_timing(Verdict verdict) {
    verdict.gate = Gate::timing;
    return verdict;
  }

  Memory* memory_;
  PrecisionClass required_;
  Session session_;
  std::vector<Copies> verified_;  // by set, by output
  double wall_us_ = 0;
};

struct TimedBaseline {
  std::string name;
  std::vector<double> samples_us;
};

class TimingRun {
 public:
  TimingRun(Device& device, Judge& judge, const TimingPlan& plan, DrawPool& draws, const Seed& seed)
      : device_(device), judge_(judge), plan_(plan), pool_(draws), seed_(seed) {}

  Result<Timing> run() {
    if (auto drawn = draw(); !drawn) return failure(drawn.error());
    auto ready = start(plan_.candidate);
    if (ready && ready->passed()) {
      for (const CompiledSubject& other : plan_.compare_with) {
        ready = start(other);
        if (!ready || !ready->passed()) break;
      }
    }
    if (ready && ready->passed()) ready = sample();
    if (!ready) return failure(ready.error());
    out_.verdict = *ready;
    if (ready->passed()) summarise();
    return std::move(out_);
  }

 private:
  Result<void> draw() {
    const auto& all = judge_.op().distributions;
    const auto timed = std::find_if(all.begin(), all.end(), [](const auto& d) { return d.timed; });
    for (std::size_t d = 0; d < kDraws; ++d) {
      auto drawn =
          pool_.get(judge_, plan_.workload.axes, timed == all.end() ? all.front() : *timed, kFirstDraw + d);
      if (!drawn) return failure(drawn.error());
      draws_.push_back(std::move(*drawn));
    }
    const auto eager_us = judge_.time_us(std::string(kEagerBaseline), *draws_.front());
    if (!eager_us) return failure(eager_us.error());
    deadline_ = run_deadline(*eager_us);
    return choose_baselines();
  }

  /// Those that are there and answer both draws rightly, which also warms them up.
  Result<void> choose_baselines() {
    for (const std::string& name : plan_.baselines) {
      const auto again = [&](const TimedBaseline& other) { return other.name == name; };
      if (std::any_of(baselines_.begin(), baselines_.end(), again)) continue;
      const std::string fault = baseline_fault(name);
      if (fault.empty()) {
        baselines_.push_back({name, {}});
      } else if (name == plan_.yardstick) {
        return failure("the yardstick: " + fault);
      } else {
        out_.left_out[name] = fault;
      }
    }
    return check_yardstick();
  }

  [[nodiscard]] Result<void> check_yardstick() const {
    const auto named = [&](const auto& all, const auto& name_of) {
      return std::any_of(all.begin(), all.end(),
                         [&](const auto& one) { return name_of(one) == plan_.yardstick; });
    };
    if (plan_.yardstick.empty() || named(plan_.baselines, [](const auto& name) { return name; }) ||
        named(plan_.compare_with, [](const auto& kernel) { return kernel.subject.name; }))
      return {};
    return failure(fmt::format("yardstick '{}': neither a kernel of compare_with nor one of the baselines",
                               plan_.yardstick));
  }

  /// Why a baseline cannot be timed; "" when it can.
  std::string baseline_fault(const std::string& name) {
    const auto missing = judge_.missing(name, plan_.workload.axes);
    if (!missing) return missing.error().message;
    if (*missing) return **missing;
    for (const auto& draw : draws_) {
      if (const auto time = judge_.time_us(name, *draw); !time) return time.error().message;
    }
    return {};
  }

  /// Starts a kernel's runner over its own outputs and the shared inputs, and verifies it on both draws.
  Result<Verdict> start(const CompiledSubject& subject) {
    auto session = Session::start(device_, judge_.op(), subject, deadline_);
    if (!session) return failure(session.error());
    for (std::size_t set = 0; set < kDraws; ++set) {
      const Buffers inputs = kernels_.empty() ? Buffers{} : kernels_.front().session().inputs(set);
      if (auto added = session->add_set(Placement::flush_right, inputs); !added)
        return failure(added.error());
      if (kernels_.empty()) session->write_inputs(set, *draws_[set]);
    }
    kernels_.emplace_back(*device_.memory(), judge_.op().precision, std::move(*session));
    for (std::size_t set = 0; set < kDraws; ++set) {
      auto verdict = kernels_.back().warm_up(set, *draws_[set]);
      if (!verdict || !verdict->passed()) return blame(kernels_.size() - 1, std::move(verdict));
    }
    return Verdict{Outcome::passed, Gate::timing, ""};
  }

  /// Only the candidate's failure is a verdict.
  Result<Verdict> blame(std::size_t kernel, Result<Verdict> verdict) const {
    if (kernel == 0 || !verdict) return verdict;
    return failure(fmt::format("the kernel to compare with, '{}', failed: {}", kernels_[kernel].name(),
                               verdict->evidence));
  }

  Result<Verdict> sample() {
    std::mt19937_64 random(seed_.bits[0] ^ seed_.bits[1]);
    const Stopwatch watch;
    const StoppingSettings stopping{.min_samples = plan_.settings.min_samples,
                                    .max_samples = plan_.settings.max_samples,
                                    .max_seconds = plan_.settings.max_seconds};
    std::vector<std::size_t> order(kernels_.size() + baselines_.size());
    for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
    for (std::size_t number = 0;; ++number) {
      std::shuffle(order.begin(), order.end(), random);
      for (const std::size_t who : order) {
        auto verdict = who < kernels_.size()
                           ? kernels_[who].sample(number % kDraws, *draws_[number % kDraws], number)
                           : sample_baseline(baselines_[who - kernels_.size()], number);
        if (!verdict || !verdict->passed())
          return who < kernels_.size() ? blame(who, std::move(verdict)) : verdict;
      }
      const auto stop =
          should_stop(rival(), kernels_[0].samples_us, watch.seconds(), stopping, seed_.bits[1]);
      if (!stop) continue;
      out_.stopped = name(*stop);
      return Verdict{Outcome::passed, Gate::timing, ""};
    }
  }

  Result<Verdict> sample_baseline(TimedBaseline& baseline, std::size_t number) {
    device_.flush_caches();
    const auto time = judge_.time_us(baseline.name, *draws_[number % kDraws]);
    if (!time) return failure(time.error());
    baseline.samples_us.push_back(*time);
    return Verdict{Outcome::passed, Gate::timing, ""};
  }

  [[nodiscard]] bool has_yardstick() const { return kernels_.size() > 1 || !baselines_.empty(); }

  /// What speed-ups are against: what the plan names, else the first kernel, else the first baseline. Without
  /// any, one that nothing is slower than: sampling stops on the candidate's own spread.
  [[nodiscard]] std::vector<double> yardstick() const {
    for (std::size_t i = 1; i < kernels_.size(); ++i) {
      if (plan_.yardstick.empty() || kernels_[i].name() == plan_.yardstick) return kernels_[i].samples_us;
    }
    for (const TimedBaseline& baseline : baselines_) {
      if (baseline.name == plan_.yardstick) return baseline.samples_us;
    }
    return baselines_.empty() ? std::vector<double>(kernels_[0].samples_us.size(), 1e30)
                              : baselines_.front().samples_us;
  }

  /// What decides whether more samples are worth their time: the strongest rival, which is named last.
  [[nodiscard]] std::vector<double> rival() const {
    return kernels_.size() > 1 ? kernels_.back().samples_us : yardstick();
  }

  void summarise() {
    const auto add = [&](const std::string& subject, const std::vector<double>& samples) {
      const Interval interval = median_interval(samples, seed_.bits[0]);
      out_.measurements.push_back(
          {subject, device_.timing_mode(), samples, median(samples), interval.low, interval.high});
    };
    add("candidate", kernels_[0].samples_us);
    for (std::size_t i = 1; i < kernels_.size(); ++i) add(kernels_[i].name(), kernels_[i].samples_us);
    for (const TimedBaseline& baseline : baselines_) add(baseline.name, baseline.samples_us);
    if (has_yardstick()) out_.speedup = paired_ratio(yardstick(), kernels_[0].samples_us, seed_.bits[0]);
    if (!kernels_[0].prepare_us.empty()) out_.prepare_us = median(kernels_[0].prepare_us);
  }

  Device& device_;
  Judge& judge_;
  const TimingPlan& plan_;
  DrawPool& pool_;
  const Seed seed_;
  std::chrono::milliseconds deadline_{};
  std::vector<std::shared_ptr<const Draw>> draws_;
  std::vector<TimedKernel> kernels_;  // the candidate first
  std::vector<TimedBaseline> baselines_;
  Timing out_;
};

}  // namespace

Result<Timing> time_candidate(Device& device, Judge& judge, const TimingPlan& plan, DrawPool& draws,
                              const Seed& seed) {
  return TimingRun(device, judge, plan, draws, seed).run();
}

}  // namespace kevolve
