#include "core/model/field_checks.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "core/model/schema.hpp"

namespace kevolve {
namespace {

const Names& keywords() {
  static const Names words = {
      "alignas",   "alignof",   "and",        "and_eq",    "asm",          "auto",          "bitand",
      "bitor",     "bool",      "break",      "case",      "catch",        "char",          "char8_t",
      "char16_t",  "char32_t",  "class",      "compl",     "concept",      "const",         "consteval",
      "constexpr", "constinit", "const_cast", "continue",  "co_await",     "co_return",     "co_yield",
      "decltype",  "default",   "delete",     "do",        "double",       "dynamic_cast",  "else",
      "enum",      "explicit",  "export",     "extern",    "false",        "float",         "for",
      "friend",    "goto",      "if",         "inline",    "int",          "long",          "mutable",
      "namespace", "new",       "noexcept",   "not",       "not_eq",       "nullptr",       "operator",
      "or",        "or_eq",     "private",    "protected", "public",       "register",      "requires",
      "return",    "short",     "signed",     "sizeof",    "static",       "static_assert", "static_cast",
      "struct",    "switch",    "template",   "this",      "thread_local", "throw",         "true",
      "try",       "typedef",   "typeid",     "typename",  "union",        "unsigned",      "using",
      "virtual",   "void",      "volatile",   "wchar_t",   "while",        "xor",           "xor_eq",
      "final",     "override",  "import",     "module",    "restrict"};
  return words;
}

// Names that expressions, CUDA or the standard headers give a meaning of their own.
const Names& predefined() {
  static const Names words = {"num_sms",     "NUM_SMS",   "min",       "max",        "ceil_div",  "threadIdx",
                              "blockIdx",    "blockDim",  "gridDim",   "warpSize",   "half",      "half2",
                              "NULL",        "EOF",       "INFINITY",  "NAN",        "INT_MIN",   "INT_MAX",
                              "UINT_MAX",    "LONG_MIN",  "LONG_MAX",  "CHAR_BIT",   "FLT_MIN",   "FLT_MAX",
                              "FLT_EPSILON", "DBL_MIN",   "DBL_MAX",   "M_PI",       "SIZE_MAX",  "I",
                              "assert",      "printf",    "std",       "cuda",       "HUGE_VAL",  "INT8_MAX",
                              "INT16_MAX",   "INT32_MAX", "INT64_MAX", "UINT32_MAX", "UINT64_MAX"};
  return words;
}

}  // namespace

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

std::string suggestion(std::string_view word, const Names& known, std::string_view noun) {
  const std::vector<std::string> words(known.begin(), known.end());
  const std::string near = nearest(word, words);
  return fmt::format("; {}known {}: {}", near.empty() ? "" : fmt::format("did you mean '{}'? ", near), noun,
                     words.empty() ? "none" : fmt::format("{}", fmt::join(words, ", ")));
}

std::string reserved_reason(std::string_view name) {
  if (keywords().contains(name)) return "is a C++ keyword";
  if (predefined().contains(name)) return "has a meaning of its own in CUDA or in expressions";
  if (name.starts_with("KEVOLVE")) return "starts with KEVOLVE, which is reserved";
  if (name.starts_with("_") || name.find("__") != std::string_view::npos) {
    return "starts with _ or contains __, which C++ reserves";
  }
  return "";
}

}  // namespace kevolve
