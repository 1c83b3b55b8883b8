#pragma once
// The rules of gate policy: what a candidate's source may not contain.
//
// These rules are tripwires. They stop honest mistakes and lazy tricks early, with a message that says what
// to do instead. The defence is elsewhere: the sandboxed compiler, the inspection of the binary, and the
// runner's own process. Pure logic.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/model/verdict.hpp"

namespace kevolve::gates {

struct PolicyViolation {
  int line = 1;
  std::string what;     ///< "`printf`"
  std::string why;      ///< "candidates have no output but their output tensors"
  std::string instead;  ///< "remove it"
};

/// All violations, in the order of the lines.
std::vector<PolicyViolation> policy_violations(std::string_view source);

/// The gate: nothing when the source passes, otherwise `policy_violation` with the first few in words.
std::optional<Verdict> check_policy(std::string_view source);

}  // namespace kevolve::gates
