#include "core/judge/draws.hpp"

#include <fmt/format.h>

#include "core/gates/draw_plan.hpp"

namespace kevolve::judge {

Result<void> draw_tensor(const InputDraw& draw, DType dtype, std::span<std::byte> out,
                         const gates::Seed& seed, std::uint64_t stream) {
  const auto plan = gates::plan_draw(draw, dtype, out.size() / size_bytes(dtype), seed, stream);
  if (!plan) return failure(plan.error());
  gates::fill(*plan, dtype, out);
  return {};
}

Result<std::vector<DrawnInput>> draw_inputs(devices::Memory& memory, const Operator& op, const Bindings& axes,
                                            const Distribution& distribution, const gates::Seed& seed,
                                            std::uint64_t number) {
  std::vector<DrawnInput> inputs;
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
    const auto refuse = [&](const Error& error) {
      return failure(error.in(fmt::format("distribution '{}', input '{}'", distribution.name, input.name)));
    };
    const auto plan =
        gates::plan_draw(draw->second, input.dtype, count, seed, (number << 16) + inputs.size());
    if (!plan) return refuse(plan.error());
    const std::size_t bytes = count * size_bytes(input.dtype);
    auto data = memory.allocate(bytes);
    if (!data) return refuse(data.error());
    memory.draw(*plan, input.dtype, data->get(), count);
    inputs.push_back({std::move(*data), bytes});
  }
  return inputs;
}

}  // namespace kevolve::judge
