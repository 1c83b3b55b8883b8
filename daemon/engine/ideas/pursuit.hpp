#pragma once
// Pursuit: one way of carrying out one idea of a model's, through all its turns. All of it can be done again
// from the archive: replies are found by their slots, candidates by their hash, verdicts by theirs.

#include <string>
#include <vector>

#include "daemon/engine/search/operator_search.hpp"

namespace kevolve {

struct OperatorSearch::Pursuit {
  ModelSource& source;
  const RoundRecord& round;
  const RoundContext& known;
  std::vector<Judged>& judged;  ///< of the whole round
  IdeaRecord row;
  Idea idea;
  int ordinal = 1;  ///< of the idea among those of models in its round
  int way = 1;
  CandidateAttempt latest = {};               ///< what the next turn is told of
  std::optional<CandidateId> latest_id = {};  ///< when it became a candidate
  std::optional<ExchangeId> exchange = {};    ///< that wrote it
};

/// An archived idea as its source proposed it; `parents`: keys of the ideas it builds on.
Idea as_idea(const IdeaRecord& row, std::vector<std::string> parents);

/// A name for an idea that has none: its first telling words and four digits of its hash,
/// "split-each-row-over-3fa2".
std::string idea_key(std::string_view text);

}  // namespace kevolve
