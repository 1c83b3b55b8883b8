#include "core/judge/baselines.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "core/judge/judge.hpp"
#include "core/model/subjects.hpp"

namespace kevolve::judge {

Baselines::Baselines(const Operator& op, const TorchExpression& reference, PackagePlace place)
    : op_(op), reference_(reference), place_(std::move(place)) {}

std::optional<std::string> Baselines::missing(const std::string& name, const Bindings& axes) {
  if (name == subjects::kEager || named_.contains(name)) return {};
  if (name == subjects::kCompile) return load_package(axes);
  const auto own = std::find_if(op_.baselines.begin(), op_.baselines.end(),
                                [&](const Baseline& baseline) { return baseline.name == name; });
  if (own != op_.baselines.end()) {
    named_.try_emplace(name, own->torchscript, op_);
    return {};
  }
  std::string known = fmt::format("{}, {}", subjects::kEager, subjects::kCompile);
  for (const Baseline& baseline : op_.baselines) known += ", " + baseline.name;
  throw std::runtime_error("the operator has no such baseline; it has " + known);
}

std::optional<std::string> Baselines::load_package(const Bindings& axes) {
  if (packages_.contains(axes)) return {};
  if (place_.folder.empty()) return "no folder of compiled packages is known here";
  const auto path = package_path(place_, op_, axes, torch_version());
  const std::string command = package_command(place_, op_, axes);
  if (!std::filesystem::exists(path))
    return fmt::format("{} does not exist; {} makes it", path.string(), command);
  if (const auto checked = check_package(path, place_, op_, axes, torch_version()); !checked)
    throw std::runtime_error(fmt::format("{}; {} makes it anew", checked.error().message, command));
  packages_.try_emplace(axes, path, place_.torch_device);
  return {};
}

Tensors Baselines::run(const std::string& name, const Tensors& inputs, const Bindings& axes) {
  if (name == subjects::kEager) return reference_.run(inputs, axes);
  if (name == subjects::kCompile) {
    apply_precision(op_);
    Tensors outputs = packages_.at(axes).run(inputs);
    for (at::Tensor& output : outputs) output = output.contiguous();
    return outputs;
  }
  return named_.at(name).run(inputs, axes);
}

}  // namespace kevolve::judge
