#pragma once
// Integer expressions of candidate headers and operator files: "L % (SPLIT * VEC) == 0".
//
// Grammar (C precedence): integers, names, ( ), unary - !, * / %, + -, < <= > >=, == !=, &&, ||,
// and the functions min(a, b, …), max(a, b, …), ceil_div(a, b). `num_sms` is an ordinary name that the
// resolver binds. Values are int64_t; a comparison yields 0 or 1. Immutable after parse; thread-safe.

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>

#include "core/text/result.hpp"

namespace kevolve {

/// Values of axes, tunables and num_sms by name.
using Bindings = std::map<std::string, std::int64_t>;

class Expression {
 public:
  /// Errors name the column, what was found and what was expected.
  static Result<Expression> parse(std::string_view text);

  /// Fails on an unbound name (listing the known ones), overflow, or division by zero.
  [[nodiscard]] Result<std::int64_t> evaluate(const Bindings& bindings) const;

  [[nodiscard]] const std::set<std::string>& names() const { return names_; }
  [[nodiscard]] const std::string& text() const { return text_; }

  struct Node;

 private:
  std::string text_;
  std::set<std::string> names_;
  std::shared_ptr<const Node> root_;
};

}  // namespace kevolve
