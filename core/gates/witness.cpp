#include "core/gates/witness.hpp"

#include <algorithm>

#include "core/gates/evidence.hpp"

namespace kevolve::gates {
namespace {

/// Two events see more of a launch than its kernel: 2.5 to 2.8 us on an H200.
constexpr double kEventsUs = 4;

}  // namespace

std::optional<std::string> disagreement(const Witness& witness, double median_us,
                                        std::size_t planned_launches) {
  if (!witness.unavailable.empty()) return std::nullopt;
  const auto planned = static_cast<double>(planned_launches);
  if (witness.launches != planned)
    return "The plan has " + number_text(planned) + " launches, but a trace of the device shows " +
           number_text(witness.launches) + " kernels: the time is not of the work that was asked for.";
  if (median_us < witness.busy_us - std::max(2.0, 0.05 * witness.busy_us))
    return "Events say " + number_text(median_us) + " us, but a trace of the device shows it busy for " +
           number_text(witness.busy_us) + " us: part of the work lies outside the timed span.";
  if (median_us > witness.span_us + kEventsUs + 0.05 * witness.span_us)
    return "Events say " + number_text(median_us) + " us, but a trace of the device shows " +
           number_text(witness.span_us) +
           " us from the first kernel's begin to the last one's end: something else was timed as well.";
  return std::nullopt;
}

}  // namespace kevolve::gates
