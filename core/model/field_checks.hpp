#pragma once
// Expressions inside JSON fields, which a schema cannot check: shared by the parsers of operators, candidate
// headers and jobs. Pure functions; internal to core/model.

#include <string>
#include <vector>

#include "core/model/expression.hpp"
#include "core/text/json.hpp"
#include "core/text/names.hpp"

namespace kevolve {

/// An integer or a string, as the schemas' "expression". The expression may use `known` names only; `field`
/// ("naive.cu: launches[0].grid[1]") starts every error.
Result<Expression> expression_field(const Json& value, const Names& known, const std::string& field);
Result<std::vector<Expression>> expression_list(const Json& array, const Names& known,
                                                const std::string& field);

}  // namespace kevolve
