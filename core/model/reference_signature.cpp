#include "core/model/reference_signature.hpp"

#include <fmt/format.h>

#include "core/text/words.hpp"

namespace kevolve {
namespace {

constexpr std::string_view kDefinition = "def forward(";

// "x: Tensor = 3" → "x"
std::string_view parameter_name(std::string_view text) {
  return trimmed(text.substr(0, text.find_first_of(":=")));
}

}  // namespace

Result<std::vector<std::string>> forward_parameters(std::string_view torchscript) {
  std::size_t begin = torchscript.find(kDefinition);
  while (begin != std::string_view::npos && begin != 0 && torchscript[begin - 1] != '\n') {
    begin = torchscript.find(kDefinition, begin + 1);
  }
  if (begin == std::string_view::npos) {
    return failure("no function forward found; expected a line that starts with \"def forward(\"");
  }
  std::vector<std::string> parameters;
  std::size_t start = begin + kDefinition.size();
  int depth = 0;
  for (std::size_t i = start; i < torchscript.size(); ++i) {
    const char c = torchscript[i];
    if (c == '(' || c == '[') ++depth;
    const bool closes = (c == ')' || c == ']') && depth-- == 0;
    if (!closes && !(c == ',' && depth == 0)) continue;
    const std::string_view name = parameter_name(torchscript.substr(start, i - start));
    if (!name.empty()) parameters.emplace_back(name);
    start = i + 1;
    if (closes) return parameters;
  }
  return failure("the parameter list of forward has no end; expected ')'");
}

}  // namespace kevolve
