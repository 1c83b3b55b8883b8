#pragma once
// Foreign text inside a prompt: sources, evidence, other ideas. It is put in a fence that it cannot close,
// and cut to a size, with a note where something is missing. Pure.

#include <cstddef>
#include <string>
#include <string_view>

namespace kevolve::llm {

/// `text` between lines of backticks, one more than its longest run of them and at least three. Made readable
/// first (core/text/utf8.hpp). `language`: what follows the opening backticks: "cuda", "text".
std::string fenced(std::string_view text, std::string_view language);

/// At most `most` bytes and the note "[… 1234 bytes left out here …]" between the first three quarters and
/// the last quarter; cut at line ends where there are any.
std::string shortened(std::string_view text, std::size_t most);

}  // namespace kevolve::llm
