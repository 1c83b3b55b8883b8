#include "llm_client/prompts/template.hpp"

#include <optional>

namespace kevolve::llm {
namespace {

struct Placeholder {
  std::size_t begin = 0, end = 0;  // of {{name}} in the text
  std::string_view name;
};

bool is_name_part(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

/// The first placeholder at or behind `from`.
std::optional<Placeholder> next_placeholder(std::string_view text, std::size_t from) {
  for (std::size_t open = text.find("{{", from); open != std::string_view::npos;
       open = text.find("{{", open + 1)) {
    std::size_t at = open + 2;
    while (at < text.size() && text[at] == ' ') ++at;
    const std::size_t name = at;
    while (at < text.size() && is_name_part(text[at])) ++at;
    const std::size_t name_end = at;
    while (at < text.size() && text[at] == ' ') ++at;
    const bool named = name_end > name && (text[name] < '0' || text[name] > '9');
    if (named && text.substr(at).starts_with("}}"))
      return Placeholder{open, at + 2, text.substr(name, name_end - name)};
  }
  return std::nullopt;
}

}  // namespace

std::set<std::string> value_names(std::string_view text) {
  std::set<std::string> names;
  for (auto found = next_placeholder(text, 0); found; found = next_placeholder(text, found->end))
    names.emplace(found->name);
  return names;
}

std::string render(std::string_view text, const PromptValues& values) {
  std::string out;
  std::size_t done = 0;
  for (auto found = next_placeholder(text, 0); found; found = next_placeholder(text, found->end)) {
    out += text.substr(done, found->begin - done);
    const auto value = values.find(found->name);
    if (value != values.end())
      out += value->second;
    else
      out += text.substr(found->begin, found->end - found->begin);
    done = found->end;
  }
  out += text.substr(done);
  return out;
}

}  // namespace kevolve::llm
