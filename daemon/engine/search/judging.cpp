// Candidates to the workers and their evaluations into the archive: the half of OperatorSearch that waits.

#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "daemon/engine/search/operator_search.hpp"

namespace kevolve {
namespace asio = boost::asio;
using namespace subjects;
namespace {

/// A request that failed for no fault of its candidate (a runner killed from outside, say) is sent again.
constexpr int kAttempts = 6;

/// While it lives, candidates of that hash wait.
class InFlight {
 public:
  using Waiting = std::map<std::string, std::shared_ptr<asio::steady_timer>>;
  InFlight(asio::io_context& io, Waiting& waiting, std::string hash)
      : waiting_(waiting), hash_(std::move(hash)) {
    waiting_[hash_] = std::make_shared<asio::steady_timer>(io, asio::steady_timer::time_point::max());
  }
  ~InFlight() {
    const auto own = waiting_.find(hash_);
    own->second->cancel();
    waiting_.erase(own);
  }
  InFlight(const InFlight&) = delete;
  InFlight& operator=(const InFlight&) = delete;

 private:
  Waiting& waiting_;
  const std::string hash_;
};

}  // namespace

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
  // A model that is to make its kernel faster is told what counters say of it.
  if (candidate.exchange && env_.job.policy.improve_turns > 0 && env_.device.traits().has_counters)
    request.last_gate = Gate::profile;
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

/// As it was judged first: retimings, which came later in its round, may have decided it anew since.
Result<OperatorSearch::Judged> OperatorSearch::known_judgement(const CandidateRecord& candidate) {
  Result<CandidateDetail> detail = env_.archive.detail(candidate.id);
  if (!detail) return failure(detail.error());
  for (EvaluationRecord& record : detail->evaluations) {
    const bool first = record.purpose == Purpose::search || record.purpose == Purpose::manual;
    if (!first || record.workload != workload_ || record.evaluation.device.key() != env_.device.key())
      continue;
    const double figure = figure_of(candidate.hash, record.evaluation.speedup);
    return Judged{candidate, detail->idea.key, record.id, std::move(record.evaluation), figure};
  }
  Result<EvaluationRecord> record = env_.archive.evaluation(*candidate.evaluation);
  if (!record) return failure(record.error());
  const double figure = figure_of(candidate.hash, record->evaluation.speedup);
  return Judged{candidate, detail->idea.key, record->id, std::move(record->evaluation), figure};
}

/// The answer; a request that failed for no fault of its candidate is sent again.
asio::awaitable<Result<Evaluation>> OperatorSearch::ask_workers(EvaluateRequest request) {
  Result<Evaluation> evaluation = failure("not asked yet");
  for (int attempt = 0; attempt < kAttempts && !evaluation && (attempt == 0 || env_.may_evaluate());
       ++attempt) {
    evaluation = co_await env_.workers.evaluate(request);
  }
  co_return evaluation;
}

asio::awaitable<Result<void>> OperatorSearch::judge_into(CandidateRecord candidate, int round,
                                                         std::vector<Judged>& judged) {
  Result<std::optional<Judged>> one = co_await judge(std::move(candidate), round);
  if (!one) co_return failure(one.error());
  if (*one) judged.push_back(std::move(**one));
  co_return Result<void>{};
}

/// Nothing when it was not judged: the budget is spent, or the workers could not (the observer was told).
asio::awaitable<Result<std::optional<OperatorSearch::Judged>>> OperatorSearch::judge(
    CandidateRecord candidate, int round) {
  if (candidate.evaluation) co_return known_judgement(candidate);
  // An identical candidate that is being judged answers for this one, too.
  for (auto twin = in_flight_.find(candidate.hash); twin != in_flight_.end();
       twin = in_flight_.find(candidate.hash)) {
    const std::shared_ptr<asio::steady_timer> done = twin->second;
    boost::system::error_code ignored;
    co_await done->async_wait(asio::redirect_error(asio::use_awaitable, ignored));
  }
  if (!env_.may_evaluate()) co_return std::nullopt;
  const auto known = env_.archive.find_evaluation(candidate.hash, op_id_, workload_, env_.device_id);
  if (!known) co_return failure(known.error());
  if (*known) {
    if (const auto reused = env_.archive.reuse_evaluation(candidate.id, (*known)->id); !reused)
      co_return failure(reused.error());
    co_return Judged{candidate, "", (*known)->id, (*known)->evaluation,
                     figure_of(candidate.hash, (*known)->evaluation.speedup)};
  }
  ++env_.evaluations;  // spent plus in flight counts against the budget
  const InFlight in_flight(env_.io, in_flight_, candidate.hash);
  Result<Evaluation> evaluation = co_await ask_workers(request_for(candidate));
  if (!evaluation) {
    --env_.evaluations;
    if (env_.may_evaluate()) {
      env_.observer.warned(fmt::format("{} candidate {} was not judged: {}", op_.name,
                                       candidate.hash.substr(0, 12), evaluation.error().message));
    }
    co_return std::nullopt;
  }
  const auto recorded = record(candidate, *evaluation, Purpose::search);
  if (!recorded) co_return failure(recorded.error());
  ++evaluations_;
  ++outcomes_[std::string(name(evaluation->verdict.outcome))];
  if (evaluation->verdict.passed()) ++passed_;
  const std::string idea_key = env_.archive.idea_key(candidate.id).value_or("");
  env_.observer.evaluated(label_, round, candidate.hash, idea_key, *evaluation);
  const double figure = figure_of(candidate.hash, evaluation->speedup);
  co_return Judged{std::move(candidate), idea_key, *recorded, std::move(*evaluation), figure};
}

}  // namespace kevolve
