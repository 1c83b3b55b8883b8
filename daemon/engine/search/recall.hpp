#pragma once
// Recall: how a search stands, from the archive's rows. What a run needs to continue is there, never only in
// memory.

#include "daemon/engine/judging/search_state.hpp"

namespace kevolve::engine {

/// The standing at the beginning of a run: the naive kernel with its evaluation, the champion, and the rounds
/// that the job's present series has behind it.
/// `naive`: its id, source, tunables, hash and idea.
Result<search::Standing> recall_standing(const SearchState& search, search::Champion naive,
                                         const Evaluation& evaluation);

/// Brings the champion, and what torch.compile takes beside it, up to date with the archive.
Result<void> recall_champion(const SearchState& search, search::Standing& standing);

}  // namespace kevolve::engine
