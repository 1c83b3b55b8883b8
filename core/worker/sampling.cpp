#include "core/worker/sampling.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <random>

#include "core/process/stopwatch.hpp"
#include "core/worker/gates/compile.hpp"

namespace kevolve::worker {

Result<Verdict> Sampling::run() {
  const gates::Seed& seed = trial_.court->seed;
  const TimingSettings& settings = trial_.request.timing;
  std::mt19937_64 random(seed.bits[0] ^ seed.bits[1]);
  const process::Stopwatch watch;
  gates::StoppingSettings stopping{.min_samples = settings.min_samples,
                                   .max_samples = settings.max_samples,
                                   .max_seconds = settings.max_seconds};
  if (trial_.request.fresh_draws) stopping.beyond_hope = 1e30;  // a contender takes its samples, however slow
  std::vector<std::size_t> order(field_.kernels.size() + field_.baselines.timed.size());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
  for (std::size_t number = 0;; ++number) {
    std::shuffle(order.begin(), order.end(), random);
    for (const std::size_t who : order) {
      auto verdict = sample(who, number);
      if (!verdict || !verdict->passed()) return verdict;
    }
    const auto stop =
        gates::should_stop(rival(), field_.kernels[0]->samples_us, watch.seconds(), stopping, seed.bits[1]);
    if (!stop) continue;
    stopped_ = name(*stop);
    return Verdict{Outcome::passed, Gate::timing, ""};
  }
}

Result<Verdict> Sampling::sample(std::size_t who, std::size_t number) {
  if (who >= field_.kernels.size())
    return sample_baseline(field_.baselines.timed[who - field_.kernels.size()], number);
  auto verdict = field_.kernels[who]->sample(number % kTimedDraws, *draws_[number % kTimedDraws], number);
  if (verdict && !verdict->passed() && who > 0)
    return rival_failed(field_.kernels[who]->name(), verdict->evidence);
  return verdict;
}

Result<Verdict> Sampling::sample_baseline(TimedBaseline& baseline, std::size_t number) {
  judge::Judge& judge = trial_.court->judge;
  const judge::Draw& draw = *draws_[number % kTimedDraws];
  const bool is_short = !baseline.samples_us.empty() && baseline.samples_us.back() < kShortUs;
  if (!trial_.device->times_on_host() && is_short) TRY_DO(judge.time_us(baseline.name, draw));
  trial_.device->flush_caches();
  TRY(const double us, judge.time_us(baseline.name, draw));
  baseline.samples_us.push_back(us);
  return Verdict{Outcome::passed, Gate::timing, ""};
}

Measurement Sampling::measured(const std::string& subject, const std::vector<double>& samples,
                               const std::vector<double>& sm_mhz) const {
  const gates::Interval interval = gates::median_interval(samples, trial_.court->seed.bits[0]);
  const bool known = std::any_of(sm_mhz.begin(), sm_mhz.end(), [](double mhz) { return mhz > 0; });
  Measurement out{subject,      trial_.device->timing_mode(), samples, gates::median(samples), interval.low,
                  interval.high};
  if (known) out.sm_mhz = sm_mhz;
  return out;
}

Timing Sampling::summary() const {
  Timing out;
  const TimedKernel& candidate = *field_.kernels[0];
  for (const TimedKernel* kernel : field_.kernels) {
    const std::string subject = kernel == &candidate ? std::string(subjects::kCandidate) : kernel->name();
    out.measurements.push_back(measured(subject, kernel->samples_us, kernel->sm_mhz));
  }
  for (const TimedBaseline& baseline : field_.baselines.timed) {
    out.measurements.push_back(measured(baseline.name, baseline.samples_us, {}));
    out.measurements.back().backend = fmt::format("{}", fmt::join(baseline.backends, ", "));
  }
  if (out.measurements.size() > 1)
    out.speedup = gates::paired_ratio(yardstick(), candidate.samples_us, trial_.court->seed.bits[0]);
  if (!candidate.prepare_us.empty()) out.prepare_us = gates::median(candidate.prepare_us);
  out.stopped = stopped_;
  out.left_out = field_.baselines.left_out;
  return out;
}

std::vector<double> Sampling::yardstick() const {
  const std::string& named = trial_.request.yardstick;
  for (std::size_t i = 1; i < field_.kernels.size(); ++i) {
    if (named.empty() || field_.kernels[i]->name() == named) return field_.kernels[i]->samples_us;
  }
  for (const TimedBaseline& baseline : field_.baselines.timed) {
    if (named.empty() || baseline.name == named) return baseline.samples_us;
  }
  return std::vector<double>(field_.kernels[0]->samples_us.size(), 1e30);
}

std::vector<double> Sampling::rival() const {
  return field_.kernels.size() > 1 ? field_.kernels.back()->samples_us : yardstick();
}

}  // namespace kevolve::worker
