#pragma once
// What the judge's kernels are given and give back. Host code includes this file; it is also part of the
// kernels' text (core/gates/element_values.hpp says what such text may use).

#include "core/gates/draw_value.hpp"
#include "core/gates/noise.hpp"

namespace kevolve::cuda {

constexpr unsigned kJudgeThreads = 256;  // of every block
constexpr unsigned kJudgeWarps = kJudgeThreads / 32;
constexpr unsigned kFillChunk = 16 * kJudgeThreads;  // elements that a block draws

/// An answer and what it must be. Also any two tensors of one type that are searched together.
struct JudgeSubject {
  const void* answer;
  const void* torch;          ///< or the other tensor
  const double* oracle;       ///< of numbers
  const gates::Noise* noise;  ///< by tile, of numbers
  gates::Tiles tiles;
  gates::TypeLimits type;
  DType dtype;
  gates::ResponseRule response_rule;
};

/// What one block of judge_measure found.
struct MeasuredPart {
  double needed, max_error, squares, error_squares;
  uint64_t inexact;  ///< 0 or 1
};

/// What one block of judge_squares found.
struct SquaresPart {
  double squares, count;
};

enum class Seek : uint32_t {
  beyond,     ///< answers that need more than the allowance
  differing,  ///< elements that are not the same in both tensors
  unwritten,  ///< elements that hold their poison in both tensors
};

struct JudgeSearch {
  JudgeSubject subject;
  Seek seek;
  int32_t poison, torch_poison;  ///< -1: none
  double allowed;
  uint64_t columns;
};

/// What one warp of judge_find found.
struct FoundPart {
  uint64_t count, unwritten, worst;
  uint64_t row_low, row_high, column_low, column_high;
  double needed;  ///< by the worst
};

}  // namespace kevolve::cuda
