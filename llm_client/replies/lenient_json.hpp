#pragma once
// JSON as models write it: trailing commas, comments, raw line breaks inside strings, Python's True, False
// and None. Such a text has one meaning only, so it is rewritten as strict JSON; nothing else is guessed.
// Pure, linear.

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace kevolve::llm {

struct LenientJson {
  std::string
      strict;  ///< the value as strict JSON; line breaks outside strings are kept, "*/" is written "*\/"
  std::size_t end = 0;  ///< behind the value in the text
};

/// The object or array that begins at text[begin]; nothing when its brackets do not close in their order.
std::optional<LenientJson> lenient_json(std::string_view text, std::size_t begin);

}  // namespace kevolve::llm
