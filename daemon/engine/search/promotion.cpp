// How a contender becomes champion: the half of OperatorSearch that trusts no single figure.

#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/awaitable.hpp>
#include <tuple>

#include "core/gates/statistics.hpp"
#include "core/search/random.hpp"
#include "daemon/engine/search/operator_search.hpp"

namespace kevolve {
namespace asio = boost::asio;
using namespace subjects;
namespace {

/// A new champion is timed again in this many fresh runners, each with a seed of its own.
constexpr std::size_t kRetimings = 3;
/// Contenders of one round that get that chance.
constexpr std::size_t kContenders = 2;
/// A contender whom the workers could not judge is tried so often.
constexpr int kMostTimes = 5;

std::string shorten(const std::string& text, std::size_t length) {
  const std::size_t line = text.find('\n');
  const std::string first = text.substr(0, line);
  return first.size() <= length ? first : first.substr(0, length) + " …";
}

}  // namespace

std::vector<OperatorSearch::Judged> OperatorSearch::contenders(std::vector<Judged> judged) const {
  std::erase_if(judged, [&](const Judged& j) {
    return !j.evaluation.verdict.passed() || j.candidate.id == champion_.id || j.figure <= champion_.figure;
  });
  // By hash where figures are equal, so that the order in which workers replied tells nothing.
  std::sort(judged.begin(), judged.end(), [](const Judged& a, const Judged& b) {
    return std::tuple(-a.figure, a.candidate.hash, a.candidate.id) <
           std::tuple(-b.figure, b.candidate.hash, b.candidate.id);
  });
  const auto same = [](const Judged& a, const Judged& b) { return a.candidate.hash == b.candidate.hash; };
  judged.erase(std::unique(judged.begin(), judged.end(), same), judged.end());
  return judged;
}

asio::awaitable<Result<bool>> OperatorSearch::promote_best(std::vector<Judged> judged,
                                                           const RoundRecord& round) {
  const auto promoted_before = env_.archive.champions(key());
  if (!promoted_before) co_return failure(promoted_before.error());
  // A run that was killed right after it promoted the round's winner has nothing left to do here.
  for (const ChampionRecord& row : *promoted_before) {
    if (row.round == round.id) co_return true;
  }
  std::size_t lost = 0;  // those that did not hold stand in nobody's way
  for (const Judged& contender : contenders(std::move(judged))) {
    if (!env_.may_evaluate()) co_return false;
    const bool holds = co_await holds_on_cpu(contender);
    if (!env_.may_evaluate()) co_return false;
    if (!holds) continue;
    const Result<Retiming> retiming = co_await retime(contender, round);
    if (!retiming) co_return failure(retiming.error());
    if (*retiming == Retiming::promoted) break;
    if (!env_.may_evaluate()) co_return false;  // perhaps for that reason
    // Lost with its workers: the round stays open and comes by again, but not for ever.
    if (*retiming == Retiming::not_judged && ++not_judged_[contender.candidate.hash] < kMostTimes)
      co_return false;
    if (*retiming == Retiming::not_faster && ++lost == kContenders) break;
  }
  co_return true;
}

/// A GPU runs a grid's threads in the order it likes, so a race may never show there. The cpu device chooses
/// the order; it looks at every contender that it can run, at the small workload.
asio::awaitable<bool> OperatorSearch::holds_on_cpu(const Judged& contender) {
  if (env_.device.traits().shows_races || op_.workload("small") == nullptr) co_return true;
  EvaluateRequest request = request_for(contender.candidate);
  request.device = kCpuDevice;
  request.workload = "small";
  request.compare_with.clear();
  request.baselines.clear();
  request.yardstick.clear();
  request.last_gate = Gate::correctness;
  const Result<Evaluation> evaluation = co_await env_.workers.evaluate(std::move(request));
  if (!evaluation) co_return true;  // no cpu device there: nothing was learned
  switch (evaluation->verdict.outcome) {
    case Outcome::race:
    case Outcome::wrong_result:
    case Outcome::unwritten:
    case Outcome::illegal_access:
    case Outcome::deadlock:
      env_.observer.warned(fmt::format("{}: candidate {} passed on {}, but not on the cpu device: {}: {}",
                                       op_.name, contender.candidate.hash.substr(0, 12), env_.device.name,
                                       name(evaluation->verdict.outcome),
                                       shorten(evaluation->verdict.evidence, 300)));
      co_return false;
    default:
      co_return true;  // passed, or tensor cores, or tunables that do not fit the small workload
  }
}

/// Retimings of this very contender against the present champion: a run that was killed in the middle of them
/// goes on from there.
Result<std::vector<OperatorSearch::Retimed>> OperatorSearch::earlier_retimings(const Judged& contender) {
  Result<CandidateDetail> detail = env_.archive.detail(contender.candidate.id);
  if (!detail) return failure(detail.error());
  std::vector<Retimed> found;
  for (EvaluationRecord& record : detail->evaluations) {
    if (record.purpose == Purpose::retime && record.candidate == contender.candidate.id &&
        record.workload == workload_ && record.evaluation.device.key() == env_.device.key() &&
        record.evaluated_at >= champion_.since)
      found.push_back({record.id, std::move(record.evaluation)});
  }
  return found;
}

/// Nothing when the workers could not; the observer was told.
asio::awaitable<Result<std::optional<OperatorSearch::Retimed>>> OperatorSearch::retime_once(
    const Judged& contender, bool last) {
  EvaluateRequest request = request_for(contender.candidate);
  request.fresh_draws = true;
  if (last && yardstick_ == kEager) request.last_gate = Gate::profile;
  request.baselines.emplace_back(kCompile);
  Result<Evaluation> evaluation = co_await ask_workers(std::move(request));
  if (!evaluation) {
    if (env_.may_evaluate()) env_.observer.warned(evaluation.error().in("timing a contender again").message);
    co_return std::nullopt;
  }
  ++env_.evaluations;
  const auto recorded = record(contender.candidate, *evaluation, Purpose::retime);
  if (!recorded) co_return failure(recorded.error());
  co_return Retimed{*recorded, std::move(*evaluation)};
}

/// Times a contender again in fresh runners with new seeds; only these figures are kept. It is promoted when
/// the interleaved pairs against the incumbent are won by more than the threshold: all together, and in the
/// median of each fresh pair of runners. In a deterministic job it is promoted when it holds each time.
asio::awaitable<Result<OperatorSearch::Retiming>> OperatorSearch::retime(const Judged& contender,
                                                                         const RoundRecord& round) {
  const std::string rival(champion_.id == naive_.id ? yardstick_ : kIncumbent);
  // On a GPU nobody waits for the naive kernel again: PyTorch stands in for it, and how they compare is
  // known.
  const double head_start = rival == kEager ? champion_.speedup : 1;
  const std::uint64_t seed = derive_seed(static_cast<std::uint64_t>(env_.job.seed), contender.candidate.hash);
  std::vector<double> rival_us, contender_us;
  std::vector<Ratio> ratios;  // of each fresh pair of runners
  Result<std::vector<Retimed>> retimed = earlier_retimings(contender);
  if (!retimed) co_return failure(retimed.error());
  if (retimed->size() > kRetimings) retimed->resize(kRetimings);
  for (std::size_t i = 0; i < kRetimings; ++i) {
    if (i == retimed->size()) {
      if (!env_.may_evaluate()) co_return Retiming::not_judged;
      Result<std::optional<Retimed>> one = co_await retime_once(contender, i + 1 == kRetimings);
      if (!one) co_return failure(one.error());
      if (!*one) co_return Retiming::not_judged;
      retimed->push_back(std::move(**one));
    }
    const Evaluation& evaluation = (*retimed)[i].evaluation;
    const Measurement* own = evaluation.measurement(kCandidate);
    const Measurement* other = evaluation.measurement(rival);
    if (!evaluation.verdict.passed() || own == nullptr || other == nullptr) {
      env_.observer.warned(fmt::format("{}: candidate {} did not hold when judged again: {}: {}", op_.name,
                                       contender.candidate.hash.substr(0, 12),
                                       name(evaluation.verdict.outcome),
                                       shorten(evaluation.verdict.evidence, 200)));
      co_return Retiming::refuted;
    }
    const std::size_t pairs = std::min(own->samples_us.size(), other->samples_us.size());
    const std::vector<double> mine(own->samples_us.begin(),
                                   own->samples_us.begin() + static_cast<long>(pairs));
    const std::vector<double> theirs(other->samples_us.begin(),
                                     other->samples_us.begin() + static_cast<long>(pairs));
    ratios.push_back(scaled(paired_ratio(theirs, mine, seed), 1 / head_start));
    contender_us.insert(contender_us.end(), mine.begin(), mine.end());
    rival_us.insert(rival_us.end(), theirs.begin(), theirs.end());
  }
  const Ratio pooled = scaled(paired_ratio(rival_us, contender_us, seed), 1 / head_start);
  if (!deterministic() && !promotes(pooled, ratios)) co_return Retiming::not_faster;
  std::sort(retimed->begin(), retimed->end(),
            [](const Retimed& a, const Retimed& b) { return a.evaluation.speedup < b.evaluation.speedup; });
  const Retimed& middle = (*retimed)[retimed->size() / 2];
  if (const auto done = env_.archive.promote(key(), contender.candidate.id, middle.id, round.id); !done) {
    co_return failure(done.error());
  }
  if (const auto remembered = remember_champion(); !remembered) co_return failure(remembered.error());
  env_.observer.promoted(summary());
  co_return Retiming::promoted;
}

}  // namespace kevolve
