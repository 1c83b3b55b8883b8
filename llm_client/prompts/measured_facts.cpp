// What an improvement is told of the attempt that it starts from.

#include <fmt/format.h>

#include "core/gates/statistics.hpp"
#include "core/model/subjects.hpp"
#include "core/text/words.hpp"
#include "llm_client/prompts/kernel_facts.hpp"
#include "llm_client/prompts/quote.hpp"

namespace kevolve::llm {
namespace {

/// An interval of the median wider than this share of it tells little.
constexpr double kReliableWidth = 0.2;
constexpr std::uint64_t kBootstrapSeed = 1;

/// Beside the champion in the same evaluation: nothing else compares as well.
std::string beside_champion(const Measurement& own, const Evaluation& evaluation) {
  const Measurement* rival = evaluation.measurement(subjects::kIncumbent);
  if (rival == nullptr || rival->median_us <= 0) return "";
  if (own.samples_us.empty() || own.samples_us.size() != rival->samples_us.size())
    return fmt::format("\n- timed beside the champion: {:.2f} times its time",
                       own.median_us / rival->median_us);
  const gates::Ratio ratio = gates::paired_ratio(own.samples_us, rival->samples_us, kBootstrapSeed);
  return fmt::format("\n- timed beside the champion: {:.2f} times its time (95 % interval {:.2f} to {:.2f})",
                     ratio.median, ratio.interval.low, ratio.interval.high);
}

std::string spread_text(const Measurement& own) {
  if (own.median_us <= 0) return "";
  const auto percent = [&](double us) { return 100 * (us / own.median_us - 1); };
  std::string text = fmt::format("\n- 95 % interval of its median: {:+.1f} % to {:+.1f} %, {}",
                                 percent(own.low_us), percent(own.high_us), own.mode);
  if (own.high_us - own.low_us > kReliableWidth * own.median_us)
    text +=
        ". **This measurement is unreliable**: the machine was disturbed. Reason from the code; differences "
        "smaller than the interval mean nothing";
  return text;
}

}  // namespace

std::string measured_text(const search::RoundContext& context, const CandidateAttempt& passed) {
  if (!passed.evaluation) return "Nothing but that it is correct.";
  const Evaluation& evaluation = *passed.evaluation;
  const Measurement* own = evaluation.measurement(subjects::kCandidate);
  const double us = passed.us > 0 ? passed.us : own == nullptr ? 0 : own->median_us;
  std::string text = fmt::format("- time: {}", us > 0 ? time_text(us) : "not known");
  if (evaluation.speedup > 0)
    text += fmt::format(", a speed-up of {:.3g} x (at least {:.3g} x)", evaluation.speedup,
                        evaluation.speedup_low);
  if (own != nullptr) text += spread_text(*own) + beside_champion(*own, evaluation);
  if (us > 0 && context.floor_us > 0)
    text += fmt::format("\n- {:.2f} times the physical limit", us / context.floor_us);
  if (evaluation.prepare_us) text += fmt::format("\n- prepare: {}", time_text(*evaluation.prepare_us));
  if (evaluation.precision)
    text += fmt::format("\n- precision class measured: {}", name(*evaluation.precision));
  if (evaluation.compile) {
    for (const auto& [what, value] : evaluation.compile->resources)
      text += fmt::format("\n- {} = {}", one_line(what, 120), value);
  }
  if (evaluation.compile && !evaluation.compile->log.empty())
    text += "\n\nThe compiler's log:\n\n" + fenced(shortened(evaluation.compile->log, kMaxLogBytes), "text");
  if (evaluation.profile) {
    if (const std::string profile = profile_text(*evaluation.profile); !profile.empty())
      text += "\n\n" + profile;
  }
  if (passed.tunings.empty()) return text;
  std::vector<search::TunedTime> tunings = passed.tunings;
  tunings.push_back({passed.tunables, us});
  return text + "\n\nIts tunables, as far as they were tried:\n\n" +
         tunings_text(tunings, first_values(context, passed.source));
}

}  // namespace kevolve::llm
