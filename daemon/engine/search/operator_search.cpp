#include "daemon/engine/search/operator_search.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "core/model/common_scale.hpp"
#include "core/search/pseudo_figure.hpp"
#include "core/search/random.hpp"
#include "core/search/selection.hpp"
#include "core/search/stopping.hpp"

namespace kevolve {
namespace asio = boost::asio;
using namespace subjects;
namespace {

/// The yardstick's time in a deterministic job: any will do.
constexpr double kPseudoYardstickUs = 1000;

double median_of(const Evaluation& evaluation, std::string_view subject) {
  const Measurement* measurement = evaluation.measurement(subject);
  return measurement == nullptr ? 0 : measurement->median_us;
}

/// How many times as fast as the yardstick torch.compile was in that evaluation; 0 when it was not timed.
/// Where the yardstick is the candidate itself (the naive kernel), it has no measurement of its own.
double compile_speedup_of(const Evaluation& evaluation, const std::string& yardstick) {
  const double compile_us = median_of(evaluation, kCompile), yardstick_us = median_of(evaluation, yardstick);
  if (compile_us <= 0) return 0;
  return (yardstick_us > 0 ? yardstick_us : median_of(evaluation, kCandidate)) / compile_us;
}

}  // namespace

OperatorSearch::OperatorSearch(SearchEnvironment& environment, const Operator& op, std::string workload)
    : env_(environment),
      op_(op),
      workload_(std::move(workload)),
      label_(workload_ == "small" ? op.name : op.name + "/" + workload_),
      yardstick_(env_.device.traits().yardstick) {}

// ---------------------------------------------------------------------------------------------- seed

asio::awaitable<Result<void>> OperatorSearch::seed() {
  const std::filesystem::path file = op_.folder / "naive.cu";
  Result<std::string> source = read_text_file(file);
  if (!source) co_return failure(source.error());
  const Result<CandidateHeader> header = parse_candidate(*source, op_, file.string());
  if (!header) co_return failure(header.error());
  const Result<OperatorId> op_id = env_.archive.enter_operator(op_);
  if (!op_id) co_return failure(op_id.error());
  op_id_ = *op_id;

  naive_.source = *source;
  naive_.tunables = default_tunables(*header);
  naive_.hash = candidate_hash(naive_.source, naive_.tunables);
  naive_.idea_key = kNaive;
  naive_.idea = header->idea;
  const auto known = env_.archive.find_evaluation(naive_.hash, op_id_, workload_, env_.device_id);
  if (!known) co_return failure(known.error());
  Evaluation evaluation;
  if (*known) {
    naive_.id = (*known)->candidate;
    evaluation = (*known)->evaluation;
  } else {
    const Result<CandidateRecord> candidate = enter_naive();
    if (!candidate) co_return failure(candidate.error());
    naive_.id = candidate->id;
    champion_ = naive_;
    EvaluateRequest request = request_for(*candidate);
    request.baselines = {std::string(kEager), std::string(kCompile)};
    Result<Evaluation> judged = co_await ask_workers(std::move(request));
    if (!judged) co_return failure(judged.error().in(op_.name + " naive.cu"));
    evaluation = std::move(*judged);
    ++env_.evaluations;
    // Against itself: the ranking then holds the naive kernel at 1 x.
    if (yardstick_ == kNaive)
      evaluation.speedup = evaluation.speedup_low = evaluation.verdict.passed() ? 1 : 0;
    const auto recorded = record(*candidate, evaluation, Purpose::search);
    if (!recorded) co_return failure(recorded.error());
  }
  if (!evaluation.verdict.passed()) {
    co_return failure(fmt::format("{}: the naive kernel itself stops at gate {} ({}): {}", file.string(),
                                  name(evaluation.verdict.gate), name(evaluation.verdict.outcome),
                                  evaluation.verdict.evidence));
  }
  naive_.median_us = median_of(evaluation, kCandidate);
  naive_.speedup = evaluation.speedup;
  naive_.speedup_low = evaluation.speedup_low;
  naive_.figure = figure_of(naive_.hash, naive_.speedup);
  eager_us_ = median_of(evaluation, kEager);
  compile_us_ = median_of(evaluation, kCompile);
  compile_speedup_ = compile_speedup_of(evaluation, yardstick_);
  floor_us_ = evaluation.floor_us;
  champion_ = naive_;
  if (const Result<void> remembered = remember_champion(); !remembered) co_return failure(remembered.error());
  if (const Result<void> remembered = remember_rounds(); !remembered) co_return failure(remembered.error());
  env_.observer.seeded(summary());
  if (best_us_.size() > 1) note_stop();
  co_return Result<void>{};
}

/// The naive kernel's row: a run that was killed before its verdict left one.
Result<CandidateRecord> OperatorSearch::enter_naive() {
  auto known = env_.archive.seed_candidate(op_id_, naive_.hash);
  if (!known) return failure(known.error());
  if (*known) return std::move(**known);
  Result<Transaction> transaction = env_.archive.begin();
  if (!transaction) return failure(transaction.error());
  const auto idea = env_.archive.add_idea({op_id_, std::nullopt, "seed", std::string(kNaive), naive_.idea});
  if (!idea) return failure(idea.error());
  const auto ids = env_.archive.add_candidates(*idea, {{naive_.source, naive_.tunables, {}}});
  if (!ids) return failure(ids.error());
  if (const auto committed = transaction->commit(); !committed) return failure(committed.error());
  return env_.archive.candidate(ids->front());
}

Result<OperatorSearch::Champion> OperatorSearch::as_champion(const ChampionRecord& row) {
  const Result<CandidateDetail> detail = env_.archive.detail(row.candidate);
  if (!detail) return failure(detail.error());
  const Result<EvaluationRecord> record = env_.archive.evaluation(row.evaluation);
  if (!record) return failure(record.error());
  const CandidateRecord& candidate = detail->candidate;
  return Champion{candidate.id,
                  candidate.hash,
                  candidate.source,
                  detail->idea.key,
                  detail->idea.text,
                  candidate.tunables,
                  0,
                  median_of(record->evaluation, kCandidate),
                  record->evaluation.speedup,
                  record->evaluation.speedup_low,
                  row.promoted_at,
                  figure_of(candidate.hash, record->evaluation.speedup)};
}

Result<void> OperatorSearch::remember_champion() {
  const auto best = env_.archive.champion(key());
  if (!best) return failure(best.error());
  if (!*best) return {};
  Result<Champion> champion = as_champion(**best);
  if (!champion) return failure(champion.error());
  champion_ = std::move(*champion);
  const Result<EvaluationRecord> record = env_.archive.evaluation((*best)->evaluation);
  if (!record) return failure(record.error());
  if (const double us = median_of(record->evaluation, kCompile); us > 0) {
    compile_us_ = us;
    compile_speedup_ = compile_speedup_of(record->evaluation, yardstick_);
  }
  if ((*best)->round) {
    const Result<std::vector<RoundRecord>> rounds = env_.archive.rounds(env_.job_id);
    if (!rounds) return failure(rounds.error());
    for (const RoundRecord& round : *rounds) {
      if (round.id == *(*best)->round) champion_.round = round.number;
    }
  }
  // A tuned kernel is best described by the idea in its own header.
  if (const auto header = parse_candidate(champion_.source, op_, op_.name); header)
    champion_.idea = header->idea;
  return {};
}

/// Where an interrupted series of rounds stood: its last finished round, and the best times after each, from
/// which a plateau is told.
Result<void> OperatorSearch::remember_rounds() {
  const auto rounds = env_.archive.rounds_of_present_series(env_.job_id);
  if (!rounds) return failure(rounds.error());
  const auto promoted = env_.archive.champions(key());
  if (!promoted) return failure(promoted.error());
  std::map<RoundId, Champion> of_round;
  Champion before = naive_;
  for (const ChampionRecord& row : *promoted) {
    Result<Champion> champion = as_champion(row);
    if (!champion) return failure(champion.error());
    const auto of_series = [&](const RoundRecord& round) { return round.id == row.round; };
    if (std::any_of(rounds->begin(), rounds->end(), of_series)) {
      of_round.insert_or_assign(*row.round, std::move(*champion));
    } else if (of_round.empty()) {
      before = std::move(*champion);
    }
  }
  best_us_ = {plateau_us(before)};
  for (const RoundRecord& round : *rounds) {
    if (round.op != op_id_ || round.workload != workload_) continue;
    last_round_ = round.number;
    ++rounds_done_;
    const auto champion = of_round.find(round.id);
    best_us_.push_back(champion == of_round.end() ? best_us_.back() : plateau_us(champion->second));
    const auto ideas = env_.archive.ideas(round.id);
    if (!ideas) return failure(ideas.error());
    if (ideas->empty()) stop_reason_ = kNothingLeft;
  }
  return {};
}

// ------------------------------------------------------------------------------------------- summary

void OperatorSearch::note_stop() {
  if (stop_reason_.empty() && !deterministic()) {
    if (const auto reason = at_physical_limit(champion_.median_us, floor_us_)) stop_reason_ = *reason;
  }
  if (stop_reason_.empty()) {
    const PlateauRule rule{env_.job.policy.plateau_rounds, env_.job.policy.plateau_gain};
    if (const auto reason = plateau(best_us_, rule)) stop_reason_ = *reason;
  }
  if (!stop_reason_.empty()) env_.observer.operator_stopped(summary());
}

double OperatorSearch::figure_of(const std::string& candidate_hash, double speedup) const {
  if (!deterministic() || speedup <= 0) return speedup;
  if (candidate_hash == naive_.hash) return 1;
  return pseudo_figure(static_cast<std::uint64_t>(env_.job.seed), candidate_hash);
}

double OperatorSearch::scaled_us(double figure) const {
  const double yardstick_us = deterministic()        ? kPseudoYardstickUs
                              : yardstick_ == kNaive ? naive_.median_us
                                                     : eager_us_;
  return figure > 0 ? yardstick_us / figure : 0;
}

OperatorSummary OperatorSearch::summary() const {
  OperatorSummary summary;
  summary.name = op_.name;
  summary.workload = workload_;
  summary.label = label_;
  summary.yardstick = yardstick_;
  const ComparedTimes times =
      on_common_scale({naive_.median_us, eager_us_, compile_us_, champion_.median_us}, yardstick_,
                      champion_.speedup, naive_.speedup, compile_speedup_);
  summary.naive_us = times.naive_us;
  summary.eager_us = times.eager_us;
  summary.compile_us = times.compile_us;
  summary.best_us = times.best_us;
  summary.floor_us = floor_us_;
  summary.speedup = champion_.speedup;
  summary.speedup_low = champion_.speedup_low;
  summary.idea_key = champion_.idea_key;
  summary.idea = champion_.idea;
  summary.tunables = champion_.tunables;
  summary.candidate_hash = champion_.hash;
  summary.round = champion_.round;
  summary.rounds = last_round_;
  summary.evaluations = evaluations_;
  summary.passed = passed_;
  summary.note = stop_reason_;
  if (champion_.id == naive_.id && evaluations_ > 0) {
    std::vector<std::string> parts;
    for (const auto& [outcome, count] : outcomes_) parts.push_back(fmt::format("{} {}", count, outcome));
    summary.note =
        fmt::format("nothing beat the naive kernel: {} of {} candidates were verified ({}){}{}", passed_,
                    evaluations_, fmt::join(parts, ", "), stop_reason_.empty() ? "" : "; ", stop_reason_);
  }
  return summary;
}

}  // namespace kevolve
