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

/// A request that failed for no fault of its candidate (a runner killed from outside, say) is sent again.
constexpr int kAttempts = 3;
/// Verified kernels that survivors are selected from.
constexpr int kRankingDepth = 64;

double median_of(const Evaluation& evaluation, std::string_view subject) {
  const Measurement* measurement = evaluation.measurement(subject);
  return measurement == nullptr ? 0 : measurement->median_us;
}

}  // namespace

OperatorSearch::OperatorSearch(SearchEnvironment& environment, const Operator& op, std::string workload)
    : env_(environment),
      op_(op),
      workload_(std::move(workload)),
      label_(workload_ == "small" ? op.name : op.name + "/" + workload_),
      yardstick_(env_.device.name == "cpu" ? kNaive : kEager) {}

ResultKey OperatorSearch::key() const {
  return {op_id_, workload_, env_.device_id, op_.precision};
}

RankingQuery OperatorSearch::ranking(int top) const {
  RankingQuery query;
  query.operator_name = op_.name;
  query.op = op_id_;
  query.workload = workload_;
  query.device = env_.device.key();
  query.precision = op_.precision;
  query.yardstick = yardstick_;
  query.top = top;
  return query;
}

EvaluateRequest OperatorSearch::request_for(const CandidateRecord& candidate) const {
  EvaluateRequest request;
  request.device = env_.device.name;
  request.operator_document = op_.document;
  request.workload = workload_;
  request.source = candidate.source;
  request.tunables = candidate.tunables;
  request.timing = env_.job.timing;
  const bool itself = yardstick_ == kNaive && candidate.id == naive_.id;
  request.yardstick = itself ? "" : yardstick_;
  request.baselines.clear();
  if (yardstick_ == kEager) request.baselines.emplace_back(kEager);
  if (yardstick_ == kNaive && candidate.id != naive_.id)
    request.compare_with.push_back({std::string(kNaive), naive_.source, naive_.tunables});
  if (champion_.id != naive_.id && candidate.id != champion_.id) {
    request.compare_with.push_back({std::string(kIncumbent), champion_.source, champion_.tunables});
  }
  return request;
}

Result<EvaluationId> OperatorSearch::record(const CandidateRecord& candidate, const Evaluation& evaluation,
                                            Purpose purpose) {
  NewEvaluation row;
  row.candidate = candidate.id;
  row.run = env_.run_id;
  row.workload = workload_;
  row.precision = op_.precision;
  row.yardstick = evaluation.measurements.empty() ? "" : yardstick_;
  row.purpose = purpose;
  row.evaluation = evaluation;
  return env_.archive.record_evaluation(row);
}

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
  floor_us_ = evaluation.floor_us;
  champion_ = naive_;
  if (const Result<void> remembered = remember_champion(); !remembered) co_return failure(remembered.error());
  best_us_ = {champion_.median_us};
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
               record->evaluation.speedup_low};
  if (const double us = median_of(record->evaluation, kCompile); us > 0) compile_us_ = us;
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

// --------------------------------------------------------------------------------------------- round

Result<RoundContext> OperatorSearch::context(int round) {
  RoundContext context;
  context.op = &op_;
  context.workload = workload_;
  context.device = env_.device;
  context.limits.num_sms = env_.device.num_sms;
  context.round = round;
  context.seed = derive_seed(static_cast<std::uint64_t>(env_.job.seed),
                             fmt::format("{} {} round {}", op_.name, workload_, round));
  context.champion_us = champion_.median_us;
  context.floor_us = floor_us_;
  context.yardstick = yardstick_;
  context.naive_us = naive_.median_us;
  context.eager_us = eager_us_;
  context.compile_us = compile_us_;
  const auto ranked = env_.archive.survivors(ranking(kRankingDepth));
  if (!ranked) return failure(ranked.error());
  std::vector<Survivor> verified;
  for (const SurvivorRecord& record : *ranked) {
    const RankedKernel& kernel = record.kernel;
    ids_[kernel.candidate_hash] = kernel.candidate;
    verified.push_back({kernel.candidate_hash,
                        kernel.idea_key,
                        record.source,
                        kernel.tunables,
                        kernel.speedup,
                        {},
                        kernel.median_us});
  }
  context.survivors =
      select_survivors(std::move(verified), static_cast<std::size_t>(env_.job.policy.survivors));
  if (const auto told = add_profiles(context); !told) return failure(told.error());
  const auto ledger = env_.archive.ledger(op_id_, env_.job_id);
  if (!ledger) return failure(ledger.error());
  std::map<std::string, LedgerEntry> by_key;
  for (const LedgerRecord& record : *ledger) {
    if (record.workload != workload_) continue;
    LedgerEntry& entry = by_key[record.key];
    entry.idea_key = record.key;
    entry.idea_text = record.text;
    entry.attempts += record.attempts;
    entry.passed += record.passed;
    entry.best_speedup = std::max(entry.best_speedup, record.best_speedup);
    for (const auto& [outcome, count] : record.outcomes) entry.outcomes[outcome] += count;
  }
  for (auto& [idea_key, entry] : by_key) context.ledger.push_back(std::move(entry));
  const auto tried = env_.archive.tried(op_id_, workload_, env_.device_id);
  if (!tried) return failure(tried.error());
  context.tried = *tried;
  return visible_to(env_.job.policy.kind, std::move(context));
}

/// What counters said of the kernels that the next round may build on, where they were ever read.
Result<void> OperatorSearch::add_profiles(RoundContext& context) {
  const auto look_up = [&](const std::string& hash, std::optional<Profile>& profile) -> Result<void> {
    auto found = env_.archive.profile(hash, op_id_, workload_, env_.device_id);
    if (!found) return failure(found.error());
    profile = std::move(*found);
    return {};
  };
  for (Survivor& survivor : context.survivors) {
    if (const auto told = look_up(survivor.candidate_hash, survivor.profile); !told) return told;
  }
  return look_up(champion_.hash, context.champion_profile);
}

Result<void> OperatorSearch::propose_candidates(const RoundRecord& round) {
  Result<RoundContext> known = context(round.number);
  if (!known) return failure(known.error());
  const Result<std::vector<Idea>> ideas = env_.ideas.propose(*known, env_.job.policy.ideas_per_round);
  if (!ideas) return failure(ideas.error());
  std::vector<std::string> texts;
  for (const Idea& idea : *ideas) {
    const auto implementations = env_.ideas.implement(idea, *known, env_.job.policy.implementations_per_idea);
    if (!implementations) return failure(implementations.error());
    std::vector<NewCandidate> candidates;
    for (const Implementation& implementation : *implementations) {
      if (!known->tried.insert(candidate_hash(implementation.source, implementation.tunables)).second)
        continue;
      NewCandidate candidate{implementation.source, implementation.tunables, {}};
      for (const Parent& parent : implementation.parents) {
        const auto id = ids_.find(parent.candidate_hash);
        if (id != ids_.end()) candidate.parents.push_back({id->second, parent.relation});
      }
      candidates.push_back(std::move(candidate));
    }
    if (candidates.empty()) continue;
    const Result<IdeaId> id = env_.archive.add_idea(
        {op_id_, round.id, idea.source, idea.key, idea.text, {}, idea.bottleneck, idea.predicted_us});
    if (!id) return failure(id.error());
    if (const auto added = env_.archive.add_candidates(*id, candidates); !added)
      return failure(added.error());
    texts.push_back(idea.text);
  }
  env_.observer.round_started(label_, round.number, texts);
  return {};
}

asio::awaitable<Result<void>> OperatorSearch::round() {
  const Result<RoundRecord> round = env_.archive.begin_round(env_.job_id, op_id_, workload_);
  if (!round) co_return failure(round.error());
  const auto present = env_.archive.candidates(round->id);
  if (!present) co_return failure(present.error());
  if (present->empty()) {
    // One transaction: a run that is killed here finds either no idea of this round or all of them.
    Result<Transaction> transaction = env_.archive.begin();
    if (!transaction) co_return failure(transaction.error());
    if (const auto proposed = propose_candidates(*round); !proposed) co_return failure(proposed.error());
    if (const auto committed = transaction->commit(); !committed) co_return failure(committed.error());
  }
  const auto unfinished = env_.archive.unfinished_candidates(round->id);
  if (!unfinished) co_return failure(unfinished.error());
  const auto all = env_.archive.candidates(round->id);
  if (!all) co_return failure(all.error());
  if (all->empty()) {
    stop_reason_ = "the idea source has nothing left to try";
    note_stop();
    co_return env_.archive.finish_round(round->id);
  }
  Result<std::vector<Judged>> judged = co_await judge_all(*unfinished, round->number);
  if (!judged) co_return failure(judged.error());
  if (!env_.may_evaluate()) co_return Result<void>{};  // the round stays open: the next run goes on with it
  for (const CandidateRecord& candidate : *all) {      // judged before an interruption
    if (candidate.state != CandidateState::evaluated || !candidate.evaluation) continue;
    const auto known = std::find_if(judged->begin(), judged->end(),
                                    [&](const Judged& j) { return j.candidate.id == candidate.id; });
    if (known != judged->end()) continue;
    const Result<EvaluationRecord> record = env_.archive.evaluation(*candidate.evaluation);
    if (!record) co_return failure(record.error());
    judged->push_back({candidate, "", record->id, record->evaluation});
  }
  const Result<void> promoted = co_await promote_best(std::move(*judged), *round);
  if (!promoted) co_return failure(promoted.error());
  if (const auto finished = env_.archive.finish_round(round->id); !finished)
    co_return failure(finished.error());
  last_round_ = round->number;
  best_us_.push_back(champion_.median_us);
  note_stop();
  co_return Result<void>{};
}

asio::awaitable<Result<std::vector<OperatorSearch::Judged>>> OperatorSearch::judge_all(
    std::vector<CandidateRecord> candidates, int round) {
  std::vector<Judged> judged;
  std::size_t running = candidates.size();
  std::optional<Error> error;
  asio::steady_timer done(env_.io);
  done.expires_at(std::chrono::steady_clock::time_point::max());
  for (CandidateRecord& candidate : candidates) {
    asio::co_spawn(env_.io, judge_one(std::move(candidate), round, judged),
                   [&](const std::exception_ptr&, Result<void> result) {
                     if (!result && !error) error = result.error();
                     if (--running == 0) done.cancel();
                   });
  }
  while (running > 0) {
    boost::system::error_code ignored;
    co_await done.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
  }
  if (error) co_return failure(*error);
  co_return std::move(judged);
}

asio::awaitable<Result<void>> OperatorSearch::judge_one(CandidateRecord candidate, int round,
                                                        std::vector<Judged>& judged) {
  if (!env_.may_evaluate()) co_return Result<void>{};
  const auto known = env_.archive.find_evaluation(candidate.hash, op_id_, workload_, env_.device_id);
  if (!known) co_return failure(known.error());
  if (*known) {
    if (const auto reused = env_.archive.reuse_evaluation(candidate.id, (*known)->id); !reused) {
      co_return failure(reused.error());
    }
    judged.push_back({candidate, "", (*known)->id, (*known)->evaluation});
    co_return Result<void>{};
  }
  ++env_.evaluations;  // spent plus in flight counts against the budget
  Result<Evaluation> evaluation = failure("not asked yet");
  for (int attempt = 0; attempt < kAttempts && !evaluation && (attempt == 0 || env_.may_evaluate());
       ++attempt) {
    evaluation = co_await env_.workers.evaluate(request_for(candidate));
  }
  if (!evaluation) {
    --env_.evaluations;
    if (!env_.may_evaluate()) co_return Result<void>{};
    env_.observer.warned(fmt::format("{} candidate {} was not judged: {}", op_.name,
                                     candidate.hash.substr(0, 12), evaluation.error().message));
    co_return Result<void>{};
  }
  const auto recorded = record(candidate, *evaluation, Purpose::search);
  if (!recorded) co_return failure(recorded.error());
  ++evaluations_;
  ++outcomes_[std::string(name(evaluation->verdict.outcome))];
  if (evaluation->verdict.passed()) ++passed_;
  const Result<CandidateDetail> detail = env_.archive.show(fmt::format("#{}", candidate.id.value));
  const std::string idea_key = detail ? detail->idea.key : "";
  env_.observer.evaluated(label_, round, candidate.hash, idea_key, *evaluation);
  judged.push_back({std::move(candidate), idea_key, *recorded, std::move(*evaluation)});
  co_return Result<void>{};
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
