#include "core/model/launch_plan.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "core/model/field_checks.hpp"

namespace kevolve {
namespace {

constexpr std::int64_t kMaxScratchElements = std::int64_t{1} << 40;
constexpr std::int64_t kMaxGridX = 2147483647, kMaxGridYz = 65535, kMaxBlockZ = 64, kMaxCluster = 16;
constexpr std::int64_t kMaxRegisters = 255, kMaxBox = 256;
constexpr std::int64_t kMaxStrideBytes = std::int64_t{1} << 40;

// A decimal literal of type int, or of long long where int is too small.
std::string integer_literal(std::int64_t value) {
  if (value == std::numeric_limits<std::int64_t>::min()) return "(-9223372036854775807LL-1)";
  const bool small = value >= std::numeric_limits<std::int32_t>::min() && value <= kMaxGridX;
  return fmt::format("{}{}", value, small ? "" : "LL");
}

// The shortest literal that reads back as exactly this value.
template <class Real>
std::string real_literal(Real value) {
  std::string text = fmt::format("{}", value);
  if (text.find_first_of(".e") == std::string::npos) text += ".0";
  return text;
}

std::string scalar_literal(const Scalar& scalar) {
  switch (scalar.dtype) {
    case DType::f32:
      return real_literal(static_cast<float>(scalar.value)) + "f";
    case DType::f64:
      return real_literal(scalar.value);
    case DType::i64:
      return fmt::format("{}LL", static_cast<std::int64_t>(scalar.value));
    default:
      return integer_literal(static_cast<std::int64_t>(scalar.value));
  }
}

// Computes a plan; the first thing that does not hold ends it with a Verdict.
class Resolver {
 public:
  Resolver(const CandidateHeader& header, const Operator& op, const DeviceLimits& limits)
      : header_(header), op_(op), limits_(limits) {}

  tl::expected<LaunchPlan, Verdict> run(const Bindings& axes, const Bindings& tunables) {
    try {
      bind(axes, tunables);
      constraints();
      buffers();
      for (std::size_t i = 0; i < header_.prepare.size(); ++i) {
        plan_.prepare.push_back(launch(header_.prepare[i], fmt::format("prepare[{}]", i)));
      }
      for (std::size_t i = 0; i < header_.launches.size(); ++i) {
        plan_.launches.push_back(launch(header_.launches[i], fmt::format("launches[{}]", i)));
      }
      return std::move(plan_);
    } catch (const Verdict& verdict) {  // never leaves this function
      return tl::unexpected<Verdict>(verdict);
    }
  }

 private:
  [[noreturn]] static void refuse(Outcome outcome, std::string evidence) {
    throw Verdict{outcome, Gate::policy, std::move(evidence)};
  }
  [[noreturn]] static void refuse(std::string evidence) {
    refuse(Outcome::launch_error, std::move(evidence));
  }

  void bind(const Bindings& axes, const Bindings& tunables) {
    for (const Axis& axis : op_.axes) {
      const auto found = axes.find(axis.name);
      if (found == axes.end())
        refuse(fmt::format("The axis {} has no value; expected one for every axis.", axis.name));
      bindings_[axis.name] = found->second;
      if (axis.kind == AxisKind::constant)
        plan_.macros.emplace_back(axis.name, integer_literal(found->second));
    }
    for (const Scalar& scalar : op_.scalars) {
      plan_.macros.emplace_back(scalar.name, scalar_literal(scalar));
      if (!is_floating(scalar.dtype)) bindings_[scalar.name] = static_cast<std::int64_t>(scalar.value);
    }
    bind_tunables(tunables);
    bindings_["num_sms"] = limits_.num_sms;
    plan_.macros.emplace_back("NUM_SMS", integer_literal(limits_.num_sms));
  }

  void bind_tunables(const Bindings& chosen) {
    for (const auto& [name, value] : chosen) {
      const auto found = header_.tunables.find(name);
      if (found == header_.tunables.end()) {
        Names known;
        for (const auto& [tunable, ignored] : header_.tunables) known.insert(tunable);
        refuse(fmt::format("Unknown tunable '{}'{}.", name, suggestion(name, known, "tunables")));
      }
      if (std::find(found->second.begin(), found->second.end(), value) == found->second.end()) {
        refuse(fmt::format("The tunable {} is {}; expected one of {}.", name, value,
                           Json(found->second).dump()));
      }
    }
    for (const auto& [name, values] : header_.tunables) {
      const auto found = chosen.find(name);
      bindings_[name] = found == chosen.end() ? values.front() : found->second;
      plan_.macros.emplace_back(name, integer_literal(bindings_[name]));
    }
  }

  std::int64_t value(const Expression& expression, const std::string& field) const {
    const Result<std::int64_t> result = expression.evaluate(bindings_);
    if (!result) refuse(fmt::format("{}: {}.", field, result.error().message));
    return *result;
  }

  std::int64_t value_within(const Expression& expression, const std::string& field, std::int64_t low,
                            std::int64_t high) const {
    const std::int64_t result = value(expression, field);
    if (result < low || result > high) {
      refuse(
          fmt::format("{}: \"{}\" is {}; expected {} to {}.", field, expression.text(), result, low, high));
    }
    return result;
  }

  std::vector<std::int64_t> values_within(const std::vector<Expression>& expressions,
                                          const std::string& field, std::int64_t low,
                                          std::int64_t high) const {
    std::vector<std::int64_t> values;
    for (std::size_t i = 0; i < expressions.size(); ++i) {
      values.push_back(value_within(expressions[i], fmt::format("{}[{}]", field, i), low, high));
    }
    return values;
  }

  void constraints() const {
    for (std::size_t i = 0; i < header_.constraints.size(); ++i) {
      const Expression& constraint = header_.constraints[i];
      if (value(constraint, fmt::format("constraints[{}]", i)) != 0) continue;
      std::string where;
      for (const std::string& name : constraint.names()) {
        where += fmt::format("{}{} = {}", where.empty() ? "" : ", ", name, bindings_.at(name));
      }
      refuse(Outcome::not_applicable, fmt::format("constraints[{}]: \"{}\" does not hold{}{}.", i,
                                                  constraint.text(), where.empty() ? "" : " with ", where));
    }
  }

  void buffers() {
    for (const auto& [role, tensors] :
         {std::pair{BufferRole::input, &op_.inputs}, std::pair{BufferRole::output, &op_.outputs}}) {
      for (const TensorSpec& tensor : *tensors) {
        const auto shape = shape_at(tensor, bindings_);
        if (!shape) refuse(shape.error().message + ".");
        PlannedBuffer buffer{tensor.name, role, tensor.dtype, 1, Fill::none, 16};
        for (const std::int64_t size : *shape) buffer.elements *= size;
        if (const auto fill = header_.output_fill.find(tensor.name); fill != header_.output_fill.end()) {
          buffer.fill = fill->second;
        }
        plan_.buffers.push_back(std::move(buffer));
      }
    }
    for (const Scratch& scratch : header_.scratch) {
      const auto elements = value_within(scratch.elements, fmt::format("scratch.{}.elements", scratch.name),
                                         1, kMaxScratchElements);
      plan_.buffers.push_back({scratch.name, BufferRole::scratch, scratch.dtype, elements, scratch.init,
                               scratch.alignment_bytes});
    }
  }

  PlannedLaunch launch(const Launch& source, const std::string& field) const {
    PlannedLaunch planned;
    planned.kernel = source.kernel;
    planned.cooperative = source.cooperative;
    const auto grid = values_within(source.grid, field + ".grid", 1, kMaxGridX);
    std::copy(grid.begin(), grid.end(), planned.grid.begin());
    const auto block = values_within(source.block, field + ".block", 1, limits_.max_threads_per_block);
    std::copy(block.begin(), block.end(), planned.block.begin());
    const auto cluster = values_within(source.cluster, field + ".cluster", 1, kMaxCluster);
    std::copy(cluster.begin(), cluster.end(), planned.cluster.begin());
    check_dimensions(planned, field);
    if (source.shared_bytes) {
      planned.shared_bytes =
          value_within(*source.shared_bytes, field + ".shared_bytes", 0, limits_.max_shared_bytes);
    }
    if (source.max_registers) {
      planned.max_registers = value_within(*source.max_registers, field + ".max_registers", 1, kMaxRegisters);
    }
    for (std::size_t i = 0; i < source.arguments.size(); ++i) {
      planned.arguments.push_back(argument(source.arguments[i], fmt::format("{}.args[{}]", field, i)));
    }
    return planned;
  }

  void check_dimensions(const PlannedLaunch& launch, const std::string& field) const {
    for (std::size_t i : {1U, 2U}) {
      if (launch.grid[i] > kMaxGridYz) {
        refuse(fmt::format("{}.grid[{}] is {}; expected at most {} (only x may be larger).", field, i,
                           launch.grid[i], kMaxGridYz));
      }
    }
    const auto& block = launch.block;
    const std::int64_t threads = block[0] * block[1] * block[2];
    if (threads > limits_.max_threads_per_block) {
      refuse(fmt::format("{}.block is {} x {} x {} = {} threads; expected at most {}.", field, block[0],
                         block[1], block[2], threads, limits_.max_threads_per_block));
    }
    if (block[2] > kMaxBlockZ) {
      refuse(fmt::format("{}.block[2] is {}; expected at most {}.", field, block[2], kMaxBlockZ));
    }
    const auto& cluster = launch.cluster;
    if (cluster[0] * cluster[1] * cluster[2] > kMaxCluster) {
      refuse(fmt::format("{}.cluster is {} x {} x {} blocks; expected at most {}.", field, cluster[0],
                         cluster[1], cluster[2], kMaxCluster));
    }
    for (std::size_t i = 0; i < 3; ++i) {
      if (launch.grid[i] % cluster[i] == 0) continue;
      refuse(fmt::format("{}.grid[{}] is {}; expected a multiple of cluster[{}], which is {}.", field, i,
                         launch.grid[i], i, cluster[i]));
    }
  }

  PlannedArgument argument(const Argument& source, const std::string& field) const {
    if (const auto* buffer = std::get_if<BufferArgument>(&source)) {
      return PlannedPointer{plan_.buffer_index(buffer->tensor)};
    }
    if (const auto* real = std::get_if<RealArgument>(&source)) return PlannedReal{real->dtype, real->value};
    if (const auto* integer = std::get_if<IntegerArgument>(&source)) {
      const bool narrow = integer->dtype == DType::i32;
      using Narrow = std::numeric_limits<std::int32_t>;
      const std::int64_t number =
          narrow ? value_within(integer->value, field + ".i32", Narrow::min(), Narrow::max())
                 : value(integer->value, field + ".i64");
      return PlannedInteger{integer->dtype, number};
    }
    return tensor_map(std::get<TensorMap>(source), field + ".tensor_map");
  }

  // The limits are those of cuTensorMapEncodeTiled, and the map must lie within its buffer.
  PlannedTensorMap tensor_map(const TensorMap& source, const std::string& field) const {
    PlannedTensorMap map;
    map.buffer = plan_.buffer_index(source.tensor);
    const PlannedBuffer& buffer = plan_.buffers[static_cast<std::size_t>(map.buffer)];
    map.dtype = source.dtype.value_or(buffer.dtype);
    map.dims = values_within(source.dims, field + ".dims", 1, std::int64_t{1} << 32);
    map.strides_bytes =
        values_within(source.strides_bytes, field + ".strides_bytes", 16, kMaxStrideBytes - 16);
    map.box = values_within(source.box, field + ".box", 1, kMaxBox);
    map.swizzle = source.swizzle;
    map.l2_promotion = source.l2_promotion;
    map.out_of_bounds = source.out_of_bounds;
    const auto element = static_cast<std::int64_t>(size_bytes(map.dtype));
    if (map.box[0] * element % 16 != 0) {
      refuse(fmt::format("{}.box[0] is {} elements = {} bytes; expected a multiple of 16 bytes.", field,
                         map.box[0], map.box[0] * element));
    }
    std::int64_t extent = map.dims[0] * element;
    for (std::size_t i = 0; i < map.strides_bytes.size(); ++i) {
      if (map.strides_bytes[i] % 16 != 0) {
        refuse(fmt::format("{}.strides_bytes[{}] is {}; expected a multiple of 16.", field, i,
                           map.strides_bytes[i]));
      }
      std::int64_t span = 0;
      const bool overflow = __builtin_mul_overflow(map.dims[i + 1] - 1, map.strides_bytes[i], &span) ||
                            __builtin_add_overflow(extent, span, &extent);
      if (overflow) extent = std::numeric_limits<std::int64_t>::max();
      if (overflow) break;
    }
    if (extent > buffer.size_bytes()) {
      refuse(fmt::format(
          "{}: dims and strides_bytes reach over {} bytes; expected at most the {} bytes of '{}'.", field,
          extent, buffer.size_bytes(), buffer.name));
    }
    return map;
  }

  const CandidateHeader& header_;
  const Operator& op_;
  const DeviceLimits limits_;
  Bindings bindings_;
  LaunchPlan plan_;
};

}  // namespace

bool LaunchPlan::filled_before_prepare(std::size_t buffer) const {
  const auto names_it = [&](const PlannedArgument& argument) {
    if (const auto* pointer = std::get_if<PlannedPointer>(&argument))
      return pointer->buffer == static_cast<int>(buffer);
    const auto* map = std::get_if<PlannedTensorMap>(&argument);
    return map != nullptr && map->buffer == static_cast<int>(buffer);
  };
  return std::any_of(prepare.begin(), prepare.end(), [&](const PlannedLaunch& launch) {
    return std::any_of(launch.arguments.begin(), launch.arguments.end(), names_it);
  });
}

int LaunchPlan::buffer_index(std::string_view name) const {
  for (std::size_t i = 0; i < buffers.size(); ++i) {
    if (buffers[i].name == name) return static_cast<int>(i);
  }
  return -1;
}

tl::expected<LaunchPlan, Verdict> resolve(const CandidateHeader& header, const Operator& op,
                                          const Bindings& axes, const Bindings& tunables,
                                          const DeviceLimits& limits) {
  return Resolver(header, op, limits).run(axes, tunables);
}

}  // namespace kevolve
