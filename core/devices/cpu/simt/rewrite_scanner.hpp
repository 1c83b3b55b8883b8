#pragma once
// Tokens of C++ text, as far as rewrite_for_host() needs them: comments are skipped, literals (raw ones too)
// are one token, and so is a whole preprocessor line with its continuations. Pure; thread-safe.

#include <cstddef>
#include <string_view>
#include <vector>

namespace kevolve::simt {

struct Token {
  enum class Kind { word, literal, symbol, directive };
  Kind kind = Kind::symbol;
  std::size_t begin = 0, end = 0;  ///< offsets in the scanned text
  std::string_view text;
};

/// Symbols are single characters, save `[[` … `]]` attributes, which are skipped like comments.
/// `line_start`: whether a `#` at the beginning starts a directive.
std::vector<Token> scan(std::string_view text, bool line_start = true);

}  // namespace kevolve::simt
