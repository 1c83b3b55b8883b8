#pragma once
// How many of a round's ideas each source proposes. Pure.

#include <vector>

namespace kevolve::search {

/// `count` divided by weights; what rounding takes from a source in one round it gets in a later one, so that
/// over many rounds the shares are the weights'. `round` counts from 1.
std::vector<int> apportion(int count, const std::vector<double>& weights, int round);

}  // namespace kevolve::search
