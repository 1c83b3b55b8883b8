#pragma once
// The rules of the comparison for one element and one tile (docs/trust.md, "How an answer is compared").
//
// This text is also part of the judge's GPU kernels; element_values.hpp says what it may use. Pure functions.

#include "core/gates/element_values.hpp"

namespace kevolve::gates {

/// A GPU would fuse `a * b + c`, and give another allowance than the host.
inline double product(double a, double b) {
#ifdef __CUDACC__
  return __dmul_rn(a, b);
#else
  return a * b;
#endif
}
inline double difference(double a, double b) {
#ifdef __CUDACC__
  return __dsub_rn(a, b);
#else
  return a - b;
#endif
}

/// What is made of the response in outputs that hide it (see hides_arithmetic()).
struct ResponseRule {
  double multiple = 0;  ///< of its absolute part, that any answer may be off
  double spread = 0;    ///< what exceeds this multiple of its tile's relative noise is absolute
  double least = 0;     ///< of the relative noise
};

constexpr double kEndless = __builtin_bit_cast(double, uint64_t{0x7FF0000000000000});

/// What a floating-point type can hold.
struct TypeLimits {
  double overflow = 0;  ///< from here on a value rounds to infinity
  double step = 0;      ///< the least step any value can make
  double roundoff = 0;  ///< unit roundoff
  uint32_t single = 0;  ///< the type is f32
};

/// Noise of an element = relative * |oracle| + absolute, alike for all elements of a tile.
struct Noise {
  double relative = 0, absolute = 0;
  /// What fp32 arithmetic, or the rounding of results on the way where the operator has such, may add to the
  /// error of any element; a class's multiple does not apply to it. 0 unless the output rounds more coarsely
  /// than fp32, whose rounding would hide it in the noise.
  double arithmetic = 0;

  double at(double value, const TypeLimits& type) const {
    return product(relative, fabs(value)) + absolute + type.step;
  }
};

/// How an output is cut into tiles: rows of at least tile_least() elements each into tiles of their own, or
/// shorter rows joined.
struct Tiles {
  uint64_t count = 0;    ///< elements
  uint64_t row = 1;      ///< of the innermost dimension
  uint64_t length = 1;   ///< of a whole tile
  uint64_t per_row = 0;  ///< tiles of a row; 0: rows are joined
  uint64_t number = 0;   ///< of tiles

  uint64_t begin(uint64_t tile) const {
    return per_row == 0 ? tile * length : tile / per_row * row + tile % per_row * length;
  }
  uint64_t size(uint64_t tile) const {
    const uint64_t left = per_row == 0 ? count - tile * length : row - tile % per_row * length;
    return left < length ? left : length;
  }
};

constexpr uint64_t kTileMost = 4096;         // elements whose noise is observed together, within one row
constexpr uint64_t kTileLeast = 64;          // shorter rows are joined until a tile has as many
constexpr uint64_t kNarrowTileLeast = 1024;  // the same of 16-bit outputs, see tile_least()
constexpr double kRelativeSpread = 4;    // noise beyond this multiple of the tile's median is absolute noise
constexpr double kNormAllowance = 0.75;  // an error that is everywhere must be smaller than one somewhere
constexpr double kFloatRoundoff = 0x1p-24;
constexpr double kFloatMultiple = 128;  // of the noise: what strict_fp32 allows of an f32 output

/// The oracle's and PyTorch's values of one element, and what any finite answer there is measured against.
struct Right {
  double oracle;  ///< infinite where the type overflows
  double torch;
  double value;  ///< the oracle, or where that overflows PyTorch's

  Right(double exact, double own, const TypeLimits& type)
      : oracle(fabs(exact) >= type.overflow ? copysign(kEndless, exact) : exact),
        torch(own),
        value(is_finite(oracle) ? exact : own) {}
};

/// NaN, +Inf and -Inf are right where the oracle, rounded to the type, or PyTorch itself has the same.
inline bool same_class(double value, double expected) {
  if (is_nan(value) || is_nan(expected)) return is_nan(value) && is_nan(expected);
  return value == expected;
}

/// Where no number is right, or the answer is none: whether it is right all the same.
inline bool right_class(double answer, const Right& right) {
  return !is_finite(answer) && (same_class(answer, right.oracle) || same_class(answer, right.torch));
}

/// Whether the output's own rounding hides the noise of fp32 arithmetic: where a sum cancels, an element is
/// too small for that rounding to cover it, and PyTorch's errors are all rounding.
inline bool hides_arithmetic(const TypeLimits& type) {
  return type.roundoff > kFloatRoundoff;
}

/// How many elements a tile has at least. Where 16-bit roundings on the way are what a class means, most of
/// the noise is PyTorch's own luck with them, and its absolute part is seen at the few elements that
/// cancellation made small: a row of 128 may hold none that was rounded badly, and would refuse an honest
/// kernel's.
inline uint64_t tile_least(const TypeLimits& type) {
  return hides_arithmetic(type) ? kNarrowTileLeast : kTileLeast;
}

/// The part of the noise seen at an element that the tile's relative noise does not explain; may be negative.
inline double unexplained(double observed, double relative, double oracle, double spread = kRelativeSpread) {
  return difference(observed, product(product(spread, relative), fabs(oracle)));
}

/// The multiple of the noise by which an answer is wrong; infinite for a wrong class.
inline double needed_allowance(double answer, const Right& right, const Noise& noise,
                               const TypeLimits& type) {
  if (!is_finite(answer)) return right_class(answer, right) ? 0 : kEndless;
  if (!is_finite(right.value)) return kEndless;
  const double error = difference(fabs(answer - right.value), noise.arithmetic);
  return error > 0 ? error / noise.at(right.value, type) : 0;
}

/// The multiple that a tile of `elements` needs, whose errors and noises have these sums of squares.
inline double needed_by_norm(double errors, double noises, uint64_t elements, const Noise& noise) {
  if (errors == 0 || elements < kTileLeast) return 0;
  const double arithmetic = product(noise.arithmetic, sqrt(static_cast<double>(elements) / noises));
  return difference(sqrt(errors / noises) / kNormAllowance, arithmetic);
}

/// The noise seen at one element: PyTorch's error, or the oracle's response where that is larger.
inline double observed_noise(double torch, double oracle, double response) {
  const double own = is_finite(torch) ? fabs(torch - oracle) : 0;
  return is_finite(response) && response > own ? response : own;
}

/// The noise of fp32 arithmetic alone, of which the response knows.
inline double observed_arithmetic(double response) {
  return is_finite(response) ? response : 0;
}

/// Whether the answer is the oracle's value, rounded once.
inline bool is_exact(double answer, const Right& right, const TypeLimits& type) {
  const double rounded =
      type.single != 0 ? static_cast<double>(static_cast<float>(right.value)) : right.value;
  return same_class(answer, rounded);
}

}  // namespace kevolve::gates
