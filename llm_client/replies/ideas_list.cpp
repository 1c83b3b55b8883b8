#include "llm_client/replies/ideas_list.hpp"

#include <algorithm>
#include <optional>
#include <string>

#include "core/text/words.hpp"
#include "llm_client/replies/predicted_time.hpp"

namespace kevolve::llm {
namespace {

constexpr std::size_t kLeastWords = 4;

/// A line without Markdown's marks: emphasis, headings, bullets, code.
std::string plain(std::string_view line) {
  std::string out;
  for (const char c : line) {
    if (c != '*' && c != '`' && c != '#') out += c == '\t' ? ' ' : c;
  }
  const std::size_t begin = out.find_first_not_of(' ');
  return begin == std::string::npos ? "" : out.substr(begin, out.find_last_not_of(' ') + 1 - begin);
}

/// What follows "3." or "Idea 3:" at the front of a line; nothing when it is no such line.
std::optional<std::string> item_text(const std::string& line) {
  std::size_t at = lower(line).starts_with("idea ") ? 5 : 0;
  const std::size_t digits = at;
  while (at < line.size() && at < digits + 3 && line[at] >= '0' && line[at] <= '9') ++at;
  if (at == digits || at == line.size()) return std::nullopt;
  if (line[at] != '.' && line[at] != ')' && line[at] != ':') return std::nullopt;
  const std::size_t text = line.find_first_not_of(' ', at + 1);
  if (text == at + 1) return std::nullopt;  // "1.5 times"
  return text == std::string::npos ? "" : line.substr(text);
}

/// The value of a line "label…: value", whatever bullet stands before it.
std::optional<std::string> labelled(const std::string& line, std::string_view label) {
  const std::size_t begin = std::min(line.find_first_not_of("-+ "), line.size());
  if (!lower(line.substr(begin)).starts_with(label)) return std::nullopt;
  const std::size_t colon = line.find(':', begin);
  if (colon == std::string::npos) return std::nullopt;
  const std::size_t value = line.find_first_not_of(' ', colon + 1);
  return value == std::string::npos ? "" : line.substr(value);
}

std::size_t words(const std::string& text) {
  return static_cast<std::size_t>(std::count(text.begin(), text.end(), ' ')) + 1;
}

}  // namespace

std::vector<search::Idea> ideas_of_list(std::string_view text) {
  std::vector<search::Idea> ideas;
  const auto drop_short = [&] {
    if (!ideas.empty() && words(ideas.back().text) < kLeastWords) ideas.pop_back();
  };
  bool inside = false;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    const std::string line = plain(text.substr(at, end - at));
    at = end + 1;
    if (auto item = item_text(line)) {
      drop_short();
      ideas.push_back({"llm", "", std::move(*item)});
      inside = true;
    } else if (inside && !line.empty()) {
      search::Idea& idea = ideas.back();
      if (const auto bottleneck = labelled(line, "bottleneck")) {
        idea.bottleneck = *bottleneck;
      } else if (const auto predicted = labelled(line, "predicted")) {
        if (const auto time = predicted_time_us(*predicted)) idea.predicted_us = *time;
      } else {
        idea.text += (idea.text.empty() ? "" : " ") + line;
      }
    }
  }
  drop_short();
  return ideas;
}

}  // namespace kevolve::llm
