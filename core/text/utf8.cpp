#include "core/text/utf8.hpp"

#include <algorithm>

namespace kevolve {
namespace {

unsigned byte_at(std::string_view text, std::size_t at) {
  return at < text.size() ? static_cast<unsigned char>(text[at]) : 0U;
}

/// Length of the well-formed character that begins at `at` (Unicode, table 3-7), or 0.
std::size_t character_length(std::string_view text, std::size_t at) {
  const unsigned first = byte_at(text, at), second = byte_at(text, at + 1);
  const auto follows = [&](std::size_t i) { return byte_at(text, at + i) >> 6 == 2U; };
  if (first < 0x80) return 1;
  if (first >= 0xC2 && first <= 0xDF) return follows(1) ? 2 : 0;
  if (first >= 0xE0 && first <= 0xEF) {
    const unsigned low = first == 0xE0 ? 0xA0 : 0x80, high = first == 0xED ? 0x9F : 0xBF;
    return second >= low && second <= high && follows(2) ? 3 : 0;
  }
  if (first >= 0xF0 && first <= 0xF4) {
    const unsigned low = first == 0xF0 ? 0x90 : 0x80, high = first == 0xF4 ? 0x8F : 0xBF;
    return second >= low && second <= high && follows(2) && follows(3) ? 4 : 0;
  }
  return 0;
}

}  // namespace

std::string readable(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size();) {
    const std::size_t length = character_length(text, i);
    const unsigned first = byte_at(text, i);
    if (length == 0) {
      out += "\xEF\xBF\xBD";
    } else if (first == '\r') {
      if (byte_at(text, i + 1) != '\n') out += '\n';
    } else if ((first >= 0x20 && first != 0x7F) || first == '\n' || first == '\t') {
      out.append(text.substr(i, length));
    }
    i += std::max<std::size_t>(length, 1);
  }
  return out;
}

std::size_t utf8_boundary(std::string_view text, std::size_t most) {
  std::size_t at = std::min(most, text.size());
  while (at > 0 && at < text.size() && byte_at(text, at) >> 6 == 2U) --at;
  return at;
}

}  // namespace kevolve
