#pragma once
// RoundContextBuilder: what a search knows when a round begins, from the archive's rows. A round that is
// resumed gets what it got the first time: its own rows do not count. Belongs to the engine's thread.

#include <functional>
#include <map>

#include "core/search/idea.hpp"
#include "daemon/engine/judging/search_state.hpp"

namespace kevolve::engine {

struct RoundKnowledge {
  search::RoundContext context;
  std::map<std::string, CandidateId> ids;  ///< of its survivors, by candidate hash
};

/// An operator by name; an Error when it is not installed here.
using OperatorFinder = std::function<Result<Operator>(const std::string& name)>;

class RoundContextBuilder {
 public:
  /// `search` must outlive the builder.
  RoundContextBuilder(const SearchState& search, OperatorFinder find_operator)
      : search_(search), find_operator_(std::move(find_operator)) {}

  Result<RoundKnowledge> build(const archive::RoundRecord& round);

 private:
  Result<std::vector<archive::SurvivorRecord>> verified_before(const archive::RoundRecord& round);
  Result<void> add_survivors(RoundKnowledge& known, const archive::RoundRecord& round);
  void add_times(search::RoundContext& context) const;
  Result<void> add_profiles(search::RoundContext& context);
  Result<void> add_inspirations(search::RoundContext& context);
  Result<std::optional<search::Inspiration>> inspiration_of(const std::string& operator_name);
  Result<void> add_ledger(search::RoundContext& context, const archive::RoundRecord& round);

  const SearchState& search_;
  const OperatorFinder find_operator_;
};

/// The ledger's rows of a workload, one entry an idea, in the order in which the ideas were first tried;
/// without the rows of the round that the ledger is for.
std::vector<search::LedgerEntry> by_idea(const std::vector<archive::LedgerRecord>& rows,
                                         const std::string& workload, RoundId except);

}  // namespace kevolve::engine
