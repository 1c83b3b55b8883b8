#pragma once
// Near-duplicates among ideas, told by their words before anything is paid for. Pure; linear in the texts.
//
// Method: resemblance and containment of term sets (A. Broder, "On the resemblance and containment of
// documents", 1997). A term is a stemmed word (suffix stripping after M. Porter, "An algorithm for suffix
// stripping", 1980, in its first steps) with the synonyms of this trade made one ("smem" and "shared memory",
// "divide" and "split"). Words that every idea uses (kernel, thread, element) count little. Numbers are left
// out: values of tunables are swept mechanically, so "16 blocks" and "32 blocks" are the same idea.

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace kevolve::search {

/// Index of the known text that says nearly the same as `text`, the most similar one; nothing when `text` is
/// new. A text without any term (nothing but numbers and stop words) is always new.
std::optional<std::size_t> near_duplicate(std::string_view text, const std::vector<std::string>& known);

/// Weighted resemblance of two texts' term sets: 0 (nothing in common) to 1.
double resemblance(std::string_view a, std::string_view b);

}  // namespace kevolve::search
