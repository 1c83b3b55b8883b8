#include "daemon/operator_search.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "core/search/random.hpp"
#include "core/search/selection.hpp"
#include "core/search/stopping.hpp"

namespace kevolve {
namespace asio = boost::asio;
using namespace subjects;
namespace {

double median_of(const Evaluation& evaluation, std::string_view subject) {
  const Measurement* measurement = evaluation.measurement(subject);
  return measurement == nullptr ? 0 : measurement->median_us;
}

/// How many times as fast as the yardstick torch.compile was in that evaluation; 0 when it was not timed.
/// Where the yardstick is the candidate itself (the naive kernel), it has no measurement of its own.
double compile_speedup_of(const Evaluation& evaluation, const std::string& yardstick) {
  const double compile_us = median_of(evaluation, kCompile), yardstick_us = median_of(evaluation, yardstick);
  if (compile_us <= 0) return 0;
  return (yardstick_us > 0 ? yardstick_us : median_of(evaluation, "candidate")) / compile_us;
}

}  // namespace

OperatorSearch::OperatorSearch(SearchEnvironment& environment, const Operator& op, std::string workload)
    : env_(environment),
      op_(op),
      workload_(std::move(workload)),
      label_(workload_ == "small" ? op.name : op.name + "/" + workload_),
      yardstick_(env_.device.name == "cpu" ? kNaive : kEager) {}

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
    NewIdea idea{op_id_, std::nullopt, "seed", std::string(kNaive), header->idea};
    const Result<IdeaId> idea_id = env_.archive.add_idea(idea);
    if (!idea_id) co_return failure(idea_id.error());
    const auto ids = env_.archive.add_candidates(*idea_id, {{naive_.source, naive_.tunables, {}}});
    if (!ids) co_return failure(ids.error());
    naive_.id = ids->front();
    champion_ = naive_;
    const Result<CandidateRecord> candidate = env_.archive.candidate(naive_.id);
    if (!candidate) co_return failure(candidate.error());
    EvaluateRequest request = request_for(*candidate);
    request.baselines = {std::string(kEager), std::string(kCompile)};
    Result<Evaluation> judged = co_await env_.workers.evaluate(std::move(request));
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
  naive_.median_us = median_of(evaluation, "candidate");
  naive_.speedup = evaluation.speedup;
  naive_.speedup_low = evaluation.speedup_low;
  eager_us_ = median_of(evaluation, kEager);
  compile_us_ = median_of(evaluation, kCompile);
  compile_speedup_ = compile_speedup_of(evaluation, yardstick_);
  floor_us_ = evaluation.floor_us;
  champion_ = naive_;
  if (const Result<void> remembered = remember_champion(); !remembered) co_return failure(remembered.error());
  if (const Result<void> remembered = remember_series(); !remembered) co_return failure(remembered.error());
  env_.observer.seeded(summary());
  co_return Result<void>{};
}

Result<void> OperatorSearch::remember_champion() {
  const auto best = env_.archive.champion(key());
  if (!best) return failure(best.error());
  if (!*best) return {};
  const Result<CandidateDetail> detail = env_.archive.show(fmt::format("#{}", (*best)->candidate.value));
  if (!detail) return failure(detail.error());
  const Result<EvaluationRecord> record = env_.archive.evaluation((*best)->evaluation);
  if (!record) return failure(record.error());
  const CandidateRecord& candidate = detail->candidate;
  champion_ = {candidate.id,
               candidate.hash,
               candidate.source,
               detail->idea.key,
               detail->idea.text,
               candidate.tunables,
               0,
               median_of(record->evaluation, "candidate"),
               record->evaluation.speedup,
               record->evaluation.speedup_low,
               (*best)->promoted_at};
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
  if (const auto header = parse_candidate(candidate.source, op_, op_.name); header)
    champion_.idea = header->idea;
  return {};
}

/// What earlier runs of the job did of the present series: how many rounds, and the best time after each, so
/// that it stops where it would have stopped without an interruption.
Result<void> OperatorSearch::remember_series() {
  const auto rounds = env_.archive.rounds(env_.job_id);
  if (!rounds) return failure(rounds.error());
  const auto champions = env_.archive.champions(key());
  if (!champions) return failure(champions.error());
  std::map<EvaluationId, double> medians;
  const auto best_at = [&](Timestamp time) -> Result<double> {
    const ChampionRecord* last = nullptr;
    for (const ChampionRecord& champion : *champions) {
      if (champion.promoted_at <= time) last = &champion;
    }
    if (last == nullptr) return naive_.median_us;
    const auto [median, fresh] = medians.emplace(last->evaluation, 0);
    if (fresh) {
      const Result<EvaluationRecord> record = env_.archive.evaluation(last->evaluation);
      if (!record) return failure(record.error());
      median->second = median_of(record->evaluation, "candidate");
    }
    return median->second;
  };
  const auto remember = [&](Timestamp time) -> Result<void> {
    const Result<double> best = best_at(time);
    if (!best) return failure(best.error());
    best_us_.push_back(*best);
    return {};
  };
  if (const auto done = remember(env_.series_began_at); !done) return done;
  for (const RoundRecord& round : *rounds) {
    if (round.op != op_id_ || round.workload != workload_ || !round.finished_at) continue;
    last_round_ = std::max(last_round_, round.number);
    if (*round.finished_at < env_.series_began_at) continue;
    ++rounds_done_;
    if (const auto done = remember(*round.finished_at); !done) return done;
  }
  if (rounds_done_ == 0) {
    best_us_ = {champion_.median_us};
  } else {
    note_stop();
  }
  return {};
}

// ------------------------------------------------------------------------------------------- summary

void OperatorSearch::note_stop() {
  if (stop_reason_.empty()) {
    if (const auto reason = at_physical_limit(champion_.median_us, floor_us_)) stop_reason_ = *reason;
  }
  if (stop_reason_.empty()) {
    const PlateauRule rule{env_.job.policy.plateau_rounds, env_.job.policy.plateau_gain};
    if (const auto reason = plateau(best_us_, rule)) stop_reason_ = *reason;
  }
  if (!stop_reason_.empty()) env_.observer.operator_stopped(summary());
}

double OperatorSearch::scaled_us(double speedup) const {
  const double yardstick_us = yardstick_ == kNaive ? naive_.median_us : eager_us_;
  return speedup > 0 ? yardstick_us / speedup : 0;
}

OperatorSummary OperatorSearch::summary() const {
  OperatorSummary summary;
  summary.name = op_.name;
  summary.workload = workload_;
  summary.label = label_;
  summary.yardstick = yardstick_;
  summary.naive_us = naive_.median_us;
  summary.eager_us = eager_us_;
  summary.compile_us = compile_us_;
  summary.best_us = champion_.median_us;
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
