#include "core/worker/timing.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <random>

#include "core/gates/witness.hpp"
#include "core/model/stopwatch.hpp"
#include "core/model/subjects.hpp"
#include "core/worker/correctness.hpp"

namespace kevolve {
namespace {

constexpr std::size_t kDraws = 2;   // sets of buffers that the samples rotate over
constexpr double kLost = 2;         // times the rival's last median: not worth waiting for a quiet device
constexpr double kSlowUs = 20'000;  // such a kernel may have but one sample, and needs but one warm-up for it

bool same(const CompiledSubject& a, const CompiledSubject& b) {
  return a.subject.name == b.subject.name && a.subject.source == b.subject.source &&
         a.subject.tunables == b.subject.tunables;
}

/// The same with what the device's second clock says of the candidate, which may leave nothing proven.
Timing witnessed(Timing timing, TimedKernel& candidate) {
  const auto seen = candidate.witness();
  timing.witness = seen ? *seen : Witness{.unavailable = seen.error().message};
  if (!timing.witness) return timing;
  const auto wrong =
      disagreement(*timing.witness, timing.measurements.front().median_us, candidate.launches());
  if (wrong) timing.verdict = {Outcome::inconclusive, Gate::timing, *wrong};
  return timing;
}

Timing stopped_by(const Verdict& verdict) {
  Timing out;
  out.verdict = verdict;
  return out;
}

Result<void> check_yardstick(const TimingPlan& plan) {
  const auto named = [&](const auto& all, const auto& name_of) {
    return std::any_of(all.begin(), all.end(),
                       [&](const auto& one) { return name_of(one) == plan.yardstick; });
  };
  if (plan.yardstick.empty() || named(plan.baselines, [](const auto& name) { return name; }) ||
      named(plan.compare_with, [](const auto& kernel) { return kernel.subject.name; }))
    return {};
  return failure(fmt::format("yardstick '{}': neither a kernel of compare_with nor one of the baselines",
                             plan.yardstick));
}

using Kernels = std::vector<TimedKernel*>;  // the candidate first

/// One candidate's samples, from the first to the summary.
class Sampling {
 public:
  Sampling(Device& device, Judge& judge, const TimingPlan& plan, Kernels kernels, ChosenBaselines baselines,
           const std::vector<std::shared_ptr<const Draw>>& draws, const Seed& seed)
      : device_(device),
        judge_(judge),
        plan_(plan),
        kernels_(std::move(kernels)),
        baselines_(std::move(baselines)),
        draws_(draws),
        seed_(seed) {}

  Result<Verdict> run() {
    std::mt19937_64 random(seed_.bits[0] ^ seed_.bits[1]);
    const Stopwatch watch;
    const StoppingSettings stopping{.min_samples = plan_.settings.min_samples,
                                    .max_samples = plan_.settings.max_samples,
                                    .max_seconds = plan_.settings.max_seconds,
                                    .beyond_hope = plan_.contender ? 1e30 : StoppingSettings{}.beyond_hope};
    std::vector<std::size_t> order(kernels_.size() + baselines_.timed.size());
    for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
    for (std::size_t number = 0;; ++number) {
      std::shuffle(order.begin(), order.end(), random);
      for (const std::size_t who : order) {
        auto verdict = who < kernels_.size()
                           ? kernels_[who]->sample(number % kDraws, *draws_[number % kDraws], number)
                           : sample_baseline(baselines_.timed[who - kernels_.size()], number);
        if (!verdict) return verdict;
        if (!verdict->passed() && who > 0)
          return failure(fmt::format("the kernel to compare with, '{}', failed: {}", kernels_[who]->name(),
                                     verdict->evidence));
        if (!verdict->passed()) return verdict;
      }
      const auto stop =
          should_stop(rival(), kernels_[0]->samples_us, watch.seconds(), stopping, seed_.bits[1]);
      if (!stop) continue;
      stopped_ = name(*stop);
      return Verdict{Outcome::passed, Gate::timing, ""};
    }
  }

  [[nodiscard]] Timing summary() const {
    Timing out;
    const auto add = [&](const std::string& subject, const std::vector<double>& samples,
                         const std::vector<double>& sm_mhz) {
      const Interval interval = median_interval(samples, seed_.bits[0]);
      const bool known = std::any_of(sm_mhz.begin(), sm_mhz.end(), [](double mhz) { return mhz > 0; });
      out.measurements.push_back({subject, device_.timing_mode(), samples, median(samples), interval.low,
                                  interval.high, known ? sm_mhz : std::vector<double>{}});
    };
    add(std::string(subjects::kCandidate), kernels_[0]->samples_us, kernels_[0]->sm_mhz);
    for (std::size_t i = 1; i < kernels_.size(); ++i)
      add(kernels_[i]->name(), kernels_[i]->samples_us, kernels_[i]->sm_mhz);
    for (const TimedBaseline& baseline : baselines_.timed) {
      add(baseline.name, baseline.samples_us, {});
      out.measurements.back().backend = fmt::format("{}", fmt::join(baseline.backends, ", "));
    }
    if (kernels_.size() > 1 || !baselines_.timed.empty())
      out.speedup = paired_ratio(yardstick(), kernels_[0]->samples_us, seed_.bits[0]);
    if (!kernels_[0]->prepare_us.empty()) out.prepare_us = median(kernels_[0]->prepare_us);
    out.stopped = stopped_;
    out.left_out = baselines_.left_out;
    return out;
  }

 private:
  Result<Verdict> sample_baseline(TimedBaseline& baseline, std::size_t number) {
    const Draw& draw = *draws_[number % kDraws];
    if (!device_.times_on_host() && !baseline.samples_us.empty() && baseline.samples_us.back() < kShortUs) {
      if (const auto rehearsed = judge_.time_us(baseline.name, draw); !rehearsed)
        return failure(rehearsed.error());
    }
    device_.flush_caches();
    const auto time = judge_.time_us(baseline.name, draw);
    if (!time) return failure(time.error());
    baseline.samples_us.push_back(*time);
    return Verdict{Outcome::passed, Gate::timing, ""};
  }

  /// What speed-ups are against: what the plan names, else the first kernel, else the first baseline. Without
  /// any, one that nothing is slower than: sampling stops on the candidate's own spread.
  [[nodiscard]] std::vector<double> yardstick() const {
    for (std::size_t i = 1; i < kernels_.size(); ++i) {
      if (plan_.yardstick.empty() || kernels_[i]->name() == plan_.yardstick) return kernels_[i]->samples_us;
    }
    for (const TimedBaseline& baseline : baselines_.timed) {
      if (plan_.yardstick.empty() || baseline.name == plan_.yardstick) return baseline.samples_us;
    }
    return std::vector<double>(kernels_[0]->samples_us.size(), 1e30);
  }

  /// What decides whether more samples are worth their time: the strongest rival, which is named last.
  [[nodiscard]] std::vector<double> rival() const {
    return kernels_.size() > 1 ? kernels_.back()->samples_us : yardstick();
  }

  Device& device_;
  Judge& judge_;
  const TimingPlan& plan_;
  Kernels kernels_;
  ChosenBaselines baselines_;
  const std::vector<std::shared_ptr<const Draw>>& draws_;
  const Seed& seed_;
  std::string stopped_;
};

}  // namespace

/// New draws go into the buffers that all kernels read; rivals must then be verified anew.
Result<void> TimingBench::draw(DrawPool& pool) {
  draws_.resize(kDraws);
  bool changed = false;
  for (std::size_t d = 0; d < kDraws; ++d) {
    auto drawn = pool.get(*judge_, axes_, timed_distribution(judge_->op()), kFirstTimedDraw + d);
    if (!drawn) return failure(drawn.error());
    changed = changed || draws_[d] != *drawn;
    draws_[d] = std::move(*drawn);
  }
  if (!changed) return {};
  for (std::size_t set = 0; set < inputs_.size(); ++set) {
    for (std::size_t i = 0; i < inputs_[set].size(); ++i) {
      const DrawnInput& input = draws_[set]->inputs[i];
      device_->memory()->copy(inputs_[set][i]->data(), input.data.get(), input.size_bytes);
    }
  }
  for (Rival& rival : rivals_) rival.kernel.forget_outputs();
  const auto eager_us = judge_->time_us(std::string(subjects::kEager), *draws_.front());  // also warms it up
  if (!eager_us) return failure(eager_us.error());
  deadline_ = run_deadline(*eager_us);
  return {};
}

Result<TimedKernel> TimingBench::prepare(const CompiledSubject& subject, std::optional<Session> session) {
  if (!session) {
    auto started = Session::start(*device_, judge_->op(), subject, deadline_);
    if (!started) return failure(started.error());
    session.emplace(std::move(*started));
  }
  const std::size_t first = session->sets();
  for (std::size_t set = 0; set < kDraws; ++set) {
    const bool known = set < inputs_.size();
    if (auto added = session->add_set(Placement::flush_right, known ? inputs_[set] : Buffers{}); !added)
      return failure(added.error());
    if (known) continue;
    session->write_inputs(first + set, *draws_[set]);
    inputs_.push_back(session->inputs(first + set));
  }
  return TimedKernel(*device_->memory(), judge_->op().precision, std::move(*session), first);
}

Result<Verdict> TimingBench::warm_up(TimedKernel& kernel) {
  Result<Verdict> verdict = Verdict{Outcome::passed, Gate::timing, ""};
  while (verdict && verdict->passed() && kernel.warm_sets() < kDraws) {
    if (kernel.warm_sets() > 0 && kernel.last_us() > kSlowUs) break;
    verdict = kernel.warm_up(kernel.warm_sets(), *draws_[kernel.warm_sets()]);
  }
  return verdict;
}

Result<TimedKernel*> TimingBench::rival(const CompiledSubject& subject) {
  auto known =
      std::find_if(rivals_.begin(), rivals_.end(), [&](const Rival& r) { return same(*r.subject, subject); });
  if (known == rivals_.end()) {
    auto copy = std::make_unique<CompiledSubject>(subject);
    auto kernel = prepare(*copy, std::nullopt);
    if (!kernel) return failure(kernel.error());
    rivals_.push_back({std::move(copy), std::move(*kernel)});
    known = std::prev(rivals_.end());
  }
  known->kernel.forget_samples();
  if (known->kernel.warm_sets() > 0) return &known->kernel;
  const auto verdict = warm_up(known->kernel);
  if (!verdict) return failure(verdict.error());
  if (!verdict->passed())
    return failure(
        fmt::format("the kernel to compare with, '{}', failed: {}", subject.subject.name, verdict->evidence));
  return &known->kernel;
}

/// Those that are asked for, in that order; others are let go.
Result<std::vector<TimedKernel*>> TimingBench::rivals(const std::vector<CompiledSubject>& subjects) {
  rivals_.remove_if([&](const Rival& rival) {
    return std::none_of(subjects.begin(), subjects.end(),
                        [&](const CompiledSubject& subject) { return same(*rival.subject, subject); });
  });
  Kernels kernels;
  for (const CompiledSubject& subject : subjects) {
    const auto kernel = rival(subject);
    if (!kernel) return failure(kernel.error());
    kernels.push_back(*kernel);
  }
  return kernels;
}

std::optional<double> TimingBench::fastest_rival_us(const std::vector<CompiledSubject>& subjects) const {
  std::optional<double> fastest;
  for (const Rival& rival : rivals_) {
    const auto asked = [&](const CompiledSubject& subject) { return same(*rival.subject, subject); };
    if (rival.kernel.samples_us.empty() || std::none_of(subjects.begin(), subjects.end(), asked)) continue;
    const double us = median(rival.kernel.samples_us);
    fastest = std::min(fastest.value_or(us), us);
  }
  return fastest;
}

/// Whether its samples must be undisturbed. What is far slower in warm caches than its rival in cold ones
/// loses all the same, and waiting would be most of what it costs.
bool TimingBench::may_win(const TimingPlan& plan, const TimedKernel& candidate) const {
  const auto rival_us = fastest_rival_us(plan.compare_with);
  return plan.contender || !rival_us || candidate.last_us() < kLost * *rival_us;
}

Result<Timing> TimingBench::time(const TimingPlan& plan, std::optional<Session> session, DrawPool& pool,
                                 const Seed& seed) {
  const auto refuse = [&](const Error& error) {
    rivals_.clear();  // one of them may be at fault
    return failure(error);
  };
  if (auto checked = check_yardstick(plan); !checked) return failure(checked.error());
  if (auto drawn = draw(pool); !drawn) return refuse(drawn.error());
  auto baselines = choose_baselines(*judge_, plan.baselines, plan.yardstick, draws_);
  if (!baselines) return failure(baselines.error());
  auto candidate = prepare(plan.candidate, std::move(session));
  if (!candidate) return refuse(candidate.error());
  const auto warm = warm_up(*candidate);
  if (!warm) return refuse(warm.error());
  if (!warm->passed()) return stopped_by(*warm);
  const bool quiet = may_win(plan, *candidate);  // while the rivals' last samples are there
  auto others = rivals(plan.compare_with);
  if (!others) return refuse(others.error());
  Kernels kernels{&*candidate};
  kernels.insert(kernels.end(), others->begin(), others->end());
  if (quiet) device_->settle();
  Sampling sampling(*device_, *judge_, plan, std::move(kernels), std::move(*baselines), draws_, seed);
  const auto verdict = sampling.run();
  if (!verdict) return refuse(verdict.error());
  if (!verdict->passed()) return stopped_by(*verdict);
  Timing timing = sampling.summary();
  if (plan.contender) timing = witnessed(std::move(timing), *candidate);
  return timing;
}

}  // namespace kevolve
