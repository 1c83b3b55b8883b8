#include "core/model/precision.hpp"

#include <array>
#include <cstddef>

namespace kevolve {
namespace {

constexpr std::array<std::string_view, 6> kNames = {"exact", "strict_fp32", "compensated",
                                                    "tf32",  "fp16",        "bf16"};

}  // namespace

std::string_view name(PrecisionClass precision) {
  return kNames[static_cast<std::size_t>(precision)];
}

std::optional<PrecisionClass> precision_from_name(std::string_view name) {
  for (std::size_t i = 0; i < kNames.size(); ++i) {
    if (kNames[i] == name) return static_cast<PrecisionClass>(i);
  }
  return std::nullopt;
}

bool satisfies(PrecisionClass measured, PrecisionClass required) {
  return measured <= required;
}

}  // namespace kevolve
