#pragma once
// Elements: a view of a tensor's bytes that reads any element type as double, and the poison patterns.
//
// Views own nothing; plain values, thread-safe. double holds every value of every type exactly, i64 up to
// 2^53.

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "core/model/dtype.hpp"

namespace kevolve::gates {

struct Elements {
  DType dtype = DType::f32;
  const std::byte* data = nullptr;
  std::size_t count = 0;

  [[nodiscard]] double at(std::size_t index) const;
  /// Elements [begin, begin + out.size()) as doubles.
  void read(std::size_t begin, std::span<double> out) const;
  [[nodiscard]] std::size_t size_bytes() const { return count * kevolve::size_bytes(dtype); }
};

/// Writes `value`, rounded to the nearest that the type holds (to even on ties), as element `index`. Integers
/// take the nearest integer within their range; a boolean is whether the value differs from 0.
void store(DType dtype, std::byte* data, std::size_t index, double value);

/// Outputs and scratch hold one of these bytes, repeated, before a run. As f32, f16, bf16 or integers the
/// first is a large negative number, the second a large positive one, the third NaN or -1: adding to it,
/// taking a minimum or a maximum with it, or multiplying it by 0 shows with at least one of them.
inline constexpr std::array<std::uint8_t, 3> kPoisons{0xFB, 0x7B, 0xFF};

void poison(std::span<std::byte> bytes, std::uint8_t pattern);
bool holds_poison(const Elements& elements, std::size_t index, std::uint8_t pattern);

/// Equal bit for bit, except that any NaN equals any NaN.
bool same_element(const Elements& a, const Elements& b, std::size_t index);
/// Index of the first element in which two tensors of one type and size differ so, or `count`.
std::size_t first_difference(const Elements& a, const Elements& b);

/// Unit roundoff: 2^-24 for f32, 2^-11 for f16, 2^-8 for bf16, 2^-53 for f64; 0 for integers.
double unit_roundoff(DType dtype);
/// Spacing of the denormals: the least step any value can make.
double least_step(DType dtype);
/// The nearest value that the type can hold where that overflows to infinity; otherwise `value` unchanged.
double overflowed(double value, DType dtype);

}  // namespace kevolve::gates
