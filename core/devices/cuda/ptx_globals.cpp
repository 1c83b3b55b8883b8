#include "core/devices/cuda/ptx_globals.hpp"

#include <cctype>
#include <map>

namespace kevolve::cuda {
namespace {

bool in_identifier(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) || c == '_' || c == '$' || c == '%';
}

/// Calls `visit` for every identifier of the text, numbers included.
template <class Visit>
void for_each_identifier(std::string_view text, Visit visit) {
  for (std::size_t at = 0; at < text.size();) {
    if (!in_identifier(text[at])) {
      ++at;
      continue;
    }
    const auto begin = at;
    while (at < text.size() && in_identifier(text[at])) ++at;
    visit(text.substr(begin, at - begin));
  }
}

/// The name in ".visible .global .align 4 .b8 name[24] = {…};", or "" when the line declares no global
/// variable.
std::string_view declared(std::string_view line) {
  if (line.empty() || line.front() != '.' || line.find(".global ") == std::string_view::npos) return {};
  line = line.substr(0, line.find_first_of("[=;"));
  while (!line.empty() && !in_identifier(line.back())) line.remove_suffix(1);
  auto begin = line.size();
  while (begin > 0 && in_identifier(line[begin - 1])) --begin;
  return line.substr(begin);
}

}  // namespace

std::vector<std::string> unreferenced_globals(std::string_view ptx) {
  std::map<std::string_view, int> occurrences;
  for (std::size_t at = 0; at < ptx.size();) {
    const auto end = std::min(ptx.find('\n', at), ptx.size());
    if (const auto name = declared(ptx.substr(at, end - at)); !name.empty()) occurrences[name] = 0;
    at = end + 1;
  }
  for_each_identifier(ptx, [&](std::string_view identifier) {
    if (const auto found = occurrences.find(identifier); found != occurrences.end()) ++found->second;
  });
  std::vector<std::string> names;
  for (const auto& [name, count] : occurrences)
    if (count == 1) names.emplace_back(name);
  return names;
}

}  // namespace kevolve::cuda
