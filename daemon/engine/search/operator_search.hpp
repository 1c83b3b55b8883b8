#pragma once
// OperatorSearch: the search for one operator at one workload, round by round, over the archive's rows.
//
//   seed()   judges naive.cu, the first champion, unless the archive has its verdict already
//   round()  ideas → implementations → gates → survivors; then the best contender is timed again and promoted
//
// operator_search.cpp seeds and sums up, round.cpp leads through a round, judging.cpp passes candidates to
// the workers, pursuit.cpp follows a model's idea through its turns, promotion.cpp makes champions. Belongs
// to the engine's thread.

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "archive/archive.hpp"
#include "core/model/job.hpp"
#include "core/model/subjects.hpp"
#include "daemon/engine/ideas/exchanges.hpp"
#include "daemon/engine/ideas/idea_sources.hpp"
#include "daemon/engine/report/observer.hpp"
#include "daemon/engine/workers/worker_pool.hpp"

namespace kevolve {

/// Why an operator ends when a round brought no idea.
inline constexpr std::string_view kNothingLeft = "no idea source has anything left to try";

/// What all operators of a run share.
struct SearchEnvironment {
  boost::asio::io_context& io;
  Archive& archive;
  WorkerShare& workers;
  IdeaSources& ideas;
  Exchanges& exchanges;
  Observer& observer;
  const Job& job;
  JobId job_id;
  RunId run_id;
  Timestamp series_began_at;
  DeviceInfo device;
  DeviceId device_id;
  int evaluations = 0;                 ///< spent so far in this run
  std::function<bool()> may_evaluate;  ///< false: budget spent or interrupted
};

class OperatorSearch {
 public:
  OperatorSearch(SearchEnvironment& environment, const Operator& op, std::string workload);

  boost::asio::awaitable<Result<void>> seed();
  /// One whole round, or the rest of an unfinished one. After it, stopped() may be true.
  boost::asio::awaitable<Result<void>> round();

  [[nodiscard]] bool stopped() const { return !stop_reason_.empty(); }
  /// Rounds of the job's present series, over all of its runs.
  [[nodiscard]] int rounds_done() const { return rounds_done_; }
  [[nodiscard]] OperatorSummary summary() const;

 private:
  struct Champion {
    CandidateId id;
    std::string hash, source, idea_key, idea;
    Bindings tunables;
    int round = 0;
    double median_us = 0, speedup = 1, speedup_low = 1;
    Timestamp since = {};  ///< it is champion
    double figure = 1;     ///< what choices go by, as in Judged
  };
  struct Judged {
    CandidateRecord candidate;
    std::string idea_key;
    EvaluationId evaluation_id;
    Evaluation evaluation;
    double figure = 0;  ///< what choices go by: the speed-up, or in a deterministic job what stands for it
  };

  // operator_search.cpp
  Result<Champion> as_champion(const ChampionRecord& record);
  Result<void> remember_champion();
  Result<void> remember_rounds();
  Result<CandidateRecord> enter_naive();
  // round.cpp
  Result<RoundContext> context(const RoundRecord& round);
  Result<std::vector<SurvivorRecord>> verified_before(const RoundRecord& round);
  void add_times(RoundContext& context) const;
  Result<void> add_profiles(RoundContext& context);
  Result<void> add_inspirations(RoundContext& context);
  boost::asio::awaitable<Result<void>> propose(const RoundRecord& round, RoundContext& known);
  Result<std::vector<std::string>> propose_from_playbook(const RoundRecord& round, RoundContext& known,
                                                         int count);
  boost::asio::awaitable<Result<std::vector<Judged>>> work(const RoundRecord& round,
                                                           const RoundContext& known);
  // judging.cpp
  boost::asio::awaitable<Result<void>> judge_into(CandidateRecord candidate, int round,
                                                  std::vector<Judged>& judged);
  boost::asio::awaitable<Result<std::optional<Judged>>> judge(CandidateRecord candidate, int round);
  boost::asio::awaitable<Result<Evaluation>> ask_workers(EvaluateRequest request);
  Result<Judged> known_judgement(const CandidateRecord& candidate);
  // pursuit.cpp
  struct ModelIdea {
    NewIdea row;
    Idea idea;
  };
  struct Pursuit;
  boost::asio::awaitable<Result<std::vector<ModelIdea>>> ideas_of(ModelSource& source, std::size_t number,
                                                                  const RoundRecord& round,
                                                                  const RoundContext& known, int count,
                                                                  std::vector<std::string>& siblings);
  boost::asio::awaitable<Result<void>> pursue(std::shared_ptr<Pursuit> pursuit);
  boost::asio::awaitable<Result<bool>> make_right(Pursuit& pursuit);
  boost::asio::awaitable<Result<void>> make_faster(Pursuit& pursuit);
  boost::asio::awaitable<Result<void>> tune(Pursuit& pursuit);
  boost::asio::awaitable<Result<bool>> attempt(Pursuit& pursuit, const ModelAnswer& answer,
                                               Relation relation);
  boost::asio::awaitable<Result<std::optional<ModelAnswer>>> ask(ModelSource& source,
                                                                 const RoundRecord& round, std::string slot,
                                                                 std::vector<Message> messages);
  Result<CandidateRecord> enter(IdeaId idea, const NewCandidate& candidate);
  // promotion.cpp
  /// False when it was broken off: the round is not over.
  boost::asio::awaitable<Result<bool>> promote_best(std::vector<Judged> judged, const RoundRecord& round);
  boost::asio::awaitable<bool> holds_on_cpu(const Judged& contender);
  struct Retimed {
    EvaluationId id;
    Evaluation evaluation;
  };
  enum class Retiming { promoted, not_faster, refuted, not_judged };
  boost::asio::awaitable<Result<Retiming>> retime(const Judged& contender, const RoundRecord& round);
  boost::asio::awaitable<Result<std::optional<Retimed>>> retime_once(const Judged& contender, bool last);
  Result<std::vector<Retimed>> earlier_retimings(const Judged& contender);
  void note_stop();

  [[nodiscard]] bool deterministic() const { return env_.job.policy.deterministic; }
  /// What choices go by, for a kernel of that measured speed-up.
  [[nodiscard]] double figure_of(const std::string& candidate_hash, double speedup) const;
  /// A figure as a time on the scale of RoundContext.
  [[nodiscard]] double scaled_us(double figure) const;
  /// The champion's time, as plateaus go by it.
  [[nodiscard]] double plateau_us(const Champion& champion) const {
    return deterministic() ? scaled_us(champion.figure) : champion.median_us;
  }
  [[nodiscard]] EvaluateRequest request_for(const CandidateRecord& candidate) const;
  [[nodiscard]] ResultKey key() const;
  [[nodiscard]] RankingQuery ranking(int top) const;
  Result<EvaluationId> record(const CandidateRecord& candidate, const Evaluation& evaluation,
                              Purpose purpose);
  /// Verified contenders faster than the champion in their own evaluation, fastest first.
  [[nodiscard]] std::vector<Judged> contenders(std::vector<Judged> judged) const;

  SearchEnvironment& env_;
  const Operator& op_;
  std::string workload_;
  std::string label_;  ///< what observers call it
  /// What speed-ups are against, interleaved with every candidate: on a GPU PyTorch, which is fast enough for
  /// that and what users compare with; on the cpu device the naive kernel.
  const std::string yardstick_;
  OperatorId op_id_;
  Champion naive_, champion_;  ///< the champion is naive until something beats it
  double eager_us_ = 0, compile_us_ = 0, floor_us_ = 0;
  double compile_speedup_ = 0;  ///< over the yardstick beside which it was timed; 0 when it was not
  int last_round_ = 0, rounds_done_ = 0;
  int evaluations_ = 0, passed_ = 0;
  std::vector<double> best_us_;             ///< before the present series and after each of its rounds
  std::map<std::string, CandidateId> ids_;  ///< of survivors, by candidate hash
  std::map<std::string, int> outcomes_;
  std::map<std::string, int> not_judged_;  ///< times that a contender was lost, by candidate hash
  /// Hashes of candidates that are being judged; the timers are cancelled when they are done.
  std::map<std::string, std::shared_ptr<boost::asio::steady_timer>> in_flight_;
  std::string stop_reason_;
};

}  // namespace kevolve
