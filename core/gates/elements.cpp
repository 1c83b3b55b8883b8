#include "core/gates/elements.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "core/gates/element_values.hpp"

namespace kevolve::gates {
namespace {

template <class T>
T load(const std::byte* from) {
  T value;
  std::memcpy(&value, from, sizeof value);
  return value;
}

double element(DType dtype, const std::byte* from) {
  return with_stored(dtype,
                     [&](auto stored) { return stored.value(load<typename decltype(stored)::Bits>(from)); });
}

}  // namespace

void store(DType dtype, std::byte* data, std::size_t index, double value) {
  with_stored(dtype, [&](auto stored) {
    const auto bits = stored.nearest(value);
    std::memcpy(data + index * sizeof bits, &bits, sizeof bits);
  });
}

double Elements::at(std::size_t index) const {
  return element(dtype, data + index * kevolve::size_bytes(dtype));
}

void Elements::read(std::size_t begin, std::span<double> out) const {
  const std::size_t step = kevolve::size_bytes(dtype);
  const std::byte* from = data + begin * step;
  if (dtype == DType::f32) {
    for (std::size_t i = 0; i < out.size(); ++i) out[i] = load<float>(from + 4 * i);
    return;
  }
  for (std::size_t i = 0; i < out.size(); ++i) out[i] = element(dtype, from + i * step);
}

void poison(std::span<std::byte> bytes, std::uint8_t pattern) {
  if (!bytes.empty()) std::memset(bytes.data(), pattern, bytes.size());
}

bool holds_poison(const Elements& elements, std::size_t index, std::uint8_t pattern) {
  const std::size_t step = size_bytes(elements.dtype);
  const std::byte* from = elements.data + index * step;
  return std::all_of(from, from + step, [&](std::byte b) { return b == std::byte{pattern}; });
}

bool same_element(const Elements& a, const Elements& b, std::size_t index) {
  const std::size_t step = size_bytes(a.dtype);
  if (std::memcmp(a.data + index * step, b.data + index * step, step) == 0) return true;
  return is_floating(a.dtype) && std::isnan(a.at(index)) && std::isnan(b.at(index));
}

std::size_t first_difference(const Elements& a, const Elements& b) {
  if (a.count == 0 || std::memcmp(a.data, b.data, a.size_bytes()) == 0) return a.count;
  for (std::size_t i = 0; i < a.count; ++i) {
    if (!same_element(a, b, i)) return i;
  }
  return a.count;
}

double unit_roundoff(DType dtype) {
  switch (dtype) {
    case DType::f32:
      return 0x1p-24;
    case DType::f16:
      return 0x1p-11;
    case DType::bf16:
      return 0x1p-8;
    case DType::f64:
      return 0x1p-53;
    default:
      return 0;
  }
}

double least_step(DType dtype) {
  switch (dtype) {
    case DType::f32:
      return 0x1p-149;
    case DType::f16:
      return 0x1p-24;
    case DType::bf16:
      return 0x1p-133;
    case DType::f64:
      return 0x1p-1074;
    default:
      return 0;
  }
}

double overflowed(double value, DType dtype) {
  double limit = std::numeric_limits<double>::infinity();
  if (dtype == DType::f32) limit = 0x1.ffffffp127;  // halfway between the largest finite value and 2^128
  if (dtype == DType::f16) limit = 65520;
  if (dtype == DType::bf16) limit = 0x1.ffp127;
  return std::abs(value) >= limit ? std::copysign(std::numeric_limits<double>::infinity(), value) : value;
}

}  // namespace kevolve::gates
