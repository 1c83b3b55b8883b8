#pragma once
// Sets of names, and what an error says about a name that is not in the set. Pure.

#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace kevolve {

using Names = std::set<std::string, std::less<>>;

/// The known word nearest to `word` by edit distance, or "" when none is near enough to suggest.
std::string nearest(std::string_view word, const std::vector<std::string>& known);

/// "; did you mean 'x'? known tensors: x, weight": the end of an error about the unknown name `word`.
std::string suggestion(std::string_view word, const Names& known, std::string_view noun);

/// Why `name` may not become a macro or an identifier in generated C++ ("is a C++ keyword"), or "".
std::string reserved_reason(std::string_view name);

}  // namespace kevolve
