#include "core/model/verdict.hpp"

#include <array>
#include <cstddef>

namespace kevolve {
namespace {

constexpr std::array<std::string_view, 6> kGates = {"policy",      "compile", "inspect",
                                                    "correctness", "timing",  "profile"};
constexpr std::array<std::string_view, 19> kOutcomes = {"passed",
                                                        "not_applicable",
                                                        "unsupported",
                                                        "policy_violation",
                                                        "compile_error",
                                                        "compile_timeout",
                                                        "inspect_violation",
                                                        "launch_error",
                                                        "illegal_access",
                                                        "crash",
                                                        "deadlock",
                                                        "timeout",
                                                        "out_of_memory",
                                                        "race",
                                                        "unwritten",
                                                        "wrong_result",
                                                        "wrong_precision",
                                                        "quarantined",
                                                        "inconclusive"};
static_assert(kGates.size() == static_cast<std::size_t>(Gate::profile) + 1);
static_assert(kOutcomes.size() == static_cast<std::size_t>(Outcome::inconclusive) + 1);

template <class Enum, std::size_t size>
std::optional<Enum> find(const std::array<std::string_view, size>& names, std::string_view name) {
  for (std::size_t i = 0; i < size; ++i) {
    if (names[i] == name) return static_cast<Enum>(i);
  }
  return std::nullopt;
}

}  // namespace

std::string_view name(Gate gate) {
  return kGates[static_cast<std::size_t>(gate)];
}
std::optional<Gate> gate_from_name(std::string_view name) {
  return find<Gate>(kGates, name);
}
std::string_view name(Outcome outcome) {
  return kOutcomes[static_cast<std::size_t>(outcome)];
}
std::optional<Outcome> outcome_from_name(std::string_view name) {
  return find<Outcome>(kOutcomes, name);
}

}  // namespace kevolve
