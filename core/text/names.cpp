#include "core/text/names.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <numeric>

#include "core/text/words.hpp"

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

// Optimal string alignment distance: insertion, deletion, substitution and swapped neighbours cost 1; case is
// free.
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> before(b.size() + 1), row(b.size() + 1), next(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    next[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const bool same = lower(a[i - 1]) == lower(b[j - 1]);
      next[j] = std::min({row[j] + 1, next[j - 1] + 1, row[j - 1] + (same ? 0U : 1U)});
      const bool swapped =
          i > 1 && j > 1 && lower(a[i - 1]) == lower(b[j - 2]) && lower(a[i - 2]) == lower(b[j - 1]);
      if (swapped) next[j] = std::min(next[j], before[j - 2] + 1);
    }
    before = row;
    row = next;
  }
  return row[b.size()];
}

}  // namespace

std::string nearest(std::string_view word, const std::vector<std::string>& known) {
  if (word.size() > 100) return "";
  std::string best;
  std::size_t best_distance = (word.size() + 2) / 3 + 1;
  for (const std::string& candidate : known) {
    const std::size_t far = distance(word, candidate);
    if (far >= best_distance || far >= std::max(word.size(), candidate.size())) continue;
    best = candidate;
    best_distance = far;
  }
  return best;
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
