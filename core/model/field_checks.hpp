#pragma once
// Checks that a schema cannot state, shared by the parsers of operators, candidate headers and jobs:
// expressions inside JSON fields, and the names that they and macros may use. Pure functions; internal to
// core/model.

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "core/model/expression.hpp"
#include "core/model/json.hpp"

namespace kevolve {

using Names = std::set<std::string, std::less<>>;

/// An integer or a string, as the schemas' "expression". The expression may use `known` names only; `field`
/// ("naive.cu: launches[0].grid[1]") starts every error.
Result<Expression> expression_field(const Json& value, const Names& known, const std::string& field);
Result<std::vector<Expression>> expression_list(const Json& array, const Names& known,
                                                const std::string& field);

/// "; did you mean 'x'? known tensors: x, weight": the end of an error about the unknown name `word`.
std::string suggestion(std::string_view word, const Names& known, std::string_view noun);

/// Why `name` may not become a macro or an identifier in generated C++ ("is a C++ keyword"), or "".
std::string reserved_reason(std::string_view name);

}  // namespace kevolve
