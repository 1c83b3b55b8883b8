#include "core/devices/cuda/diagnostics.hpp"

#include <algorithm>
#include <cctype>
#include <sstream>
#include <vector>

#include "core/text/utf8.hpp"
#include "core/text/words.hpp"

namespace kevolve::cuda {
namespace {

constexpr std::size_t kEvidenceBytes = 4096 - 128;  // room for the last line
constexpr std::size_t kWarningBytes = 16 * 1024 - 128;
constexpr std::size_t kLineBytes = 240;
constexpr std::string_view kNameMap = "__nv_name_map(";
constexpr std::string_view kNamePragma = "#pragma nv_mangled_name";

/// At most `bytes` of the text, not cut inside a UTF-8 sequence.
std::string_view cut(std::string_view text, std::size_t bytes) {
  return text.substr(0, utf8_boundary(text, bytes));
}

/// Diagnostics of the log: NVRTC's are paragraphs, ptxas's single lines.
std::vector<std::string> diagnostics(std::string_view log) {
  std::vector<std::string> blocks;
  bool open = false;
  std::istringstream lines{std::string(log)};
  for (std::string line; std::getline(lines, line);) {
    const bool single = line.rfind("ptxas ", 0) == 0;
    if (trimmed(line).empty() || single) open = false;
    if (trimmed(line).empty()) continue;
    if (!open) blocks.emplace_back();
    blocks.back() += std::string(cut(line, kLineBytes)) + "\n";
    open = !single;
  }
  return blocks;
}

bool is_error(const std::string& block) {
  const std::string line(first_line(block));
  return line.find("): error: ") != std::string::npos ||
         line.find("): catastrophic error: ") != std::string::npos ||
         line.find("): error #") != std::string::npos || line.rfind("ptxas error", 0) == 0 ||
         line.rfind("ptxas fatal", 0) == 0 || line.rfind("nvrtc: error", 0) == 0;
}

bool is_name_error(const std::string& block) {
  return block.rfind(kNameMap, 0) == 0;
}

void replace_all(std::string& text, const std::string& from, const std::string& to) {
  if (from.empty()) return;
  for (auto at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size()))
    text.replace(at, from.size(), to);
}

/// Joins blocks up to `bytes`, then says how many were left out.
std::string joined(const std::vector<std::string>& blocks, std::size_t bytes, std::string_view kind) {
  std::string text;
  std::size_t taken = 0;
  for (; taken < blocks.size(); ++taken) {
    if (taken > 0 && text.size() + blocks[taken].size() > bytes) break;
    text += cut(blocks[taken], bytes);
  }
  if (taken < blocks.size())
    text += "... and " + std::to_string(blocks.size() - taken) + " more " + std::string(kind) + ".\n";
  return text;
}

/// "launches[2].kernel", or "prepare[0].kernel".
std::string launch_of(std::string_view kernel, const LaunchPlan& plan) {
  const auto find = [&](const std::vector<PlannedLaunch>& launches, const char* list) -> std::string {
    for (std::size_t i = 0; i < launches.size(); ++i)
      if (trimmed(launches[i].kernel) == kernel)
        return std::string(list) + "[" + std::to_string(i) + "].kernel";
    return {};
  };
  const std::string launch = find(plan.launches, "launches");
  return launch.empty() ? find(plan.prepare, "prepare") : launch;
}

/// What the compiler says about a name expression: the words after "error: ", without its echo of the
/// expression.
std::string reason(const std::string& block) {
  std::string line(first_line(block));
  line = line.substr(line.find("error: ") + 7);
  line = line.substr(0, line.find(" Input name expression was"));
  return line;
}

std::string name_evidence(const std::vector<std::string>& blocks, std::string_view source,
                          const LaunchPlan& plan) {
  std::vector<std::string> sentences, seen;
  for (const auto& block : blocks) {
    const auto pragma = block.find(kNamePragma);
    if (pragma == std::string::npos || block.find("Error in parsing name expression") != std::string::npos)
      continue;
    const auto rest = block.substr(pragma + kNamePragma.size());
    const std::string kernel(trimmed(rest.substr(0, rest.find('\n'))));
    if (std::find(seen.begin(), seen.end(), kernel) != seen.end()) continue;
    seen.push_back(kernel);
    const std::string launch = launch_of(kernel, plan);
    sentences.push_back((launch.empty() ? "a launch's kernel" : launch) + " is \"" + kernel +
                        "\", which names no kernel of this source: " + reason(block) + "\n");
  }
  if (sentences.empty()) return {};
  std::string known;
  for (const auto& kernel : kernels_named_in(source)) known += (known.empty() ? "" : ", ") + kernel;
  sentences.push_back(known.empty()
                          ? "The source has no __global__ function.\n"
                          : "Kernels of the source: " + std::string(cut(known, 1000)) +
                                ". Name templates with their arguments (rows<float, 4>) and members of "
                                "a namespace in full (ns::rows).\n");
  return joined(sentences, kEvidenceBytes, "errors");
}

}  // namespace

std::string compile_evidence(std::string_view log, std::string_view source, const LaunchPlan& plan,
                             const std::filesystem::path& toolkit) {
  std::vector<std::string> errors, name_errors;
  for (auto& block : diagnostics(log)) {
    if (!is_error(block)) continue;
    (is_name_error(block) ? name_errors : errors).push_back(std::move(block));
  }
  std::string evidence;
  if (errors.empty()) evidence = name_evidence(name_errors, source, plan);
  if (evidence.empty()) {
    if (errors.empty()) errors = diagnostics(log);
    for (auto& error : errors) replace_all(error, toolkit.string() + "/", "<cuda>/");
    evidence = joined(errors, kEvidenceBytes, "errors");
  }
  if (evidence.empty()) evidence = "NVRTC refused the source without saying why.\n";
  return "The source does not compile:\n" + evidence;
}

std::string compile_warnings(std::string_view log) {
  std::vector<std::string> warnings;
  for (auto& block : diagnostics(log))
    if (block.rfind("candidate.cu(", 0) == 0 && first_line(block).find("): warning ") != std::string::npos)
      warnings.push_back(std::move(block));
  return joined(warnings, kWarningBytes, "warnings");
}

std::vector<std::string> kernels_named_in(std::string_view source) {
  constexpr std::string_view kGlobal = "__global__";
  const auto part_of_name = [](char c) { return std::isalnum(static_cast<unsigned char>(c)) || c == '_'; };
  std::vector<std::string> names;
  for (auto at = source.find(kGlobal); at != std::string_view::npos; at = source.find(kGlobal, at + 1)) {
    auto open = source.find('(', at);
    std::string name;
    while (open != std::string_view::npos) {  // the name stands before the first "(" that is no attribute's
      auto end = open;
      while (end > at && std::isspace(static_cast<unsigned char>(source[end - 1]))) --end;
      auto begin = end;
      while (begin > at && part_of_name(source[begin - 1])) --begin;
      name = source.substr(begin, end - begin);
      if (name.rfind("__", 0) != 0 || name == kGlobal) break;
      open = source.find('(', source.find(')', open));
    }
    if (!name.empty() && name != kGlobal && std::find(names.begin(), names.end(), name) == names.end())
      names.push_back(name);
  }
  return names;
}

}  // namespace kevolve::cuda
