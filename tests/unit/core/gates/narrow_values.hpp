#pragma once
// Values as 16-bit types hold them, for tests of kernels with such outputs.

#include <cstddef>
#include <vector>

#include "core/gates/element_values.hpp"
#include "core/gates/elements.hpp"

namespace kevolve {

using Numbers = std::vector<double>;

inline double half(double value) {
  return static_cast<double>(gates::half_to_float(gates::half_from_double(value)));
}
inline double bfloat(double value) {
  return static_cast<double>(gates::bfloat_to_float(gates::bfloat_from_double(value)));
}

/// The bytes of an f16 tensor of these values.
inline std::vector<std::byte> stored(const Numbers& values) {
  std::vector<std::byte> bytes(2 * values.size());
  for (std::size_t i = 0; i < values.size(); ++i) gates::store(DType::f16, bytes.data(), i, values[i]);
  return bytes;
}

}  // namespace kevolve
