#include "core/judge/package_facts.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include "core/model/candidate.hpp"
#include "core/text/sha256.hpp"

namespace kevolve::judge {
namespace {

constexpr int kFormat = 1;

/// What a name may hold in a path: each run of other characters becomes one "_".
std::string in_path(const std::string& text) {
  std::string out;
  for (const char c : text) {
    const bool plain = std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '.' || c == '+' || c == '_';
    if (plain && c != '_') {
      out += c;
    } else if (out.empty() || out.back() != '_') {
      out += '_';
    }
  }
  return out;
}

std::string device_type(const PackagePlace& place) {
  return place.torch_device.substr(0, place.torch_device.find(':'));
}

/// As facts_of in scripts/compiled_baseline.py. Members are compared one by one, numbers by value.
Result<Json> expected_facts(const PackagePlace& place, const Operator& op, const Bindings& axes,
                            const std::string& torch) {
  Json scalars = Json::object(), sizes = Json::object(), inputs = Json::array();
  for (const Scalar& scalar : op.scalars) scalars[scalar.name] = scalar.value;
  for (const auto& [name, size] : axes) sizes[name] = size;
  for (const TensorSpec& input : op.inputs) {
    const auto shape = shape_at(input, axes);
    if (!shape) return failure(shape.error());
    inputs.push_back({{"name", input.name}, {"dtype", name(input.dtype)}, {"shape", *shape}});
  }
  return Json{{"format", kFormat},
              {"operator", op.name},
              {"reference_sha256", sha256_hex(op.reference)},
              {"axes", sizes},
              {"scalars", scalars},
              {"inputs", inputs},
              {"tf32", op.precision > PrecisionClass::compensated},
              {"torch", torch},
              {"device", device_type(place)},
              {"model", place.model},
              {"architecture", place.architecture}};
}

/// Whatever the order of members.
bool same(const Json& a, const Json& b) {
  return nlohmann::json(a) == nlohmann::json(b);
}

std::filesystem::path facts_path(std::filesystem::path package) {
  return package.replace_extension(".json");
}

}  // namespace

std::filesystem::path package_path(const PackagePlace& place, const Operator& op, const Bindings& axes,
                                   const std::string& torch) {
  std::string sizes;
  for (const auto& [name, size] : axes) sizes += fmt::format("{}{}={}", sizes.empty() ? "" : ",", name, size);
  return place.folder / op.name / sizes /
         fmt::format("{}-{}-torch-{}.pt2", in_path(place.model), place.architecture, torch);
}

Result<void> check_package(const std::filesystem::path& package, const PackagePlace& place,
                           const Operator& op, const Bindings& axes, const std::string& torch) {
  const std::filesystem::path path = facts_path(package);
  const auto text = read_text_file(path);
  if (!text) return failure(text.error());
  const auto found = parse_json(*text, path.string());
  if (!found) return failure(found.error());
  const auto expected = expected_facts(place, op, axes, torch);
  if (!expected) return failure(expected.error());
  for (const auto& [name, value] : expected->items()) {
    const Json& other = found->is_object() && found->contains(name) ? (*found)[name] : Json();
    if (same(value, other)) continue;
    return failure(fmt::format("{}: made for another {}: {}, where {} is to be judged", path.string(), name,
                               other.dump(), value.dump()));
  }
  const auto bytes = read_text_file(package);
  if (!bytes) return failure(bytes.error());
  if (same(found->value("package_sha256", Json()), sha256_hex(*bytes))) return {};
  return failure(
      fmt::format("{}: not the package that {} was written for", package.string(), path.filename().string()));
}

std::string package_command(const PackagePlace& place, const Operator& op, const Bindings& axes) {
  const auto workload = std::find_if(op.workloads.begin(), op.workloads.end(),
                                     [&](const Workload& w) { return w.axes == axes; });
  return fmt::format("scripts/compiled_baseline.py {} {} --device {} --cache {}",
                     op.folder.empty() ? "kernels/seed/" + op.name : op.folder.string(),
                     workload == op.workloads.end() ? "WORKLOAD" : workload->name, place.torch_device,
                     place.folder.parent_path().string());
}

}  // namespace kevolve::judge
