#pragma once
// Round: one round of a search. A candidate's way through it:
//
//   propose()  sources write ideas, some with candidates: rows, all in one transaction
//   work()     the desk judges those candidates; sources write further ones and have them judged
//   promote    the best contender is timed again and may become champion (promoter.hpp)
//
// A round that was interrupted anywhere starts over, finds its rows, and does the rest. Belongs to the
// engine's thread.

#include "daemon/engine/ideas/idea_sources.hpp"
#include "daemon/engine/search/promoter.hpp"

namespace kevolve::engine {

class Round {
 public:
  /// Everything must outlive play().
  Round(RoundScope scope, IdeaSources& sources, Promoter& promoter)
      : scope_(scope), search_(scope.search), sources_(sources), promoter_(promoter) {}

  enum class End {
    open,          ///< the budget is spent, or workers failed: it is to be continued
    nothing_left,  ///< no source had an idea
    over,
  };
  boost::asio::awaitable<Result<End>> play();

 private:
  boost::asio::awaitable<Result<void>> propose();
  boost::asio::awaitable<Result<std::vector<std::vector<Proposal>>>> ask_sources();
  Result<void> write(const std::vector<std::vector<Proposal>>& proposals);
  boost::asio::awaitable<Result<std::vector<Judged>>> work();
  boost::asio::awaitable<Result<std::vector<Judged>>> work_once();
  boost::asio::awaitable<Result<void>> judge(archive::CandidateRecord candidate, std::vector<Judged>& judged);
  boost::asio::awaitable<Result<void>> carry_out(const archive::IdeaRecord& idea,
                                                 const std::vector<archive::IdeaRecord>& ideas,
                                                 std::vector<Judged>& judged);
  [[nodiscard]] bool may_evaluate() const { return search_.allowance.may_evaluate(); }

  RoundScope scope_;
  SearchState& search_;
  IdeaSources& sources_;
  Promoter& promoter_;
};

}  // namespace kevolve::engine
