#pragma once
// How inputs are drawn: the kinds of distributions that operator.json may name, with their parameters.
//
// kind             parameters (defaults)                what it is for
// normal           mean (0), std (1)                    plain data; mean 1000 with std 0.1 shows cancellation
// uniform          low (0), high (1)                    sums that only grow
// constant         value                                degenerate statistics
// impulse          value (1), count (1)                 zeros but for a few places: every element must be
// read mixed_magnitude  low_exponent (-10), high_exponent (10)   ± 2^e, e even over the range: absorbed small
// terms integers         low, high                            sums and products that are exact in fp32 and
// not in less special_values   count (1)                            normal, with so many each of NaN, ±Inf,
// ±0 and denormals ramp             low (0), high (1)                    every position has its own value:
// wrong indices show clustered        clusters (4), spread (0.01)          many near ties mixture none
// segments of random length, each of another regime: normal,
//                                                       uniform, large mean with small spread, tiny, mixed
//                                                       magnitude
// Pure functions of seed and stream; thread-safe.

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "core/judge/seed.hpp"
#include "core/model/operator.hpp"

namespace kevolve {

using Bytes = std::vector<std::byte>;

/// Fills `out` (of `count` elements of `dtype`). Fails on an unknown kind or parameter, naming the known
/// ones.
Result<void> draw_tensor(const InputDraw& draw, DType dtype, std::span<std::byte> out, const Seed& seed,
                         std::uint64_t stream);

/// Draws all inputs of the operator at `axes`, in its order. `number` tells the draws of one evaluation
/// apart.
Result<std::vector<Bytes>> draw_inputs(const Operator& op, const Bindings& axes,
                                       const Distribution& distribution, const Seed& seed,
                                       std::uint64_t number);

}  // namespace kevolve
