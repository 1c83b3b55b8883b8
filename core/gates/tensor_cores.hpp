#pragma once
// What the types that tensor cores multiply say of a candidate's precision class. Errors cannot tell a
// product of fp32 factors from three products of their fp16 parts on data where both are good; the
// instructions can. Pure.

#include <optional>
#include <string>
#include <string_view>

#include "core/model/evaluation.hpp"

namespace kevolve::gates {

/// The name under which CompileReport::resources counts tensor-core instructions whose narrowest operands are
/// of `type`.
std::string tensor_core_resource(std::string_view type);

/// "f16" of a binary that multiplies fp16 or narrower parts, or whatever is narrower than fp32; nothing of
/// others.
std::optional<std::string> narrow_products(const CompileReport& report);

/// A binary with narrow products is `compensated` at best, which is too coarse for operators of a finer
/// class. Nothing when the binary is fine enough.
std::optional<Verdict> too_narrow(const CompileReport& report, PrecisionClass required);

/// The measured class, no finer than the binary's instructions allow.
PrecisionClass allowed_class(const CompileReport& report, PrecisionClass measured);

}  // namespace kevolve::gates
