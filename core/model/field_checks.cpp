#include "core/model/field_checks.hpp"

#include <fmt/format.h>

namespace kevolve {

Result<Expression> expression_field(const Json& value, const Names& known, const std::string& field) {
  const std::string text = value.is_string() ? value.get<std::string>() : value.dump();
  Result<Expression> expression = Expression::parse(text);
  if (!expression) return failure(expression.error().in(field));
  for (const std::string& name : expression->names()) {
    if (known.contains(name)) continue;
    return failure(fmt::format("{}: unknown name '{}' in \"{}\"{}", field, name, text,
                               suggestion(name, known, "names")));
  }
  return expression;
}

Result<std::vector<Expression>> expression_list(const Json& array, const Names& known,
                                                const std::string& field) {
  std::vector<Expression> expressions;
  for (std::size_t i = 0; i < array.size(); ++i) {
    Result<Expression> expression = expression_field(array[i], known, fmt::format("{}[{}]", field, i));
    if (!expression) return failure(expression.error());
    expressions.push_back(std::move(*expression));
  }
  return expressions;
}

}  // namespace kevolve
