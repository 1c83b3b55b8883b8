#pragma once
// What differs between two texts, line by line: Myers' shortest edit script kept with its whole trace.
// Pure.
//
// Own code: libgit2, which has this too, would make every start of the command line load TLS and SSH for the
// sake of a page.

#include <string>
#include <string_view>

namespace kevolve {

/// As `diff -u` prints it, `context` unchanged lines around each change; "" when the texts are equal. A last
/// line without its newline is marked as diff marks it. Texts of which more than 4000 lines differ are shown
/// as replaced wholly.
std::string unified_diff(std::string_view before, std::string_view after, std::string_view before_name,
                         std::string_view after_name, int context = 3);

}  // namespace kevolve
