#include "core/model/dtype.hpp"

#include <array>

namespace kevolve {
namespace {

struct Row {
  DType dtype;
  std::string_view name;
  std::size_t size_bytes;
  bool floating;
};

constexpr std::array<Row, 8> kRows = {{{DType::f32, "f32", 4, true},
                                       {DType::f16, "f16", 2, true},
                                       {DType::bf16, "bf16", 2, true},
                                       {DType::f64, "f64", 8, true},
                                       {DType::i32, "i32", 4, false},
                                       {DType::i64, "i64", 8, false},
                                       {DType::u8, "u8", 1, false},
                                       {DType::boolean, "bool", 1, false}}};

const Row& row(DType dtype) {
  return kRows[static_cast<std::size_t>(dtype)];
}

}  // namespace

std::string_view name(DType dtype) {
  return row(dtype).name;
}
std::size_t size_bytes(DType dtype) {
  return row(dtype).size_bytes;
}
bool is_floating(DType dtype) {
  return row(dtype).floating;
}

std::optional<DType> dtype_from_name(std::string_view name) {
  for (const Row& candidate : kRows) {
    if (candidate.name == name) return candidate.dtype;
  }
  return std::nullopt;
}

}  // namespace kevolve
