#pragma once
// DrawPlan: how one input tensor is filled, as data: a few segments of one regime each, and single values put
// over them. Made on the host; filled where the tensor lies, every element by itself (draw_value.hpp).
//
// kind             parameters (defaults)                what it is for
// normal           mean (0), std (1)                    plain data; mean 1000 with std 0.1 shows cancellation
// uniform          low (0), high (1)                    sums that only grow
// constant         value                                degenerate statistics
// impulse          value (1), count (1)                 zeros but for a few places: every element must be
// read mixed_magnitude  low_exponent (-10), high_exponent (10)   ± 2^e, e even over the range: absorbed small
// terms integers         low, high                            sums and products exact in fp32 and not in less
// special_values   count (1)                            normal, with so many each of NaN, ±Inf, ±0, denormals
// ramp             low (0), high (1)                    every position has its own value: wrong indices show
// clustered        clusters (4), spread (0.01)          many near ties
// mixture          none                                 segments of random length: normal, uniform, large
// mean
//                                                       with small spread, tiny, mixed magnitude
// Pure functions of seed and stream; thread-safe.

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "core/gates/draw_value.hpp"
#include "core/gates/seed.hpp"
#include "core/model/operator.hpp"

namespace kevolve {

struct DrawPlan {
  std::size_t count = 0;              ///< elements of the tensor
  std::vector<DrawSegment> segments;  ///< ascending, the first at 0; none when count is 0
  std::vector<DrawSingle> singles;    ///< ascending, each index once
  Randomness random;
};

/// Fails on an unknown kind or parameter, naming the known ones.
Result<DrawPlan> plan_draw(const InputDraw& draw, DType dtype, std::size_t count, const Seed& seed,
                           std::uint64_t stream);

/// On the host. `out` holds plan.count elements.
void fill(const DrawPlan& plan, DType dtype, std::span<std::byte> out);

}  // namespace kevolve
