#pragma once
// Examination: the part of a comparison that touches elements, wherever they lie. What it finds becomes a
// Comparison by the same rules for every memory: compare_by() below. HostExamination is plain loops on the
// host; the cuda device examines in kernels.
//
// One thread at a time. An Expectation and an answer that are given to an examination lie in its memory.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "core/gates/comparison.hpp"
#include "core/gates/noise.hpp"

namespace kevolve::gates {

/// What one look at every element of a floating-point answer finds. Errors are of the finite elements.
struct Measured {
  double needed = 0;     ///< the largest allowance that an element, or the norm of a tile, needs
  bool exact = true;     ///< every element is the oracle's, rounded once
  double max_error = 0;  ///< scaled, as in Accuracy
  double torch_max_error = 0;
  double squares = 0, error_squares = 0, torch_squares = 0;  ///< of the right values, the answer's and
                                                             ///< PyTorch's errors
};

inline constexpr std::size_t kMostSampled = 65536;

/// The wrong elements of an answer.
struct Wrong {
  std::size_t count = 0;
  std::size_t unwritten = 0;  ///< of these, elements that still hold the poison
  std::size_t worst = 0;      ///< needs the largest allowance; the first of several
  std::size_t row_low = 0, row_high = 0, column_low = 0, column_high = 0;
  /// Ascending, at least one when any is wrong: every n-th, n the least for which they are at most
  /// kMostSampled.
  std::vector<std::size_t> sample;
};

/// n of Wrong::sample.
constexpr std::size_t sample_stride(std::size_t count) {
  return count == 0 ? 1 : (count + kMostSampled - 1) / kMostSampled;
}

/// Of elements known by index: all but `unwritten`. `indices` ascend; `worst` is one of them.
Wrong places_of(const std::vector<std::size_t>& indices, std::size_t worst,
                const std::vector<std::int64_t>& shape);

enum class Side { answer, oracle, torch };

class Examination {
 public:
  virtual ~Examination() = default;
  /// As first_difference(answer, expected.torch) == answer.count.
  virtual bool same(const Expectation& expected, const Elements& answer) = 0;
  /// Floating-point types only.
  virtual Measured measure(const Expectation& expected, const Elements& answer) = 0;
  /// Elements that need more than `allowed`; of integers and booleans those that differ from PyTorch's.
  virtual Wrong find_wrong(const Expectation& expected, const Elements& answer, double allowed,
                           std::optional<std::uint8_t> poison) = 0;
  /// Values of one side at `indices`.
  virtual std::vector<double> look(const Expectation& expected, const Elements& answer, Side side,
                                   std::span<const std::size_t> indices) = 0;
};

/// As compare().
Comparison compare_by(Examination& examination, const Expectation& expected, const Elements& answer,
                      PrecisionClass required, std::optional<std::uint8_t> poison);

Tiles tiles_of(const std::vector<std::int64_t>& shape, std::size_t count, DType dtype);
TypeLimits limits_of(DType dtype);
/// Elements of the innermost dimension, at least 1.
std::size_t columns_of(const std::vector<std::int64_t>& shape);

}  // namespace kevolve::gates
