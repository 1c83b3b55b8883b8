#include "core/gates/elements.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

namespace kevolve {
namespace {

template <class T>
T load(const std::byte* from) {
  T value;
  std::memcpy(&value, from, sizeof value);
  return value;
}

double half_to_double(std::uint16_t bits) {
  const int exponent = (bits >> 10) & 31;
  const int fraction = bits & 1023;
  const double sign = (bits & 0x8000) != 0 ? -1.0 : 1.0;
  if (exponent == 31) {
    return fraction != 0 ? std::numeric_limits<double>::quiet_NaN()
                         : sign * std::numeric_limits<double>::infinity();
  }
  if (exponent == 0) return sign * std::ldexp(fraction, -24);
  return sign * std::ldexp(1024 + fraction, exponent - 25);
}

double bfloat_to_double(std::uint16_t bits) {
  const std::uint32_t wide = static_cast<std::uint32_t>(bits) << 16;
  float value = 0;
  std::memcpy(&value, &wide, sizeof value);
  return value;
}

double element(DType dtype, const std::byte* from) {
  switch (dtype) {
    case DType::f32:
      return load<float>(from);
    case DType::f16:
      return half_to_double(load<std::uint16_t>(from));
    case DType::bf16:
      return bfloat_to_double(load<std::uint16_t>(from));
    case DType::f64:
      return load<double>(from);
    case DType::i32:
      return load<std::int32_t>(from);
    case DType::i64:
      return static_cast<double>(load<std::int64_t>(from));
    case DType::u8:
    case DType::boolean:
      return load<std::uint8_t>(from);
  }
  return 0;
}

std::uint16_t half_from_double(double value) {
  const auto sign = static_cast<std::uint16_t>(std::signbit(value) ? 0x8000 : 0);
  const double size = std::abs(value);
  if (std::isnan(value)) return 0x7E00;
  if (size >= 65520) return sign | 0x7C00;
  const int exponent = size < 0x1p-14 ? -14 : std::ilogb(size);
  const auto steps =
      static_cast<int>(std::nearbyint(std::ldexp(size, 10 - exponent)));        // 1024 … 2048 when normal
  return static_cast<std::uint16_t>(sign | (((exponent + 14) << 10) + steps));  // a carry moves the exponent
}

std::uint16_t bfloat_from_double(double value) {
  const auto single = static_cast<float>(value);  // rounds twice, which only ties of ties could show
  if (std::isnan(single)) return 0x7FC0;
  std::uint32_t bits = 0;
  std::memcpy(&bits, &single, sizeof bits);
  bits += 0x7FFF + ((bits >> 16) & 1);
  return static_cast<std::uint16_t>(bits >> 16);
}

template <class T>
void put(std::byte* data, std::size_t index, T value) {
  std::memcpy(data + index * sizeof value, &value, sizeof value);
}

template <class T>
T nearest_integer(double value) {
  using Limits = std::numeric_limits<T>;
  const double rounded = std::nearbyint(value);
  if (!(rounded > static_cast<double>(Limits::min()))) return Limits::min();
  return rounded >= static_cast<double>(Limits::max()) ? Limits::max() : static_cast<T>(rounded);
}

}  // namespace

void store(DType dtype, std::byte* data, std::size_t index, double value) {
  switch (dtype) {
    case DType::f32:
      return put(data, index, static_cast<float>(value));
    case DType::f16:
      return put(data, index, half_from_double(value));
    case DType::bf16:
      return put(data, index, bfloat_from_double(value));
    case DType::f64:
      return put(data, index, value);
    case DType::i32:
      return put(data, index, nearest_integer<std::int32_t>(value));
    case DType::i64:
      return put(data, index, nearest_integer<std::int64_t>(value));
    case DType::u8:
      return put(data, index, nearest_integer<std::uint8_t>(value));
    case DType::boolean:
      return put(data, index, static_cast<std::uint8_t>(value != 0));
  }
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
  std::memset(bytes.data(), pattern, bytes.size());
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
  if (std::memcmp(a.data, b.data, a.size_bytes()) == 0) return a.count;
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

}  // namespace kevolve
