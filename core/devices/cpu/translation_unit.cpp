#include "core/devices/cpu/translation_unit.hpp"

#include <algorithm>
#include <optional>
#include <regex>

#include "core/devices/cpu/simt/rewrite.hpp"
#include "core/devices/cpu/tripwires.hpp"

namespace kevolve::cpu {
namespace {

constexpr std::size_t kMostBytes = 4096;
constexpr std::size_t kMostNotes = 3;

std::string entry(std::size_t number, const std::string& field, const std::string& kernel) {
  return "#line 1 \"" + field + "\"\nKEVOLVE_SIMT_ENTRY(" + std::to_string(number) + ", " + kernel + ")\n";
}

std::string kernel_field(std::string_view list, std::size_t index) {
  return std::string(list) + "[" + std::to_string(index) + "].kernel";
}

std::vector<std::string> lines_of(std::string_view text) {
  std::vector<std::string> lines;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    lines.emplace_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return lines;
}

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  for (std::size_t at = 0; !from.empty() && (at = text.find(from, at)) != std::string::npos; at += to.size())
    text.replace(at, from.size(), to);
  return text;
}

/// The value of "launches[2].kernel" when `file` is such a field.
std::optional<std::string> kernel_of_field(const std::string& file, const LaunchPlan& plan) {
  for (std::size_t i = 0; i < plan.launches.size(); ++i)
    if (file == kernel_field("launches", i)) return plan.launches[i].kernel;
  for (std::size_t i = 0; i < plan.prepare.size(); ++i)
    if (file == kernel_field("prepare", i)) return plan.prepare[i].kernel;
  return std::nullopt;
}

/// One error or warning with the notes that explain it.
struct Diagnostic {
  bool is_error = false;
  std::string text;
  std::size_t notes = 0;
};

class DiagnosticReader {
 public:
  DiagnosticReader(std::string_view source, const LaunchPlan& plan)
      : source_(lines_of(source)), plan_(plan) {}

  void read(const std::string& line) {
    static const std::regex located(R"(^([^:]+):(\d+):(?:\d+:)? +(fatal error|error|warning|note): (.*)$)");
    static const std::regex required(R"(^[^:]+:\d+:\d+: +required from .*$)");
    static const std::regex plain(R"(^(?:[^ :]*(?:ld|cc1plus|g\+\+[^ :]*|as))(?:\.[a-z]+)?: (.*)$)");
    std::smatch match;
    if (std::regex_match(line, match, located)) {
      add(match[1], match[2], match[3], match[4]);
    } else if (std::regex_match(line, required)) {
      context_ += "  " + line + "\n";
    } else if (std::regex_match(line, match, plain)) {
      found_.push_back({true, "linker or compiler: " + match[1].str() + "\n"});
    }
  }

  [[nodiscard]] std::string text() const {
    std::string result;
    for (const bool errors : {true, false})
      for (const Diagnostic& diagnostic : found_)
        if (diagnostic.is_error == errors && result.size() + diagnostic.text.size() <= kMostBytes)
          result += diagnostic.text;
    if (result.empty() && !found_.empty()) result = found_.front().text.substr(0, kMostBytes);
    return result;
  }

 private:
  void add(const std::string& file, const std::string& line, const std::string& kind,
           const std::string& message) {
    const bool note = kind == "note";
    std::string text = note ? "  " : "";
    if (const auto kernel = kernel_of_field(file, plan_)) {
      if (note) return;
      text += file + " = '" + *kernel + "': " + message +
              " (expected a __global__ function of this source, or an instance of a template)\n";
    } else {
      text += file + ":" + line + ": " + (kind == "fatal error" ? "error" : kind) + ": " + message + "\n";
      if (file == kCandidateFile) text += source_line(line);
    }
    if (note) {
      if (!found_.empty() && ++found_.back().notes <= kMostNotes) found_.back().text += text;
      return;
    }
    found_.push_back({kind != "warning", text + context_});
    context_.clear();
  }

  [[nodiscard]] std::string source_line(const std::string& number) const {
    const std::size_t index = std::stoul("0" + number.substr(0, 9));
    if (index == 0 || index > source_.size()) return "";
    return "    | " + source_[index - 1].substr(0, 160) + "\n";
  }

  std::vector<std::string> source_;
  const LaunchPlan& plan_;
  std::vector<Diagnostic> found_;
  std::string context_;
};

}  // namespace

std::string translation_unit(std::string_view source, const LaunchPlan& plan,
                             const std::set<std::string>& headers) {
  // The tripwires see no `asm` that the preprocessor puts together, so the word is poisoned. Headers may use
  // it: those of the candidate are read before, and their guards make its own #include lines do nothing.
  std::string unit;
  for (const std::string& file : included_files(source))
    if (headers.count(file) != 0) unit += "#include <" + file + ">\n";
  unit += "#pragma GCC poison asm __asm __asm__\n";
  for (const auto& [name, value] : plan.macros) unit += "#define " + name + " " + value + "\n";
  unit += "#line 1 \"" + std::string(kCandidateFile) + "\"\n" + simt::rewrite_for_host(source) + "\n";
  for (std::size_t i = 0; i < plan.launches.size(); ++i)
    unit += entry(i, kernel_field("launches", i), plan.launches[i].kernel);
  for (std::size_t i = 0; i < plan.prepare.size(); ++i)
    unit += entry(plan.launches.size() + i, kernel_field("prepare", i), plan.prepare[i].kernel);
  return unit;
}

std::string readable_diagnostics(std::string_view compiler_output, std::string_view source,
                                 const LaunchPlan& plan, const std::vector<std::string>& own_paths) {
  DiagnosticReader reader(source, plan);
  static const std::regex system_headers(
      R"(/usr/(?:local/)?(?:include/(?:x86_64-linux-gnu/)?|lib/gcc/[^ :]*/include/)(?:c\+\+/\d+/)?)");
  for (std::string line : lines_of(compiler_output)) {
    // Remarks about loops are vector_report's, and may be many.
    if (line.find(": missed: ") != std::string::npos || line.find(": optimized: ") != std::string::npos)
      continue;
    if (line.size() > 2000) line.resize(2000);
    for (const std::string& path : own_paths) line = replaced(std::move(line), path, "");
    reader.read(std::regex_replace(line, system_headers, ""));
  }
  return reader.text();
}

}  // namespace kevolve::cpu
