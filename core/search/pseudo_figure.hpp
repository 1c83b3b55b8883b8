#pragma once
// The figure that a deterministic job goes by instead of a measured speed-up. Pure.

#include <cstdint>
#include <string_view>

namespace kevolve::search {

/// From the job's seed and the candidate's hash alone, within [0.5, 4): the naive kernel's is 1, so that some
/// candidates are "faster" and some are not.
double pseudo_figure(std::uint64_t seed, std::string_view candidate_hash);

}  // namespace kevolve::search
