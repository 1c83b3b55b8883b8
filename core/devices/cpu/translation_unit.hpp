#pragma once
// The C++ source that g++ compiles for a candidate: macros, the candidate itself, one exported entry for each
// launch. And the way back: g++'s messages in terms of the candidate's lines and the header's fields. Pure;
// thread-safe.

#include <set>
#include <string>
#include <string_view>

#include "core/model/launch_plan.hpp"

namespace kevolve::cpu {

/// What g++'s messages call the candidate's source.
inline constexpr std::string_view kCandidateFile = "candidate.cu";

/// Entries are numbered over `launches`, then `prepare`. The SIMT header is not included here: it comes
/// precompiled. `headers`: names of the others that a candidate may include.
std::string translation_unit(std::string_view source, const LaunchPlan& plan,
                             const std::set<std::string>& headers);

/// At most 4 KiB: errors first and in order, then warnings, without the machine's paths, each with its source
/// line. `source` and `plan` as given to translation_unit(); `own_paths`: folders whose names are left out.
std::string readable_diagnostics(std::string_view compiler_output, std::string_view source,
                                 const LaunchPlan& plan, const std::vector<std::string>& own_paths);

}  // namespace kevolve::cpu
