#pragma once
// Which of a candidate's loops g++ turned into vector code, from what -fopt-info-vec-optimized-missed prints.
// Pure.

#include <string>
#include <string_view>

namespace kevolve::cpu {

/// One line for each loop of `file` in `compiler_output`, in the order of the source, at most 2 KiB:
/// "line 7: 64-byte vectors", "line 12: not vectorised (control flow in loop.)". "" when it names none.
std::string vector_report(std::string_view compiler_output, std::string_view file);

}  // namespace kevolve::cpu
