#pragma once
// The tokens of core/text/cuda_text as rewrite_for_host() needs them: separators and attributes are gone, all
// literals are alike, and a whole preprocessor line with its continuations is one token. Pure; thread-safe.

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace kevolve::simt {

struct Token {
  enum class Kind { word, literal, symbol, directive };
  Kind kind = Kind::symbol;
  std::size_t begin = 0, end = 0;  ///< offsets in the scanned text
  std::string text;                ///< without splices, save a directive's
};

/// Symbols are single characters or "::"; `[[` … `]]` attributes are skipped like comments.
/// `line_start`: whether a `#` at the beginning starts a directive.
std::vector<Token> scan(std::string_view text, bool line_start = true);

}  // namespace kevolve::simt
