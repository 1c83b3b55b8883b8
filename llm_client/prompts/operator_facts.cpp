#include "llm_client/prompts/operator_facts.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "core/gates/draw_plan.hpp"
#include "core/text/words.hpp"
#include "llm_client/prompts/quote.hpp"

namespace kevolve::llm {
namespace {

constexpr std::size_t kMaxHoldouts = 16;

std::string joined(const std::vector<std::string>& parts, std::string_view between) {
  return fmt::format("{}", fmt::join(parts, between));
}

std::string axis_line(const Axis& axis, const Workload& workload) {
  const auto found = workload.axes.find(axis.name);
  const std::string value = found == workload.axes.end() ? "?" : fmt::format("{}", found->second);
  if (axis.kind == AxisKind::constant)
    return fmt::format("- `{}` = {}: {} (constant: a macro in the source)", axis.name, value,
                       axis.description);
  return fmt::format(
      "- `{0}` = {1} when timed: {2} (variable: not a macro, pass it as {{\"i64\": \"{0}\"}} or "
      "{{\"i32\": \"{0}\"}})",
      axis.name, value, axis.description);
}

std::string holdouts_text(const Workload& workload) {
  std::vector<std::string> all;
  for (const Bindings& holdout : workload.holdouts) {
    if (all.size() == kMaxHoldouts) break;
    all.push_back(in_equations(holdout));
  }
  if (all.empty()) return "";
  return fmt::format("\nThe kernel must also be right at other sizes, such as {}.", joined(all, "; "));
}

std::string tensor_line(const TensorSpec& tensor, const Workload& workload) {
  std::vector<std::string> names, numbers;
  for (const Expression& dimension : tensor.shape) names.push_back(dimension.text());
  std::int64_t elements = 1;
  const auto shape = shape_at(tensor, workload.axes);
  if (shape) {
    for (const std::int64_t size : *shape) {
      numbers.push_back(fmt::format("{}", size));
      elements *= size;
    }
  }
  const double bytes = static_cast<double>(elements) * static_cast<double>(size_bytes(tensor.dtype));
  return fmt::format("- `{}`: {} [{}] = [{}]{}{}", tensor.name, name(tensor.dtype), joined(names, ", "),
                     shape ? joined(numbers, ", ") : "?", shape ? ", " + in_binary_bytes(bytes) : "",
                     tensor.constant ? ", constant (a weight: `prepare` may repack it)" : "");
}

std::string cost_text(const Operator& op, const Workload& workload) {
  const auto bytes = op.bytes.evaluate(workload.axes);
  const auto flops = op.flops.evaluate(workload.axes);
  if (!bytes || !flops) return "";
  return fmt::format(
      "\n\nAt least {:.4g} MB must cross device memory (`{}`) and about {:.4g} million operations be done "
      "(`{}`).",
      static_cast<double>(*bytes) / 1e6, op.bytes.text(), static_cast<double>(*flops) / 1e6, op.flops.text());
}

std::string_view class_meaning(PrecisionClass precision) {
  switch (precision) {
    case PrecisionClass::exact:
      return "every element must be the exact result, rounded once (integers and booleans: exactly "
             "PyTorch's)";
    case PrecisionClass::strict_fp32:
      return "an element may be off by about 128 times the noise of PyTorch's own fp32 answer near it "
             "(noise: "
             "its distance from fp64, at least 2^-24 of the element's own size; where neighbours cancel or "
             "saturate, their largest absolute error counts for all in a tile of up to 4096 elements of a "
             "row; "
             "128 denormal steps, 2e-43, are always allowed). fp32 arithmetic and sums in "
             "several parts pass; one long sequential fp32 sum over many thousands of terms, a single "
             "rounding "
             "to tf32 (2000 to 8000 times the noise), fp16 or bf16, and E[x^2] - E[x]^2 do not; binaries "
             "that "
             "multiply tf32, fp16 or bf16 operands on tensor cores are refused, split or not";
    case PrecisionClass::compensated:
      return "an element may be off by about 1024 times the noise of PyTorch's own fp32 answer near it: "
             "about "
             "2^-14 of a typical element where nothing cancels; products on tensor cores split into high and "
             "low parts pass, plain tf32, fp16 or bf16 products do not";
    case PrecisionClass::tf32:
    case PrecisionClass::fp16:
      return "factors may be rounded to 11 bits (tf32 or fp16, 2^-11 each) but must be summed in fp32; f32 "
             "outputs may be off by about 2 x 2^-11 of their terms, 16-bit outputs by 12 roundings. bf16 "
             "factors and sums in fp16 do not pass";
    case PrecisionClass::bf16:
      return "factors may be rounded to bf16 (2^-8 each) but must be summed in fp32; f32 outputs may be off "
             "by "
             "about 2 x 2^-8 of their terms, 16-bit outputs by a few dozen roundings";
  }
  return "";
}

std::string draw_text(const InputDraw& draw) {
  std::vector<std::string> parameters;
  for (const auto& [name, value] : draw.parameters) parameters.push_back(fmt::format("{} {}", name, value));
  return parameters.empty() ? draw.kind : fmt::format("{} ({})", draw.kind, joined(parameters, ", "));
}

}  // namespace

std::string axes_text(const Operator& op, const Workload& workload) {
  std::string text = "Axes:\n";
  for (const Axis& axis : op.axes) text += "\n" + axis_line(axis, workload);
  return text + holdouts_text(workload);
}

std::string tensors_text(const Operator& op, const Workload& workload) {
  std::string text = "Inputs (read-only, contiguous, row-major, aligned to 16 bytes):\n";
  for (const TensorSpec& tensor : op.inputs) text += "\n" + tensor_line(tensor, workload);
  text += "\n\nOutputs:\n";
  for (const TensorSpec& tensor : op.outputs) text += "\n" + tensor_line(tensor, workload);
  if (!op.scalars.empty()) text += "\n\nConstants (macros in the source):\n";
  for (const Scalar& scalar : op.scalars)
    text += fmt::format("\n- `{}` = {} ({})", scalar.name, scalar.value, name(scalar.dtype));
  return text + cost_text(op, workload);
}

std::string precision_text(const Operator& op) {
  return fmt::format("Precision class required: `{}`: {}.", name(op.precision), class_meaning(op.precision));
}

std::string distributions_text(const Operator& op) {
  std::string text = "Inputs on which it must be right (drawn afresh, in secret):\n";
  std::set<std::string> kinds;
  for (const Distribution& distribution : op.distributions) {
    std::vector<std::string> draws;
    std::string others;
    for (const auto& [input, draw] : distribution.draws) {
      kinds.insert(draw.kind);
      if (input != "*")
        draws.push_back(fmt::format("`{}`: {}", input, draw_text(draw)));
      else
        others = draw_text(draw);
    }
    if (!others.empty()) draws.push_back((draws.empty() ? "all inputs: " : "others: ") + others);
    text += fmt::format("\n- `{}`{}: {}", distribution.name,
                        distribution.timed ? " (also the timed one)" : "", joined(draws, "; "));
  }
  std::string meanings;
  for (const std::string& kind : kinds) {
    if (const gates::DrawKind* known = gates::draw_kind(kind); known != nullptr && !known->meaning.empty())
      meanings += fmt::format("\n- {}: {}", kind, known->meaning);
  }
  if (!meanings.empty()) text += "\n\nOf these:\n" + meanings;
  return text;
}

}  // namespace kevolve::llm
