#pragma once
// Characters, line ends and splices as g++ reads them: the alphabet below cuda_text. Pure.

#include <cstddef>
#include <string>
#include <string_view>

namespace kevolve {

inline bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
/// '$' is a letter. A byte beyond ASCII is not: a forbidden word must not hide beside one.
inline bool is_word_start(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '$';
}
inline bool is_word_part(char c) {
  return is_word_start(c) || is_digit(c);
}
inline bool is_blank(char c) {
  return c == ' ' || c == '\t' || c == '\v' || c == '\f' || c == '\0';
}

/// Behind the line end at `at` ("\n", "\r\n", a lone "\r"); `at` where there is none.
std::size_t behind_line_end(std::string_view text, std::size_t at);

/// Behind the splices at `at` (a backslash, blanks, a line end); `at` where there is none.
std::size_t behind_splices(std::string_view text, std::size_t at);

/// Of the first line end at or behind `at` that no splice takes away, or the end of the text.
std::size_t logical_line_end(std::string_view text, std::size_t at);

std::string without_splices(std::string_view text);

}  // namespace kevolve
