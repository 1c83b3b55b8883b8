// The JSON form of launch plans, which crosses from the judge to the runner and the compiler.

#include <fmt/format.h>

#include "core/model/launch_plan.hpp"
#include "core/text/field_reader.hpp"

namespace kevolve {
namespace {

constexpr std::array<std::string_view, 3> kRoles = {"input", "output", "scratch"};
constexpr std::array<std::string_view, 4> kFills = {"none", "zero", "-inf", "inf"};

template <class Enum, std::size_t size>
std::optional<Enum> named(const std::array<std::string_view, size>& names, std::string_view word) {
  for (std::size_t i = 0; i < size; ++i) {
    if (names[i] == word) return static_cast<Enum>(i);
  }
  return std::nullopt;
}
std::optional<BufferRole> role_from_name(std::string_view word) {
  return named<BufferRole>(kRoles, word);
}
std::optional<Fill> fill_from_name(std::string_view word) {
  return named<Fill>(kFills, word);
}

Json to_json(const PlannedBuffer& buffer) {
  return {{"name", buffer.name},
          {"role", kRoles[static_cast<std::size_t>(buffer.role)]},
          {"dtype", name(buffer.dtype)},
          {"elements", buffer.elements},
          {"fill", kFills[static_cast<std::size_t>(buffer.fill)]},
          {"alignment_bytes", buffer.alignment_bytes}};
}

Json to_json(const PlannedPointer& pointer) {
  return {{"buffer", pointer.buffer}};
}
Json to_json(const PlannedInteger& integer) {
  return {{"dtype", name(integer.dtype)}, {"value", integer.value}};
}
Json to_json(const PlannedReal& real) {
  return {{"dtype", name(real.dtype)}, {"value", number_to_json(real.value)}};
}
Json to_json(const PlannedTensorMap& map) {
  return {{"tensor_map",
           {{"buffer", map.buffer},
            {"dtype", name(map.dtype)},
            {"dims", map.dims},
            {"strides_bytes", map.strides_bytes},
            {"box", map.box},
            {"swizzle", map.swizzle},
            {"l2_promotion", map.l2_promotion},
            {"out_of_bounds", map.out_of_bounds}}}};
}

Json to_json(const PlannedLaunch& launch) {
  Json arguments = Json::array();
  for (const PlannedArgument& argument : launch.arguments) {
    arguments.push_back(std::visit([](const auto& value) { return to_json(value); }, argument));
  }
  return {{"kernel", launch.kernel},
          {"grid", launch.grid},
          {"block", launch.block},
          {"cluster", launch.cluster},
          {"shared_bytes", launch.shared_bytes},
          {"cooperative", launch.cooperative},
          {"max_registers", launch.max_registers},
          {"args", std::move(arguments)}};
}

template <class List>
Json list_to_json(const List& list) {
  Json json = Json::array();
  for (const auto& element : list) json.push_back(to_json(element));
  return json;
}

Result<PlannedBuffer> buffer_from_json(const Json& json, const std::string& where) {
  FieldReader fields(json, where);
  PlannedBuffer buffer;
  fields.read("name", buffer.name);
  fields.name("role", buffer.role, role_from_name, "input, output or scratch");
  fields.name("dtype", buffer.dtype, dtype_from_name, "an element type");
  fields.read("elements", buffer.elements);
  fields.name("fill", buffer.fill, fill_from_name, "none, zero, -inf or inf");
  fields.read("alignment_bytes", buffer.alignment_bytes);
  return fields.finish(std::move(buffer));
}

// Reads launches; every buffer they name must be one of the plan's.
class LaunchReader {
 public:
  explicit LaunchReader(std::size_t buffers) : buffers_(static_cast<int>(buffers)) {}

  Result<PlannedLaunch> operator()(const Json& json, const std::string& where) const {
    FieldReader fields(json, where);
    PlannedLaunch launch;
    fields.read("kernel", launch.kernel);
    read_sizes(fields, "grid", launch.grid);
    read_sizes(fields, "block", launch.block);
    read_sizes(fields, "cluster", launch.cluster);
    fields.read("shared_bytes", launch.shared_bytes);
    fields.read("cooperative", launch.cooperative);
    fields.read("max_registers", launch.max_registers);
    fields.list("args", launch.arguments,
                [this](const Json& argument, const std::string& at) { return read_argument(argument, at); });
    return fields.finish(std::move(launch));
  }

 private:
  static void read_sizes(FieldReader& fields, const char* key, std::array<std::int64_t, 3>& target) {
    std::vector<std::int64_t> sizes;
    fields.read(key, sizes);
    if (fields.failed()) return;
    if (sizes.size() != 3) return fields.mismatch(key, Json(sizes), "an array of 3 integers");
    std::copy(sizes.begin(), sizes.end(), target.begin());
  }

  void read_buffer(FieldReader& fields, int& target) const {
    fields.read("buffer", target);
    if (fields.failed() || (target >= 0 && target < buffers_)) return;
    fields.mismatch("buffer", Json(target), fmt::format("the index of one of {} buffers", buffers_));
  }

  Result<PlannedArgument> read_argument(const Json& json, const std::string& where) const {
    FieldReader fields(json, where);
    if (fields.find("buffer") != nullptr) {
      PlannedPointer pointer;
      read_buffer(fields, pointer.buffer);
      return fields.finish<PlannedArgument>(pointer);
    }
    if (const Json* map = fields.find("tensor_map")) {
      PlannedTensorMap planned;
      fields.take(read_tensor_map(*map, fields.at("tensor_map")), planned);
      return fields.finish<PlannedArgument>(std::move(planned));
    }
    DType dtype = DType::f32;
    fields.name("dtype", dtype, dtype_from_name, "i32, i64, f32 or f64");
    if (dtype == DType::f32 || dtype == DType::f64) {
      PlannedReal real{dtype, 0};
      fields.read("value", real.value);
      return fields.finish<PlannedArgument>(real);
    }
    if (dtype != DType::i32 && dtype != DType::i64)
      fields.mismatch("dtype", json["dtype"], "i32, i64, f32 or f64");
    PlannedInteger integer{dtype, 0};
    fields.read("value", integer.value);
    return fields.finish<PlannedArgument>(integer);
  }

  Result<PlannedTensorMap> read_tensor_map(const Json& json, const std::string& where) const {
    FieldReader fields(json, where);
    PlannedTensorMap map;
    read_buffer(fields, map.buffer);
    fields.name("dtype", map.dtype, dtype_from_name, "an element type");
    fields.read("dims", map.dims);
    fields.read("strides_bytes", map.strides_bytes);
    fields.read("box", map.box);
    fields.read("swizzle", map.swizzle);
    fields.read("l2_promotion", map.l2_promotion);
    fields.read("out_of_bounds", map.out_of_bounds);
    return fields.finish(std::move(map));
  }

  int buffers_;
};

Result<std::pair<std::string, std::string>> macro_from_json(const Json& json, const std::string& where) {
  if (json.is_array() && json.size() == 2 && json[0].is_string() && json[1].is_string()) {
    return std::pair{json[0].get<std::string>(), json[1].get<std::string>()};
  }
  return failure(where + ": expected [name, value], both strings");
}

}  // namespace

Json to_json(const LaunchPlan& plan) {
  Json macros = Json::array();
  for (const auto& [name, value] : plan.macros) macros.push_back(Json::array({name, value}));
  return {{"buffers", list_to_json(plan.buffers)},
          {"prepare", list_to_json(plan.prepare)},
          {"launches", list_to_json(plan.launches)},
          {"macros", std::move(macros)}};
}

Result<LaunchPlan> launch_plan_from_json(const Json& json) {
  FieldReader fields(json, "plan");
  LaunchPlan plan;
  fields.list("buffers", plan.buffers, buffer_from_json);
  const LaunchReader read_launch(plan.buffers.size());
  fields.list("prepare", plan.prepare, read_launch);
  fields.list("launches", plan.launches, read_launch);
  fields.list("macros", plan.macros, macro_from_json);
  return fields.finish(std::move(plan));
}

}  // namespace kevolve
