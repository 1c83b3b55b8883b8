#pragma once
// Comparison of one whole output tensor with what it must be. No element is skipped, and no average hides
// one.
//
// The method, with the reasons for every constant, is docs/trust.md, "How an answer is compared". In short:
// the allowance of an element is a multiple of the noise of fp32 arithmetic around it, and that noise is not
// assumed but observed, in PyTorch's own fp32 answer and in how the fp64 oracle responds when the last bit of
// every input is nudged. The multiple that an answer needs decides its precision class. Pure logic; an
// Expectation views memory of its maker and is immutable but for the noise kept in it: one thread at a time.

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/gates/elements.hpp"
#include "core/gates/noise.hpp"
#include "core/model/evaluation.hpp"
#include "core/text/result.hpp"

namespace kevolve::gates {

/// What one output must be on one draw. Borrowed memory must outlive it.
struct Expectation {
  std::string output;                ///< tensor name, for the evidence
  std::string draw;                  ///< distribution name, for the evidence
  std::vector<std::int64_t> shape;   ///< outermost first
  Elements torch;                    ///< PyTorch's own answer, in the output's type
  std::span<const double> oracle;    ///< the reference in fp64
  std::span<const double> response;  ///< |change of the oracle| when inputs change by 2^-24 of themselves
  /// Gives `response` when it is empty; asked only when PyTorch's own error leaves an answer in doubt, for it
  /// costs several runs of the oracle, whose memory may be missing. What it returns must live as long as the
  /// Expectation.
  std::function<Result<std::span<const double>>()> observe_response{};
  DType intermediates = DType::f32;  ///< the operator's
  /// What an Examination has measured of the noise, without and with the response: its own, opaque here, and
  /// kept as long as what it was measured of.
  mutable std::array<std::shared_ptr<void>, 2> noise{};
};

/// The multiple of the observed noise that a class allows in an output of type `dtype`.
double allowance(PrecisionClass precision, DType dtype);

/// For 16-bit outputs: fp32 arithmetic alone, or two roundings of results on the way to `intermediates`.
ResponseRule response_rule(DType intermediates);

struct Comparison {
  /// The finest class whose allowance covers every element; nothing when even the coarsest does not.
  std::optional<PrecisionClass> precision;
  Accuracy accuracy;            ///< scaled by |oracle| + rms of the oracle over the tensor
  double needed_allowance = 0;  ///< infinite when a NaN or an infinity is not where it must be
  std::size_t wrong = 0;        ///< elements outside the required class
  std::size_t unwritten = 0;    ///< of these, elements that still hold the poison
  std::string evidence;         ///< empty when the required class is met

  [[nodiscard]] bool right() const { return evidence.empty(); }
};

/// `poison`: what the output held before the run, when it was poisoned.
Comparison compare(const Expectation& expected, const Elements& answer, PrecisionClass required,
                   std::optional<std::uint8_t> poison = std::nullopt);

/// Keeps the worse of two, for the evaluation's record.
void keep_worst(Accuracy& into, const Accuracy& other);

}  // namespace kevolve::gates
