#include "core/text/cuda_characters.hpp"

namespace kevolve {

std::size_t behind_line_end(std::string_view text, std::size_t at) {
  if (at >= text.size()) return at;
  if (text[at] == '\n') return at + 1;
  if (text[at] != '\r') return at;
  return text.substr(at + 1, 1) == "\n" ? at + 2 : at + 1;
}

std::size_t behind_splices(std::string_view text, std::size_t at) {
  while (at < text.size() && text[at] == '\\') {
    std::size_t end = at + 1;
    while (end < text.size() && is_blank(text[end])) ++end;
    const std::size_t behind = behind_line_end(text, end);
    if (behind == end) return at;
    at = behind;
  }
  return at;
}

std::size_t logical_line_end(std::string_view text, std::size_t at) {
  while (at < text.size()) {
    if (const std::size_t behind = behind_splices(text, at); behind > at) {
      at = behind;
    } else if (behind_line_end(text, at) > at) {
      return at;
    } else {
      ++at;
    }
  }
  return text.size();
}

std::string without_splices(std::string_view text) {
  std::string joined;
  for (std::size_t i = behind_splices(text, 0); i < text.size(); i = behind_splices(text, i + 1))
    joined += text[i];
  return joined;
}

}  // namespace kevolve
