#pragma once
// WorkerDesk: the JudgeDesk whose verdicts come from workers. A candidate's way through it:
//
//   judge()  known already? → its rows
//            an identical candidate in flight? → wait for it, then its evaluation counts for this one
//            else → request → a worker, again if that fails → evaluation row
//
// Belongs to the engine's thread. Any number of candidates may be in flight.

#include <boost/asio/io_context.hpp>
#include <map>
#include <memory>

#include "daemon/engine/judging/judge_desk.hpp"
#include "daemon/engine/judging/search_state.hpp"
#include "daemon/engine/workers/signal.hpp"
#include "daemon/engine/workers/worker_pool.hpp"

namespace kevolve::engine {

class WorkerDesk final : public JudgeDesk {
 public:
  /// All references must outlive the desk. Counts verdicts in the search's standing.
  WorkerDesk(boost::asio::io_context& io, SearchState& search, WorkerShare& workers)
      : io_(io), search_(search), workers_(workers) {}

  boost::asio::awaitable<Result<Evaluation>> judge_seed(const archive::CandidateRecord& naive) override;
  boost::asio::awaitable<Result<std::optional<Judged>>> judge(archive::CandidateRecord candidate,
                                                              int round) override;
  boost::asio::awaitable<Result<std::optional<Retimed>>> retime(const archive::CandidateRecord& contender,
                                                                bool last) override;
  boost::asio::awaitable<bool> shows_no_race(const archive::CandidateRecord& contender) override;

 private:
  class InFlight;

  Result<Judged> first_judgement(archive::CandidateRecord candidate);
  Result<std::optional<Judged>> judgement_of_twin(const archive::CandidateRecord& candidate);
  boost::asio::awaitable<void> twins_done(std::string hash);
  boost::asio::awaitable<Result<Evaluation>> ask_workers(EvaluateRequest request);
  Result<EvaluationId> record(const archive::CandidateRecord& candidate, const Evaluation& evaluation,
                              archive::Purpose purpose);
  [[nodiscard]] Judged judged(archive::CandidateRecord candidate, std::string idea_key, EvaluationId id,
                              Evaluation evaluation) const;
  void warn(std::string_view what);

  boost::asio::io_context& io_;
  SearchState& search_;
  WorkerShare& workers_;
  std::map<std::string, std::shared_ptr<Signal>> in_flight_;  ///< by candidate hash; notified when done
};

}  // namespace kevolve::engine
