#pragma once
// How inputs are drawn.
//
// The kinds of distributions that operator.json may name are core/gates/draw_plan.hpp.
// Pure functions of seed and stream; thread-safe.

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "core/devices/memory.hpp"
#include "core/gates/seed.hpp"
#include "core/model/operator.hpp"

namespace kevolve::judge {

using Bytes = std::vector<std::byte>;

/// Fills `out` (of `count` elements of `dtype`). Fails on an unknown kind or parameter, naming the known
/// ones.
Result<void> draw_tensor(const InputDraw& draw, DType dtype, std::span<std::byte> out,
                         const gates::Seed& seed, std::uint64_t stream);

/// One input as drawn, in the Memory of whoever drew it.
struct DrawnInput {
  std::shared_ptr<std::byte> data;
  std::size_t size_bytes = 0;
};

/// Draws all inputs of the operator at `axes`, in its order. `number` tells the draws of one evaluation
/// apart.
Result<std::vector<DrawnInput>> draw_inputs(devices::Memory& memory, const Operator& op, const Bindings& axes,
                                            const Distribution& distribution, const gates::Seed& seed,
                                            std::uint64_t number);

}  // namespace kevolve::judge
