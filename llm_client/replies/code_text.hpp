#pragma once
// Candidate files inside a reply's text: where one begins, whether its code is whole, and what can be
// repaired because it has one meaning only. Pure, linear.

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace kevolve::llm {

struct Marker {
  std::size_t begin = 0;  ///< of "/*kevolve", however it is written
  std::size_t json = 0;   ///< of the header's '{'
};

/// The next header at or behind `from`: "/*kevolve {", "/* kevolve:\n{", in any case.
std::optional<Marker> next_marker(std::string_view text, std::size_t from);

/// `source` begins at a marker. "/*kevolve" is spelled as it must be, and the header's JSON is made strict
/// when it is not and one reading exists (lenient_json.hpp): then "*/" is added, too, when it is missing.
/// All else stays byte for byte.
std::string with_strict_header(std::string_view source);

/// Behind the header's "*/", or npos when it does not end.
std::size_t header_end(std::string_view source);

/// What a look at the code's brackets tells, comments and literals left aside.
struct CodeShape {
  bool has_kernel = false;      ///< __global__ occurs
  int open_braces = 0;          ///< at the end of the text; below 0: more closed than opened
  bool inside_comment = false;  ///< the text ends in a comment
  std::size_t code_end = 0;     ///< behind the last top-level "}" or directive; 0: there is none
};
CodeShape shape_of(std::string_view code);

/// "&lt;" and its like as characters, when the whole text is escaped: no bare <, > and & are in it.
/// Nothing when it is not escaped, or only in part.
std::optional<std::string> html_unescaped(std::string_view code);

}  // namespace kevolve::llm
