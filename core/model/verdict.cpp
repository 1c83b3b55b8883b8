#include "core/model/verdict.hpp"

namespace kevolve {
namespace {

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

constexpr bool in_order() {
  for (std::size_t i = 0; i < kGates.size(); ++i) {
    if (kGates[i].gate != static_cast<Gate>(i)) return false;
  }
  return true;
}
static_assert(in_order());
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
  return kGates[static_cast<std::size_t>(gate)].name;
}
std::optional<Gate> gate_from_name(std::string_view name) {
  for (const GateName& gate : kGates) {
    if (gate.name == name) return gate.gate;
  }
  return std::nullopt;
}
std::string gate_list(std::string_view last_joint) {
  std::string list;
  for (const GateName& gate : kGates) {
    if (!list.empty()) list += &gate == &kGates.back() ? last_joint : ", ";
    list += gate.name;
  }
  return list;
}
std::string_view name(Outcome outcome) {
  return kOutcomes[static_cast<std::size_t>(outcome)];
}
std::optional<Outcome> outcome_from_name(std::string_view name) {
  return find<Outcome>(kOutcomes, name);
}

}  // namespace kevolve
