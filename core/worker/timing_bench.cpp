#include "core/worker/timing_bench.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "core/gates/witness.hpp"
#include "core/worker/gates/compile.hpp"

namespace kevolve::worker {
namespace {

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
      gates::disagreement(*timing.witness, timing.measurements.front().median_us, candidate.launches());
  if (wrong) timing.verdict = {Outcome::inconclusive, Gate::timing, *wrong};
  return timing;
}

Timing stopped_by(const Verdict& verdict) {
  Timing out;
  out.verdict = verdict;
  return out;
}

Result<void> check_yardstick(const EvaluateRequest& request) {
  const auto named = [&](const auto& all, const auto& name_of) {
    return std::any_of(all.begin(), all.end(),
                       [&](const auto& one) { return name_of(one) == request.yardstick; });
  };
  if (request.yardstick.empty() || named(request.baselines, [](const auto& name) { return name; }) ||
      named(request.compare_with, [](const auto& kernel) { return kernel.name; }))
    return {};
  return failure(fmt::format("yardstick '{}': neither a kernel of compare_with nor one of the baselines",
                             request.yardstick));
}

}  // namespace

/// New draws go into the buffers that all kernels read; rivals must then be verified anew.
Result<void> TimingBench::draw(DrawPool& pool) {
  draws_.resize(kTimedDraws);
  bool changed = false;
  for (std::size_t d = 0; d < kTimedDraws; ++d) {
    auto drawn = pool.get(*judge_, axes_, timed_distribution(judge_->op()), kFirstTimedDraw + d);
    if (!drawn) return failure(drawn.error());
    changed = changed || draws_[d] != *drawn;
    draws_[d] = std::move(*drawn);
  }
  if (!changed) return {};
  for (std::size_t set = 0; set < inputs_.size(); ++set) {
    for (std::size_t i = 0; i < inputs_[set].size(); ++i) {
      const judge::DrawnInput& input = draws_[set]->inputs[i];
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
  for (std::size_t set = 0; set < kTimedDraws; ++set) {
    const bool known = set < inputs_.size();
    if (auto added = session->add_set(devices::Placement::flush_right, known ? inputs_[set] : Buffers{});
        !added)
      return failure(added.error());
    if (known) continue;
    session->write_inputs(first + set, *draws_[set]);
    inputs_.push_back(session->inputs(first + set));
  }
  return TimedKernel(*device_->memory(), judge_->op().precision, std::move(*session), first);
}

Result<Verdict> TimingBench::warm_up(TimedKernel& kernel) {
  Result<Verdict> verdict = Verdict{Outcome::passed, Gate::timing, ""};
  while (verdict && verdict->passed() && kernel.warm_sets() < kTimedDraws) {
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
  if (!verdict->passed()) return rival_failed(subject.subject.name, verdict->evidence);
  return &known->kernel;
}

/// Those that are asked for, in that order; others are let go.
Result<std::vector<TimedKernel*>> TimingBench::rivals(const std::vector<CompiledSubject>& subjects) {
  rivals_.remove_if([&](const Rival& rival) {
    return std::none_of(subjects.begin(), subjects.end(),
                        [&](const CompiledSubject& subject) { return same(*rival.subject, subject); });
  });
  std::vector<TimedKernel*> kernels;
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
    const double us = gates::median(rival.kernel.samples_us);
    fastest = std::min(fastest.value_or(us), us);
  }
  return fastest;
}

/// Whether its samples must be undisturbed. What is far slower in warm caches than its rival in cold ones
/// loses all the same, and waiting would be most of what it costs.
bool TimingBench::may_win(const Trial& trial, const TimedKernel& candidate) const {
  const auto rival_us = fastest_rival_us(trial.compare_with);
  return trial.request.fresh_draws || !rival_us || candidate.last_us() < kLost * *rival_us;
}

Result<Timing> TimingBench::timed(Trial& trial, ChosenBaselines baselines) {
  TRY(TimedKernel candidate, prepare(*trial.candidate, std::move(trial.session)));
  TRY(const Verdict warm, warm_up(candidate));
  if (!warm.passed()) return stopped_by(warm);
  const bool quiet = may_win(trial, candidate);  // while the rivals' last samples are there
  TRY(const auto others, rivals(trial.compare_with));
  Field field{{&candidate}, std::move(baselines)};
  field.kernels.insert(field.kernels.end(), others.begin(), others.end());
  if (quiet) device_->settle();
  Sampling sampling(trial, draws_, std::move(field));
  TRY(const Verdict verdict, sampling.run());
  if (!verdict.passed()) return stopped_by(verdict);
  Timing timing = sampling.summary();
  return trial.request.fresh_draws ? witnessed(std::move(timing), candidate) : timing;
}

Result<Timing> TimingBench::time(Trial& trial) {
  TRY_DO(check_yardstick(trial.request));
  if (auto drawn = draw(trial.court->draws); !drawn) {
    rivals_.clear();  // one of them may be at fault
    return failure(drawn.error());
  }
  TRY(auto baselines, choose_baselines(*judge_, trial.request.baselines, trial.request.yardstick, draws_));
  auto timing = timed(trial, std::move(baselines));
  if (!timing) rivals_.clear();
  return timing;
}

}  // namespace kevolve::worker
