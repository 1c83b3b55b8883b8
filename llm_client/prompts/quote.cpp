#include "llm_client/prompts/quote.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "core/text/utf8.hpp"

namespace kevolve::llm {

std::string fenced(std::string_view text, std::string_view language) {
  std::string body = readable(text);
  while (!body.empty() && body.back() == '\n') body.pop_back();
  std::size_t longest = 0, run = 0;
  for (const char c : body) {
    run = c == '`' ? run + 1 : 0;
    longest = std::max(longest, run);
  }
  const std::string fence(std::max<std::size_t>(3, longest + 1), '`');
  return fmt::format("{}{}\n{}\n{}", fence, language, body, fence);
}

std::string shortened(std::string_view text, std::size_t most) {
  const std::string whole = readable(text);
  if (whole.size() <= most) return whole;
  std::size_t head = utf8_boundary(whole, most / 4 * 3);
  if (const std::size_t line = whole.rfind('\n', head); line != std::string::npos && line > head / 2)
    head = line + 1;
  std::size_t tail = utf8_boundary(whole, whole.size() - most / 4);
  if (const std::size_t line = whole.find('\n', tail);
      line != std::string::npos && line + 1 < whole.size() && line - tail < most / 8)
    tail = line + 1;
  const std::string_view view = whole;
  return fmt::format("{}{}[… {} bytes left out here …]\n{}", view.substr(0, head),
                     head > 0 && view[head - 1] == '\n' ? "" : "\n", tail - head, view.substr(tail));
}

}  // namespace kevolve::llm
