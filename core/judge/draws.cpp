#include "core/judge/draws.hpp"

#include <fmt/format.h>

#include "core/gates/draw_plan.hpp"

namespace kevolve {

Result<void> draw_tensor(const InputDraw& draw, DType dtype, std::span<std::byte> out, const Seed& seed,
                         std::uint64_t stream) {
  const auto plan = plan_draw(draw, dtype, out.size() / size_bytes(dtype), seed, stream);
  if (!plan) return failure(plan.error());
  fill(*plan, dtype, out);
  return {};
}

Result<std::vector<Bytes>> draw_inputs(const Operator& op, const Bindings& axes,
                                       const Distribution& distribution, const Seed& seed,
                                       std::uint64_t number) {
  std::vector<Bytes> inputs;
  for (const TensorSpec& input : op.inputs) {
    const auto shape = shape_at(input, axes);
    if (!shape) return failure(shape.error());
    std::size_t count = 1;
    for (const std::int64_t extent : *shape) count *= static_cast<std::size_t>(extent);
    auto draw = distribution.draws.find(input.name);
    if (draw == distribution.draws.end()) draw = distribution.draws.find("*");
    if (draw == distribution.draws.end()) {
      return failure(
          fmt::format("distribution '{}' does not say how to draw input '{}' and has no \"*\" entry",
                      distribution.name, input.name));
    }
    Bytes bytes(count * size_bytes(input.dtype));
    const auto filled = draw_tensor(draw->second, input.dtype, bytes, seed, (number << 16) + inputs.size());
    if (!filled) {
      return failure(
          filled.error().in(fmt::format("distribution '{}', input '{}'", distribution.name, input.name)));
    }
    inputs.push_back(std::move(bytes));
  }
  return inputs;
}

}  // namespace kevolve
