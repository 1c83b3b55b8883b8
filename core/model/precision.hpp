#pragma once
// Precision classes: how exact a kernel is, measured against an fp64 oracle. Kernels of different
// classes are never ranked together. Stored by name in archives: never rename.

#include <optional>
#include <string_view>

namespace kevolve {

/// From the most to the least exact.
enum class PrecisionClass { exact, strict_fp32, compensated, tf32, fp16, bf16 };

std::string_view name(PrecisionClass precision);
std::optional<PrecisionClass> precision_from_name(std::string_view name);

/// True when a kernel measured as `measured` may stand where `required` is asked for.
bool satisfies(PrecisionClass measured, PrecisionClass required);

}  // namespace kevolve
