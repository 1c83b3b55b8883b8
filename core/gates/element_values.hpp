#pragma once
// What the bits of an element are worth, and the bits nearest to a value.
//
// This text is also part of the judge's GPU kernels (core/devices/cuda/kernels), so that host and GPU cannot
// disagree: its #include lines are dropped there. It may therefore use built-in types, the functions of
// <math.h> and the enumeration DType, and nothing else. Pure functions.

#include <math.h>
#include <stdint.h>

#include "core/model/dtype.hpp"

namespace kevolve::gates {

inline bool is_nan(double value) {
  return value != value;
}
inline bool is_finite(double value) {
  return value - value == 0;
}

inline float bfloat_to_float(uint16_t bits) {
  return __builtin_bit_cast(float, static_cast<uint32_t>(bits) << 16);
}

inline float half_to_float(uint16_t bits) {
  const uint32_t sign = static_cast<uint32_t>(bits & 0x8000) << 16;
  const uint32_t exponent = (bits >> 10) & 31, fraction = bits & 1023;
  if (exponent == 0) {
    const float size = static_cast<float>(fraction) * 0x1p-24f;
    return sign != 0 ? -size : size;
  }
  const uint32_t wide = exponent == 31 ? 255 : exponent + 112;
  return __builtin_bit_cast(float, sign | wide << 23 | fraction << 13);
}

inline uint16_t half_from_double(double value) {
  if (is_nan(value)) return 0x7E00;
  const uint64_t all = __builtin_bit_cast(uint64_t, value);
  const auto sign = static_cast<uint16_t>((all >> 63) << 15);
  const double size = fabs(value);
  if (size >= 65520) return static_cast<uint16_t>(sign | 0x7C00);
  if (size < 0x1p-14) return static_cast<uint16_t>(sign | static_cast<uint16_t>(rint(size * 0x1p24)));
  uint64_t bits = all & 0x7FFFFFFFFFFFFFFF;
  bits += 0x1FFFFFFFFFF + ((bits >> 42) & 1);  // to nearest even; a carry moves the exponent
  return static_cast<uint16_t>(sign | ((bits >> 42) - ((1023 - 15) << 10)));
}

inline uint16_t bfloat_from_double(double value) {
  const auto single = static_cast<float>(value);  // rounds twice, which only ties of ties could show
  if (is_nan(value)) return 0x7FC0;
  uint32_t bits = __builtin_bit_cast(uint32_t, single);
  bits += 0x7FFF + ((bits >> 16) & 1);
  return static_cast<uint16_t>(bits >> 16);
}

/// The nearest integer from `low` to `high`, both of type T; NaN gives `low`.
template <class T>
T nearest_integer(double value, T low, T high) {
  const double rounded = rint(value);
  if (!(rounded > static_cast<double>(low))) return low;
  return rounded >= static_cast<double>(high) ? high : static_cast<T>(rounded);
}

/// How an element type is stored: its bits, the value they stand for, the bits nearest to a value.
template <DType type>
struct Stored;

template <>
struct Stored<DType::f32> {
  using Bits = uint32_t;
  static constexpr bool floating = true;
  static double value(Bits bits) { return static_cast<double>(__builtin_bit_cast(float, bits)); }
  static Bits nearest(double v) { return __builtin_bit_cast(Bits, static_cast<float>(v)); }
};
template <>
struct Stored<DType::f16> {
  using Bits = uint16_t;
  static constexpr bool floating = true;
  static double value(Bits bits) { return static_cast<double>(half_to_float(bits)); }
  static Bits nearest(double v) { return half_from_double(v); }
};
template <>
struct Stored<DType::bf16> {
  using Bits = uint16_t;
  static constexpr bool floating = true;
  static double value(Bits bits) { return static_cast<double>(bfloat_to_float(bits)); }
  static Bits nearest(double v) { return bfloat_from_double(v); }
};
template <>
struct Stored<DType::f64> {
  using Bits = uint64_t;
  static constexpr bool floating = true;
  static double value(Bits bits) { return __builtin_bit_cast(double, bits); }
  static Bits nearest(double v) { return __builtin_bit_cast(Bits, v); }
};
template <>
struct Stored<DType::i32> {
  using Bits = uint32_t;
  static constexpr bool floating = false;
  static double value(Bits bits) { return static_cast<int32_t>(bits); }
  static Bits nearest(double v) {
    return static_cast<Bits>(nearest_integer<int32_t>(v, -0x7FFFFFFF - 1, 0x7FFFFFFF));
  }
};
template <>
struct Stored<DType::i64> {
  using Bits = uint64_t;
  static constexpr bool floating = false;
  static double value(Bits bits) { return static_cast<double>(static_cast<int64_t>(bits)); }
  static Bits nearest(double v) {
    return static_cast<Bits>(nearest_integer<int64_t>(v, -0x7FFFFFFFFFFFFFFF - 1, 0x7FFFFFFFFFFFFFFF));
  }
};
template <>
struct Stored<DType::u8> {
  using Bits = uint8_t;
  static constexpr bool floating = false;
  static double value(Bits bits) { return bits; }
  static Bits nearest(double v) { return nearest_integer<uint8_t>(v, 0, 255); }
};
template <>
struct Stored<DType::boolean> {
  using Bits = uint8_t;
  static constexpr bool floating = false;
  static double value(Bits bits) { return bits; }
  static Bits nearest(double v) { return v != 0 ? 1 : 0; }
};

/// visit(Stored<type>{}) for a type known at run time only.
template <class Visit>
auto with_stored(DType dtype, Visit visit) {
  switch (dtype) {
    case DType::f32:
      return visit(Stored<DType::f32>{});
    case DType::f16:
      return visit(Stored<DType::f16>{});
    case DType::bf16:
      return visit(Stored<DType::bf16>{});
    case DType::f64:
      return visit(Stored<DType::f64>{});
    case DType::i32:
      return visit(Stored<DType::i32>{});
    case DType::i64:
      return visit(Stored<DType::i64>{});
    case DType::u8:
      return visit(Stored<DType::u8>{});
    default:
      return visit(Stored<DType::boolean>{});
  }
}

/// The same for a floating-point type.
template <class Visit>
auto with_floating(DType dtype, Visit visit) {
  switch (dtype) {
    case DType::f32:
      return visit(Stored<DType::f32>{});
    case DType::f16:
      return visit(Stored<DType::f16>{});
    case DType::bf16:
      return visit(Stored<DType::bf16>{});
    default:
      return visit(Stored<DType::f64>{});
  }
}

/// Equal bit for bit, except that any NaN equals any NaN.
template <class S>
bool same_bits(typename S::Bits a, typename S::Bits b) {
  if (a == b) return true;
  if constexpr (!S::floating) return false;
  return is_nan(S::value(a)) && is_nan(S::value(b));
}

/// An element that holds `pattern` in every byte.
template <class S>
typename S::Bits poisoned_bits(uint8_t pattern) {
  return static_cast<typename S::Bits>(uint64_t{0x0101010101010101} * pattern);
}

}  // namespace kevolve::gates
