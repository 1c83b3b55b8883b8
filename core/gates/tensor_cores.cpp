#include "core/gates/tensor_cores.hpp"

#include <algorithm>

namespace kevolve::gates {
namespace {

constexpr std::string_view kPrefix = "tensor_cores.";

}  // namespace

std::string tensor_core_resource(std::string_view type) {
  return std::string(kPrefix) + std::string(type);
}

std::optional<std::string> narrow_products(const CompileReport& report) {
  for (const auto& [name, count] : report.resources) {
    if (name.starts_with(kPrefix) && count > 0 && name != tensor_core_resource("f64"))
      return name.substr(kPrefix.size());
  }
  return std::nullopt;
}

std::optional<Verdict> too_narrow(const CompileReport& report, PrecisionClass required) {
  if (required != PrecisionClass::strict_fp32) return std::nullopt;
  const auto type = narrow_products(report);
  if (!type) return std::nullopt;
  return Verdict{
      Outcome::wrong_precision, Gate::inspect,
      "The binary multiplies " + *type +
          " operands on tensor cores. However the factors are split, that is `compensated` at best, and this "
          "operator asks for `strict_fp32`: fp32 products and sums (FFMA)."};
}

PrecisionClass allowed_class(const CompileReport& report, PrecisionClass measured) {
  return narrow_products(report) ? std::max(measured, PrecisionClass::compensated) : measured;
}

}  // namespace kevolve::gates
