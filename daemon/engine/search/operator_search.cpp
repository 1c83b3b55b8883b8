#include "daemon/engine/search/operator_search.hpp"

#include <fmt/format.h>

#include "core/model/subjects.hpp"
#include "daemon/engine/search/recall.hpp"
#include "daemon/engine/search/round.hpp"

namespace kevolve::engine {
namespace asio = boost::asio;
namespace {

/// The naive kernel as the first champion; its row and its times are not known yet.
Result<search::Champion> read_naive(const Operator& op) {
  const std::filesystem::path file = op.naive_file();
  search::Champion naive;
  TRY(naive.source, read_text_file(file));
  TRY(const CandidateHeader header, parse_candidate(naive.source, op, file.string()));
  naive.tunables = default_tunables(header);
  naive.hash = candidate_hash(naive.source, naive.tunables);
  naive.idea_key = subjects::kNaive;
  naive.idea = header.idea;
  return naive;
}

}  // namespace

OperatorSearch::OperatorSearch(SearchEnvironment& environment, const Operator& op, std::string workload)
    : environment_(environment),
      search_{environment.archive, environment.observer, environment.allowance, environment.run,
              Problem{op, std::move(workload), environment.device, environment.device_id}},
      desk_(environment.io, search_, environment.workers),
      context_(search_, environment.find_operator),
      promoter_(search_, desk_) {}

// ----------------------------------------------------------------------------------------------- seed

asio::awaitable<Result<void>> OperatorSearch::seed() {
  CO_TRY(search::Champion naive, read_naive(search_.problem.op));
  CO_TRY(search_.problem.op_id, search_.archive.enter_operator(search_.problem.op));
  CO_TRY(const Evaluation evaluation, co_await judge_naive(naive));
  const Verdict& verdict = evaluation.verdict;
  if (!verdict.passed()) {
    co_return failure(fmt::format("{}: the naive kernel itself stops at gate {} ({}): {}",
                                  search_.problem.op.naive_file().string(), name(verdict.gate),
                                  name(verdict.outcome), verdict.evidence));
  }
  CO_TRY(search_.standing, recall_standing(search_, std::move(naive), evaluation));
  search_.observer.seeded(search_.summary());
  if (search_.standing.best_us.size() > 1) note_stop();
  co_return Result<void>{};
}

/// Its evaluation, from the archive or a worker. Fills in the row that it belongs to.
asio::awaitable<Result<Evaluation>> OperatorSearch::judge_naive(search::Champion& naive) {
  const Problem& problem = search_.problem;
  CO_TRY(const std::optional<archive::EvaluationRecord> known,
         search_.archive.find_evaluation(naive.hash, problem.op_id, problem.workload, problem.device_id));
  if (known) {
    naive.id = known->candidate;
    co_return known->evaluation;
  }
  CO_TRY(const archive::CandidateRecord row, enter_naive(naive));
  naive.id = row.id;
  search_.standing.naive = search_.standing.champion = naive;
  co_return co_await desk_.judge_seed(row);
}

/// The naive kernel's row. A run that was killed before its verdict left one.
Result<archive::CandidateRecord> OperatorSearch::enter_naive(const search::Champion& naive) {
  const OperatorId op = search_.problem.op_id;
  TRY(std::optional<archive::CandidateRecord> known, search_.archive.seed_candidate(op, naive.hash));
  if (known) return std::move(*known);
  TRY(archive::Transaction transaction, search_.archive.begin());
  TRY(const IdeaId idea, search_.archive.add_idea({op, std::nullopt, "seed", naive.idea_key, naive.idea}));
  TRY(const std::vector<CandidateId> ids,
      search_.archive.add_candidates(idea, {{naive.source, naive.tunables, {}}}));
  TRY_DO(transaction.commit());
  return search_.archive.candidate(ids.front());
}

// ---------------------------------------------------------------------------------------------- rounds

asio::awaitable<Result<void>> OperatorSearch::round() {
  const Problem& problem = search_.problem;
  CO_TRY(const archive::RoundRecord row,
         search_.archive.begin_round(search_.run.job_id, problem.op_id, problem.workload));
  CO_TRY(RoundKnowledge known, context_.build(row));
  const RoundScope scope{search_, row, known.context, known.ids, environment_.exchanges, desk_};
  Round this_round(scope, environment_.ideas, promoter_);
  CO_TRY(const Round::End end, co_await this_round.play());
  if (end == Round::End::open) co_return Result<void>{};  // the next call, or the next run, continues it
  CO_TRY_DO(search_.archive.finish_round(row.id));
  if (end == Round::End::nothing_left) {
    search_.standing.stop_reason = search::kNothingLeft;
  } else {
    search::add_round(search_.standing, row.number);
  }
  note_stop();
  co_return Result<void>{};
}

void OperatorSearch::note_stop() {
  const JobPolicy& policy = search_.run.job.policy;
  search_.standing.stop_reason =
      search::reason_to_stop(search_.standing, {policy.plateau_rounds, policy.plateau_gain});
  if (stopped()) search_.observer.operator_stopped(search_.summary());
}

}  // namespace kevolve::engine
