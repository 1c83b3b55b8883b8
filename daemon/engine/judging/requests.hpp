#pragma once
// What workers are asked: the requests of a search. Pure.

#include <optional>

#include "core/model/worker_protocol.hpp"
#include "daemon/engine/judging/search_state.hpp"

namespace kevolve::engine {

/// A candidate's first evaluation, beside the naive kernel or PyTorch, and beside the champion. With hardware
/// counters when a model is to improve it.
EvaluateRequest first_request(const SearchState& search, const archive::CandidateRecord& candidate);
/// The naive kernel's, beside PyTorch's own ways.
EvaluateRequest seed_request(const SearchState& search, const archive::CandidateRecord& naive);
/// On draws that no other candidate has met.
EvaluateRequest retiming_request(const SearchState& search, const archive::CandidateRecord& contender,
                                 bool last);
/// Only correctness, at the small workload of the cpu device. Nothing where races show anyway, or where the
/// operator has no small workload.
std::optional<EvaluateRequest> race_request(const SearchState& search,
                                            const archive::CandidateRecord& contender);

}  // namespace kevolve::engine
