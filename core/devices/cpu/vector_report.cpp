#include "core/devices/cpu/vector_report.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <map>
#include <optional>

namespace kevolve::cpu {
namespace {

constexpr std::size_t kMostReportBytes = 2048;
constexpr std::size_t kMostReason = 100;

struct Remark {
  int line = 0;
  std::string_view text;
};

/// Of "candidate.cu:12:3: missed: not vectorized: control flow in loop.".
std::optional<Remark> remark_of(std::string_view line, std::string_view file) {
  if (!line.starts_with(file) || line.size() <= file.size() || line[file.size()] != ':') return std::nullopt;
  line.remove_prefix(file.size() + 1);
  Remark remark;
  const auto number = std::from_chars(line.data(), line.data() + line.size(), remark.line);
  if (number.ec != std::errc()) return std::nullopt;
  const std::size_t text = line.find(": ");
  if (text == std::string_view::npos) return std::nullopt;
  remark.text = line.substr(text + 2);
  return remark;
}

/// What followed `words`, or nothing.
std::optional<std::string_view> after(std::string_view text, std::string_view words) {
  if (!text.starts_with(words)) return std::nullopt;
  return text.substr(words.size());
}

struct Loop {
  int vector_bytes = 0;
  std::string reason;  ///< of the first attempt that failed
};

std::string told(int line, const Loop& loop) {
  if (loop.vector_bytes > 0) return fmt::format("line {}: {}-byte vectors\n", line, loop.vector_bytes);
  return fmt::format("line {}: not vectorised{}\n", line,
                     loop.reason.empty() ? "" : fmt::format(" ({})", loop.reason.substr(0, kMostReason)));
}

}  // namespace

std::string vector_report(std::string_view compiler_output, std::string_view file) {
  std::map<int, Loop> loops;
  Loop* failed = nullptr;  // the loop whose reason comes next, perhaps at another line
  while (!compiler_output.empty()) {
    const std::size_t end = std::min(compiler_output.find('\n'), compiler_output.size());
    const auto remark = remark_of(compiler_output.substr(0, end), file);
    compiler_output.remove_prefix(std::min(end + 1, compiler_output.size()));
    if (!remark) continue;
    if (const auto bytes = after(remark->text, "optimized: loop vectorized using ")) {
      int width = 0;
      std::from_chars(bytes->data(), bytes->data() + bytes->size(), width);
      Loop& loop = loops[remark->line];
      loop.vector_bytes = std::max(loop.vector_bytes, width);
    } else if (remark->text.starts_with("missed: couldn't vectorize loop")) {
      failed = &loops[remark->line];
    } else if (const auto reason = after(remark->text, "missed: not vectorized: ")) {
      if (failed != nullptr && failed->reason.empty()) failed->reason = *reason;
      failed = nullptr;
    }
  }
  std::string text;
  for (const auto& [line, loop] : loops) {
    const std::string next = told(line, loop);
    if (text.size() + next.size() > kMostReportBytes) break;
    text += next;
  }
  return text;
}

}  // namespace kevolve::cpu
