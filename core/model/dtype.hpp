#pragma once
// Element types of tensors, named as PyTorch abbreviates them.

#include <cstddef>
#include <optional>
#include <string_view>

namespace kevolve {

enum class DType { f32, f16, bf16, f64, i32, i64, u8, boolean };

std::string_view name(DType dtype);  ///< "f32", "f16", "bf16", "f64", "i32", "i64", "u8", "bool"
std::optional<DType> dtype_from_name(std::string_view name);
std::size_t size_bytes(DType dtype);  ///< of one element
bool is_floating(DType dtype);

}  // namespace kevolve
