#pragma once
// Who survives a round, and what a policy lets the next round see. Pure.

#include <vector>

#include "core/model/job.hpp"
#include "core/search/idea.hpp"

namespace kevolve::search {

/// The `count` fastest kernels, best first, at most `per_idea` of the same entry of the playbook (or of the
/// same idea): a population of near-copies finds nothing new.
std::vector<Survivor> select_survivors(std::vector<Survivor> verified, std::size_t count,
                                       std::size_t per_idea = 2);

/// What idea sources of a policy are shown: `sample` gets no feedback at all, `refine` builds on the champion
/// only, `evolve` sees survivors and ledger. `tried` is always shown: nobody pays twice for the same
/// candidate.
RoundContext visible_to(PolicyKind policy, RoundContext context);

}  // namespace kevolve::search
