#include "daemon/engine/search/promoter.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "core/search/random.hpp"
#include "daemon/engine/search/recall.hpp"

namespace kevolve::engine {
namespace asio = boost::asio;
namespace {

/// Contenders of one round that may lose before the champion stays.
constexpr std::size_t kLosers = 2;
/// A contender whom the workers cannot judge is tried this many times.
constexpr int kMostTrials = 5;
/// Of a verdict's evidence, in a warning.
constexpr std::size_t kEvidenceBytes = 200;

std::string shortened(const std::string& text, std::size_t length) {
  const std::string first = text.substr(0, text.find('\n'));
  return first.size() <= length ? first : first.substr(0, length) + " …";
}

}  // namespace

asio::awaitable<Result<bool>> Promoter::promote_best(std::vector<Judged> judged,
                                                     const archive::RoundRecord& round) {
  CO_TRY(const std::vector<archive::ChampionRecord> before, search_.archive.champions(search_.problem.key()));
  // A run may have been killed right after it promoted the round's winner.
  if (std::any_of(before.begin(), before.end(), [&](const auto& row) { return row.round == round.id; }))
    co_return true;
  std::size_t losers = 0;  // refuted ones do not count: they stand in nobody's way
  for (const Judged& contender : ranked(std::move(judged))) {
    if (!may_evaluate()) co_return false;
    const bool holds = co_await desk_.shows_no_race(contender.candidate);
    if (!may_evaluate()) co_return false;
    if (!holds) continue;
    CO_TRY(const Trial trial, co_await try_contender(contender, round));
    if (trial == Trial::promoted) break;
    if (!may_evaluate()) co_return false;  // perhaps the trial ended for that reason
    // The round stays open and tries again, but not forever.
    if (trial == Trial::not_judged && ++not_judged_[contender.candidate.hash] < kMostTrials) co_return false;
    if (trial == Trial::not_faster && ++losers == kLosers) break;
  }
  co_return true;
}

std::vector<Judged> Promoter::ranked(std::vector<Judged> judged) const {
  std::vector<search::Entrant> entrants;
  for (const Judged& one : judged)
    entrants.push_back({one.candidate.id, one.candidate.hash, one.score, one.evaluation.verdict.passed()});
  std::vector<Judged> ranked;
  for (const std::size_t place : search::contenders(entrants, search_.standing.champion))
    ranked.push_back(std::move(judged[place]));
  return ranked;
}

/// Times a contender again until the figures decide. A run that was killed between two retimings continues
/// after the last one.
asio::awaitable<Result<Promoter::Trial>> Promoter::try_contender(const Judged& contender,
                                                                 const archive::RoundRecord& round) {
  const search::Rival rival = search::rival_of(search_.standing, search_.problem.yardstick());
  const std::uint64_t seed = search::derive_seed(search_.job_seed(), contender.candidate.hash);
  CO_TRY(Retimings done, earlier_retimings(contender));
  search::Decision decision = search::decide(done.evaluations, rival, search_.standing.scale, seed);
  while (decision.kind == search::Decision::Kind::undecided) {
    if (!may_evaluate()) co_return Trial::not_judged;
    const bool last = done.ids.size() + 1 == search::kRetimings;
    CO_TRY(std::optional<Retimed> one, co_await desk_.retime(contender.candidate, last));
    if (!one) co_return Trial::not_judged;
    done.ids.push_back(one->id);
    done.evaluations.push_back(std::move(one->evaluation));
    decision = search::decide(done.evaluations, rival, search_.standing.scale, seed);
  }
  if (decision.kind == search::Decision::Kind::refuted) {
    warn_of_refutation(contender, done.evaluations[decision.of_each.size()]);
    co_return Trial::refuted;
  }
  if (decision.kind == search::Decision::Kind::not_faster) co_return Trial::not_faster;
  CO_TRY_DO(promote(contender, done.ids[decision.middle], round));
  co_return Trial::promoted;
}

/// Those of this very contender since the present champion is champion, at most kRetimings.
Result<Promoter::Retimings> Promoter::earlier_retimings(const Judged& contender) {
  TRY(archive::CandidateDetail detail, search_.archive.detail(contender.candidate.id));
  const Problem& problem = search_.problem;
  Retimings found;
  for (archive::EvaluationRecord& row : detail.evaluations) {
    if (found.ids.size() == search::kRetimings) break;
    if (row.purpose != archive::Purpose::retime || row.candidate != contender.candidate.id) continue;
    if (row.workload != problem.workload || row.evaluation.device.key() != problem.device.key()) continue;
    if (row.evaluated_at < search_.standing.champion.since) continue;
    found.ids.push_back(row.id);
    found.evaluations.push_back(std::move(row.evaluation));
  }
  return found;
}

Result<void> Promoter::promote(const Judged& contender, EvaluationId evaluation,
                               const archive::RoundRecord& round) {
  TRY_DO(search_.archive.promote(search_.problem.key(), contender.candidate.id, evaluation, round.id));
  TRY_DO(recall_champion(search_, search_.standing));
  search_.observer.promoted(search_.summary());
  return {};
}

void Promoter::warn_of_refutation(const Judged& contender, const Evaluation& evaluation) {
  search_.observer.warned(fmt::format("{}: candidate {} did not hold when judged again: {}: {}",
                                      search_.problem.op.name, contender.candidate.hash.substr(0, 12),
                                      name(evaluation.verdict.outcome),
                                      shortened(evaluation.verdict.evidence, kEvidenceBytes)));
}

}  // namespace kevolve::engine
