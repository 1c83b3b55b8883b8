#include "daemon/engine/judging/worker_desk.hpp"

#include <fmt/format.h>

#include "core/model/subjects.hpp"
#include "core/text/utf8.hpp"
#include "core/text/words.hpp"
#include "daemon/engine/judging/requests.hpp"

namespace kevolve::engine {
namespace asio = boost::asio;
namespace {

/// Times that a request is sent when it fails for no fault of its candidate, as when a runner is killed from
/// outside.
constexpr int kAttempts = 6;

std::string short_hash(const archive::CandidateRecord& candidate) {
  return candidate.hash.substr(0, 12);
}

/// The first line of a text, cut to `length` bytes.
std::string start_of_first_line(const std::string& text, std::size_t length) {
  const std::string_view first = first_line(text);
  return std::string(first.substr(0, utf8_boundary(first, length))) + (first.size() <= length ? "" : " …");
}

}  // namespace

/// While it lives, identical candidates wait.
class WorkerDesk::InFlight {
 public:
  InFlight(WorkerDesk& desk, std::string hash) : in_flight_(desk.in_flight_), hash_(std::move(hash)) {
    in_flight_[hash_] = std::make_shared<Signal>(desk.io_);
  }
  ~InFlight() {
    const auto own = in_flight_.find(hash_);
    own->second->notify();
    in_flight_.erase(own);
  }
  InFlight(const InFlight&) = delete;
  InFlight& operator=(const InFlight&) = delete;

 private:
  std::map<std::string, std::shared_ptr<Signal>>& in_flight_;
  const std::string hash_;
};

// --------------------------------------------------------------------------------------------- judging

asio::awaitable<Result<Evaluation>> WorkerDesk::judge_seed(const archive::CandidateRecord& naive) {
  Result<Evaluation> answer = co_await ask_workers(seed_request(search_, naive));
  if (!answer) co_return failure(answer.error().in(search_.problem.op.name + " naive.cu"));
  Evaluation& evaluation = *answer;
  search_.allowance.take();
  // Against itself: the ranking then holds the naive kernel at 1 x.
  if (search_.problem.yardstick() == subjects::kNaive)
    evaluation.speedup = evaluation.speedup_low = evaluation.verdict.passed() ? 1 : 0;
  CO_TRY_DO(record(naive, evaluation, archive::Purpose::search));
  co_return std::move(evaluation);
}

asio::awaitable<Result<std::optional<Judged>>> WorkerDesk::judge(archive::CandidateRecord candidate,
                                                                 int round) {
  if (candidate.evaluation) co_return first_judgement(std::move(candidate));
  co_await twins_done(candidate.hash);
  if (!search_.allowance.may_evaluate()) co_return std::nullopt;
  CO_TRY(std::optional<Judged> known, judgement_of_twin(candidate));
  if (known) co_return std::move(known);
  search_.allowance.take();  // now: what is in flight counts against the budget
  const InFlight in_flight(*this, candidate.hash);
  Result<Evaluation> evaluation = co_await ask_workers(first_request(search_, candidate));
  if (!evaluation) {
    search_.allowance.give_back();
    warn(fmt::format("{} candidate {} was not judged: {}", search_.problem.op.name, short_hash(candidate),
                     evaluation.error().message));
    co_return std::nullopt;
  }
  CO_TRY(const EvaluationId id, record(candidate, *evaluation, archive::Purpose::search));
  search_.standing.counts.add(evaluation->verdict);
  std::string idea_key = search_.archive.idea_key(candidate.id).value_or("");
  search_.observer.evaluated(search_.problem.label(), round, candidate.hash, idea_key, *evaluation);
  co_return judged(std::move(candidate), std::move(idea_key), id, std::move(*evaluation));
}

/// Several twins may have waited for the same one: the first to wake goes ahead, the others wait for it.
asio::awaitable<void> WorkerDesk::twins_done(std::string hash) {
  for (auto twin = in_flight_.find(hash); twin != in_flight_.end(); twin = in_flight_.find(hash)) {
    const std::shared_ptr<Signal> done = twin->second;
    co_await done->wait();
  }
}

/// The evaluation of an identical candidate, which then counts for this one; nothing when there is none.
Result<std::optional<Judged>> WorkerDesk::judgement_of_twin(const archive::CandidateRecord& candidate) {
  const Problem& problem = search_.problem;
  TRY(std::optional<archive::EvaluationRecord> known,
      search_.archive.find_evaluation(candidate.hash, problem.op_id, problem.workload, problem.device_id));
  if (!known) return std::nullopt;
  TRY_DO(search_.archive.reuse_evaluation(candidate.id, known->id));
  return judged(candidate, "", known->id, std::move(known->evaluation));
}

/// As the candidate was judged first: retimings, which came later in its round, may have decided it anew.
Result<Judged> WorkerDesk::first_judgement(archive::CandidateRecord candidate) {
  TRY(archive::CandidateDetail detail, search_.archive.detail(candidate.id));
  const Problem& problem = search_.problem;
  for (archive::EvaluationRecord& row : detail.evaluations) {
    const bool first = row.purpose == archive::Purpose::search || row.purpose == archive::Purpose::manual;
    const bool here = row.workload == problem.workload && row.evaluation.device.key() == problem.device.key();
    if (first && here)
      return judged(std::move(candidate), detail.idea.key, row.id, std::move(row.evaluation));
  }
  TRY(archive::EvaluationRecord row, search_.archive.evaluation(*candidate.evaluation));
  return judged(std::move(candidate), detail.idea.key, row.id, std::move(row.evaluation));
}

Judged WorkerDesk::judged(archive::CandidateRecord candidate, std::string idea_key, EvaluationId id,
                          Evaluation evaluation) const {
  const double score = search_.standing.scale.score(candidate.hash, evaluation.speedup);
  return {std::move(candidate), std::move(idea_key), id, std::move(evaluation), score};
}

// ------------------------------------------------------------------------------------------ contenders

asio::awaitable<Result<std::optional<Retimed>>> WorkerDesk::retime(const archive::CandidateRecord& contender,
                                                                   bool last) {
  Result<Evaluation> evaluation = co_await ask_workers(retiming_request(search_, contender, last));
  if (!evaluation) {
    warn(evaluation.error().in("timing a contender again").message);
    co_return std::nullopt;
  }
  search_.allowance.take();
  CO_TRY(const EvaluationId id, record(contender, *evaluation, archive::Purpose::retime));
  co_return Retimed{id, std::move(*evaluation)};
}

asio::awaitable<bool> WorkerDesk::shows_no_race(const archive::CandidateRecord& contender) {
  std::optional<EvaluateRequest> request = race_request(search_, contender);
  if (!request) co_return true;
  const Result<Evaluation> evaluation = co_await workers_.evaluate(std::move(*request));
  if (!evaluation) co_return true;  // these workers have no cpu device: nothing was learned
  switch (evaluation->verdict.outcome) {
    case Outcome::race:
    case Outcome::wrong_result:
    case Outcome::unwritten:
    case Outcome::illegal_access:
    case Outcome::deadlock:
      search_.observer.warned(fmt::format("{}: candidate {} passed on {}, but not on the cpu device: {}: {}",
                                          search_.problem.op.name, short_hash(contender),
                                          search_.problem.device.name, name(evaluation->verdict.outcome),
                                          start_of_first_line(evaluation->verdict.evidence, 300)));
      co_return false;
    default:
      co_return true;  // passed, or needs tensor cores, or its tunables do not fit the small workload
  }
}

// -------------------------------------------------------------------------------------------- workers

asio::awaitable<Result<Evaluation>> WorkerDesk::ask_workers(EvaluateRequest request) {
  Result<Evaluation> evaluation = co_await workers_.evaluate(request);
  for (int attempt = 1; attempt < kAttempts && !evaluation && search_.allowance.may_evaluate(); ++attempt)
    evaluation = co_await workers_.evaluate(request);
  co_return evaluation;
}

Result<EvaluationId> WorkerDesk::record(const archive::CandidateRecord& candidate,
                                        const Evaluation& evaluation, archive::Purpose purpose) {
  archive::NewEvaluation row;
  row.candidate = candidate.id;
  row.run = search_.run.run_id;
  row.workload = search_.problem.workload;
  row.precision = search_.problem.op.precision;
  row.yardstick = evaluation.measurements.empty() ? "" : search_.problem.yardstick();
  row.purpose = purpose;
  row.evaluation = evaluation;
  return search_.archive.record_evaluation(row);
}

/// A run that is ending need not say what it did not judge.
void WorkerDesk::warn(std::string_view what) {
  if (search_.allowance.may_evaluate()) search_.observer.warned(what);
}

}  // namespace kevolve::engine
