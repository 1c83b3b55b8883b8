#pragma once
// Promoter: makes the best contender of a round champion, if it holds. A contender is timed again, several
// times, by the desk; core/search/promotion.hpp decides. Belongs to the engine's thread.

#include <map>

#include "core/search/promotion.hpp"
#include "daemon/engine/judging/judge_desk.hpp"
#include "daemon/engine/judging/search_state.hpp"

namespace kevolve::engine {

class Promoter {
 public:
  /// Both references must outlive the promoter. It updates the search's champion.
  Promoter(SearchState& search, JudgeDesk& desk) : search_(search), desk_(desk) {}

  /// False when it could not finish: the budget is spent, or workers failed. The round then stays open.
  boost::asio::awaitable<Result<bool>> promote_best(std::vector<Judged> judged,
                                                    const archive::RoundRecord& round);

 private:
  enum class Trial { promoted, not_faster, refuted, not_judged };
  /// A contender's evaluations in fresh processes, in order.
  struct Retimings {
    std::vector<EvaluationId> ids;
    std::vector<Evaluation> evaluations;
  };

  boost::asio::awaitable<Result<Trial>> try_contender(const Judged& contender,
                                                      const archive::RoundRecord& round);
  Result<Retimings> earlier_retimings(const Judged& contender);
  Result<void> promote(const Judged& contender, EvaluationId evaluation, const archive::RoundRecord& round);
  void warn_of_refutation(const Judged& contender, const Evaluation& evaluation);
  [[nodiscard]] std::vector<Judged> ranked(std::vector<Judged> judged) const;
  [[nodiscard]] bool may_evaluate() const { return search_.allowance.may_evaluate(); }

  SearchState& search_;
  JudgeDesk& desk_;
  std::map<std::string, int> not_judged_;  ///< times that workers failed on a contender, by candidate hash
};

}  // namespace kevolve::engine
