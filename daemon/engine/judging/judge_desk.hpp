#pragma once
// JudgeDesk: where a search hands in candidates and gets their verdicts back. WorkerDesk passes them to
// workers; tests put a fake in its place. Belongs to the engine's thread.
//
// Every function may wait for a long time. An Error means that the archive failed.

#include <boost/asio/awaitable.hpp>
#include <optional>
#include <string>

#include "archive/records.hpp"
#include "core/text/result.hpp"

namespace kevolve::engine {

/// A candidate with the evaluation that decided it.
struct Judged {
  archive::CandidateRecord candidate;
  std::string idea_key;
  EvaluationId evaluation_id;
  Evaluation evaluation;
  double score = 0;  ///< what choices go by (core/search/scale.hpp)
};

/// One more evaluation of a contender, in fresh processes.
struct Retimed {
  EvaluationId id;
  Evaluation evaluation;
};

class JudgeDesk {
 public:
  virtual ~JudgeDesk() = default;

  /// The naive kernel's first evaluation, with all baselines. Also an Error when no worker could make it.
  virtual boost::asio::awaitable<Result<Evaluation>> judge_seed(const archive::CandidateRecord& naive) = 0;

  /// The candidate's evaluation: an earlier one of an identical candidate, or a new one, archived before this
  /// returns. Nothing when there is none: the budget is spent, or the workers failed (the observer knows).
  /// `round`: its number, for the observer.
  virtual boost::asio::awaitable<Result<std::optional<Judged>>> judge(archive::CandidateRecord candidate,
                                                                      int round) = 0;

  /// Evaluates a contender again in fresh processes, beside the champion. Nothing: as for judge(). The `last`
  /// retiming also reads hardware counters, where the device has them.
  virtual boost::asio::awaitable<Result<std::optional<Retimed>>> retime(
      const archive::CandidateRecord& contender, bool last) = 0;

  /// False when a contender fails where races show (the observer knows why). A GPU runs threads in an order
  /// of its choice, so a race may never show there; the cpu device chooses the order.
  virtual boost::asio::awaitable<bool> shows_no_race(const archive::CandidateRecord& contender) = 0;
};

}  // namespace kevolve::engine
