#include "core/judge/admission.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>

namespace kevolve::judge {
namespace {

/// Another seed must move at least this share of some output's elements.
constexpr double kLeastMoved = 0.01;

using Answer = std::vector<Bytes>;  // one for each output

gates::Elements elements(const gates::Expectation& expected, const Bytes& bytes) {
  return {expected.torch.dtype, bytes.data(), expected.torch.count};
}

Answer constant_answer(const Draw& draw, double value) {
  Answer answer;
  for (const gates::Expectation& expected : draw.outputs) {
    Bytes bytes(expected.torch.size_bytes());
    for (std::size_t i = 0; i < expected.torch.count; ++i)
      gates::store(expected.torch.dtype, bytes.data(), i, value);
    answer.push_back(std::move(bytes));
  }
  return answer;
}

/// Every output filled with the mean of its finite right values.
Answer mean_answer(const Draw& draw) {
  Answer answer;
  for (std::size_t o = 0; o < draw.outputs.size(); ++o) {
    double sum = 0, count = 0;
    for (const double value : draw.outputs[o].oracle) {
      if (std::isfinite(value)) sum += value, ++count;
    }
    answer.push_back(constant_answer(draw, count > 0 ? sum / count : 0)[o]);
  }
  return answer;
}

/// Every output filled with an input's values, repeated as needed.
Answer copied_answer(const Operator& op, const Draw& draw, std::size_t input) {
  const gates::Elements from{op.inputs[input].dtype, draw.inputs[input].data.get(),
                             draw.inputs[input].size_bytes / size_bytes(op.inputs[input].dtype)};
  Answer answer;
  for (const gates::Expectation& expected : draw.outputs) {
    Bytes bytes(expected.torch.size_bytes());
    for (std::size_t i = 0; i < expected.torch.count; ++i) {
      gates::store(expected.torch.dtype, bytes.data(), i, from.at(i % from.count));
    }
    answer.push_back(std::move(bytes));
  }
  return answer;
}

Answer own_answer(const Draw& draw) {
  Answer answer;
  for (const gates::Expectation& expected : draw.outputs) {
    answer.emplace_back(expected.torch.data, expected.torch.data + expected.torch.size_bytes());
  }
  return answer;
}

bool accepted(const Draw& draw, const Answer& answer, PrecisionClass required) {
  for (std::size_t o = 0; o < draw.outputs.size(); ++o) {
    if (!gates::compare(draw.outputs[o], elements(draw.outputs[o], answer[o]), required).right())
      return false;
  }
  return true;
}

/// Largest share of wrong elements over the outputs, even when judged in the coarsest class.
double moved_share(const Draw& draw, const Answer& answer) {
  double share = 0;
  for (std::size_t o = 0; o < draw.outputs.size(); ++o) {
    const auto result =
        gates::compare(draw.outputs[o], elements(draw.outputs[o], answer[o]), PrecisionClass::bf16);
    share =
        std::max(share, static_cast<double>(result.wrong) / static_cast<double>(draw.outputs[o].torch.count));
  }
  return share;
}

/// Answers that take no work, each with its name.
std::vector<std::pair<std::string, Answer>> idle_answers(const Operator& op, const Draw& draw,
                                                         const Draw& other) {
  std::vector<std::pair<std::string, Answer>> answers{{"all zeros", constant_answer(draw, 0)},
                                                      {"all ones", constant_answer(draw, 1)},
                                                      {"its own mean everywhere", mean_answer(draw)},
                                                      {"the answer to another seed", own_answer(other)}};
  for (std::size_t i = 0; i < op.inputs.size(); ++i) {
    answers.emplace_back(fmt::format("a copy of input '{}'", op.inputs[i].name), copied_answer(op, draw, i));
  }
  return answers;
}

}  // namespace

Result<std::string> refusal(Judge& judge, const Workload& workload, const gates::Seed& seed) {
  const Operator& op = judge.op();
  for (const Distribution& distribution : op.distributions) {
    const auto draw = judge.draw(workload.axes, distribution, seed, 0);
    if (!draw) return failure(draw.error());
    if (!accepted(*draw, own_answer(*draw), op.precision)) {
      return fmt::format("PyTorch's own answer does not pass distribution '{}' in precision class {}: {}",
                         distribution.name, name(op.precision),
                         gates::compare(draw->outputs[0], draw->outputs[0].torch, op.precision).evidence);
    }
    if (!distribution.timed) continue;
    const auto other = judge.draw(workload.axes, distribution, seed, 1);
    if (!other) return failure(other.error());
    for (const auto& [what, answer] : idle_answers(op, *draw, *other)) {
      if (accepted(*draw, answer, op.precision)) {
        return fmt::format(
            "{} passes for an answer under the timed distribution '{}': the outputs say too little; "
            "choose inputs that the outputs depend on",
            what, distribution.name);
      }
    }
    for (std::size_t i = 0; i < op.inputs.size(); ++i) {
      auto inputs = draw->inputs;
      inputs[i] = other->inputs[i];
      const auto changed = judge.answer(workload.axes, distribution.name, std::move(inputs));
      if (!changed) return failure(changed.error());
      const double share = moved_share(*draw, own_answer(*changed));
      if (share < kLeastMoved) {
        return fmt::format(
            "input '{}' hardly matters: drawn afresh under the timed distribution '{}', it moves {:.2g} % "
            "of the outputs' elements beyond even the bf16 tolerance, and at least {:g} % must move",
            op.inputs[i].name, distribution.name, 100 * share, 100 * kLeastMoved);
      }
    }
  }
  return std::string();
}

}  // namespace kevolve::judge
