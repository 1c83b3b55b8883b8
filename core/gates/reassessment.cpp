#include "core/gates/reassessment.hpp"

#include <algorithm>
#include <array>

#include "core/model/subjects.hpp"

namespace kevolve::gates {
namespace {

constexpr std::uint64_t kBootstrapSeed = 1;  // any: the same samples, the same interval

/// How much faster than the yardstick, from the pairs, or from what was kept where samples were pruned.
std::optional<Ratio> speedup_of(const Evaluation& evaluation, std::string_view yardstick) {
  const Measurement* own = evaluation.measurement(subjects::kCandidate);
  const Measurement* other = evaluation.measurement(yardstick);
  if (own == nullptr || other == nullptr || evaluation.speedup <= 0) return std::nullopt;
  const std::size_t pairs = std::min(own->samples_us.size(), other->samples_us.size());
  if (pairs > 0)
    return paired_ratio(std::span(other->samples_us).first(pairs), std::span(own->samples_us).first(pairs),
                        kBootstrapSeed);
  const double low = evaluation.speedup_low > 0 ? evaluation.speedup_low : evaluation.speedup;
  return Ratio{evaluation.speedup, {low, evaluation.speedup * evaluation.speedup / low}};
}

std::optional<Ratio> slowdown_of(const Evaluation& archived, const Evaluation& now,
                                 std::string_view yardstick) {
  if (archived.device.key() != now.device.key()) return std::nullopt;
  const auto before = speedup_of(archived, yardstick), after = speedup_of(now, yardstick);
  if (!before || !after) return std::nullopt;  // the yardstick itself has nothing beside it
  return Ratio{before->median / after->median,
               {before->interval.low / after->interval.high, before->interval.high / after->interval.low}};
}

bool says_nothing(Outcome outcome) {
  constexpr std::array kSilent{Outcome::inconclusive, Outcome::not_applicable, Outcome::unsupported};
  return std::find(kSilent.begin(), kSilent.end(), outcome) != kSilent.end();
}

}  // namespace

std::string_view name(Reassessment::Finding finding) {
  constexpr std::array<std::string_view, 4> kNames{"holds", "slower", "no longer right", "undecided"};
  return kNames[static_cast<std::size_t>(finding)];
}

Reassessment reassess(const Evaluation& archived, const Evaluation& now, std::string_view yardstick) {
  using enum Reassessment::Finding;
  const Verdict& verdict = now.verdict;
  if (says_nothing(verdict.outcome)) return {undecided, {}};
  if (!verdict.passed()) return {not_right, {}};
  if (!is_verified(verdict)) return {undecided, {}};
  Reassessment result{holds, slowdown_of(archived, now, yardstick)};
  if (result.slowdown && result.slowdown->interval.low > kNoticeable) result.finding = slower;
  return result;
}

}  // namespace kevolve::gates
