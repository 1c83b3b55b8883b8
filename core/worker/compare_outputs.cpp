#include "core/worker/compare_outputs.hpp"

#include <algorithm>

#include "core/gates/evidence.hpp"

namespace kevolve::worker {

Verdict compare_outputs(devices::Memory& memory, const judge::Draw& draw,
                        const std::vector<gates::Elements>& outputs, PrecisionClass required,
                        std::optional<std::uint8_t> poison, Nearness& nearness) {
  for (std::size_t o = 0; o < draw.outputs.size(); ++o) {
    const gates::Comparison result = memory.compare(draw.outputs[o], outputs[o], required, poison);
    gates::keep_worst(nearness.accuracy, result.accuracy);
    if (result.precision)
      nearness.precision = std::max(nearness.precision.value_or(PrecisionClass::exact), *result.precision);
    if (result.right()) continue;
    const bool unwritten = result.wrong > 0 && result.unwritten == result.wrong;
    const Outcome outcome = unwritten          ? Outcome::unwritten
                            : result.precision ? Outcome::wrong_precision
                                               : Outcome::wrong_result;
    return {outcome, Gate::correctness, result.evidence};
  }
  return {Outcome::passed, Gate::correctness, ""};
}

}  // namespace kevolve::worker
