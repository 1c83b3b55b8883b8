#pragma once
// Which kernels of other operators a round is shown. Pure.

#include <vector>

#include "core/search/idea.hpp"

namespace kevolve::search {

/// How many operations an operator asks for with each byte that it must move: about one for a row's sum,
/// hundreds for a matrix product. 0 when its costs are not known at these axes.
double operations_per_byte(const Operator& op, const Bindings& axes);

/// At most `count` of `all`: first those that something like the champion's troubles shaped, in the order
/// given, then the others in theirs. Kindred is a kernel of the same regime, or of an operator with up to 8
/// times as many or as few `operations_per_byte`.
std::vector<Inspiration> kindred_first(std::vector<Inspiration> all, Regime regime,
                                       double operations_per_byte, std::size_t count);

}  // namespace kevolve::search
