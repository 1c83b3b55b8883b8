#pragma once
// {{name}} in a prompt's text stands for a value. Values are put in as they are: what looks like {{name}} in
// them stays. Braces around anything but a name ({{0}}, {{ {1} }}) are text. Pure.

#include <map>
#include <set>
#include <string>
#include <string_view>

namespace kevolve::llm {

using PromptValues = std::map<std::string, std::string, std::less<>>;

/// The names between {{ and }} in a prompt's text.
std::set<std::string> value_names(std::string_view text);

/// The text with each known name's value in its place; an unknown name stays as it is written.
std::string render(std::string_view text, const PromptValues& values);

}  // namespace kevolve::llm
