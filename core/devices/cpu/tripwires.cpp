#include "core/devices/cpu/tripwires.hpp"

#include <algorithm>
#include <array>
#include <cctype>

namespace kevolve::cpu {
namespace {

bool is_word(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_';
}

struct Tripwire {
  std::string_view text;  ///< a whole word of the code, or a whole included name
  std::string_view reason;
};

constexpr std::string_view kPtx = "inline PTX";
constexpr std::string_view kTensorCores = "tensor-core instructions";
constexpr std::string_view kClusters = "thread block clusters";
constexpr std::string_view kPipelines = "asynchronous copy pipelines and barriers of libcu++";

constexpr std::array kWords{
    Tripwire{"asm", kPtx},
    Tripwire{"__asm", kPtx},
    Tripwire{"__asm__", kPtx},
    Tripwire{"wmma", kTensorCores},
    Tripwire{"nvcuda", kTensorCores},
    Tripwire{"CUtensorMap", "TMA tensor maps"},
    Tripwire{"__cluster_dims__", kClusters},
    Tripwire{"this_cluster", kClusters},
    Tripwire{"cluster_group", kClusters},
};

constexpr std::array kIncludes{
    Tripwire{"mma.h", kTensorCores},
    Tripwire{"crt/mma.h", kTensorCores},
    Tripwire{"cuda/pipeline", kPipelines},
    Tripwire{"cuda/barrier", kPipelines},
    Tripwire{"cuda/ptx", kPtx},
    Tripwire{"cuda.h", "the driver API's header"},
};

std::size_t find_word(std::string_view text, std::string_view word) {
  for (std::size_t at = text.find(word); at != std::string_view::npos; at = text.find(word, at + 1)) {
    const bool starts = at == 0 || !is_word(text[at - 1]);
    const bool ends = at + word.size() == text.size() || !is_word(text[at + word.size()]);
    if (starts && ends) return at;
  }
  return std::string_view::npos;
}

std::string sentence(std::string_view source, std::size_t at, std::string_view word,
                     std::string_view reason) {
  const auto line = 1 + std::count(source.begin(), source.begin() + static_cast<std::ptrdiff_t>(at), '\n');
  return "The cpu device cannot run " + std::string(reason) + ": '" + std::string(word) + "' in line " +
         std::to_string(line) + ". Evaluate this candidate on a cuda device, or write it without.";
}

/// The file that an `#include` in `line` names, or nothing.
std::string_view included_file(std::string_view line) {
  std::size_t at = line.find_first_not_of(" \t");
  if (at == std::string_view::npos || line[at] != '#') return {};
  at = line.find_first_not_of(" \t", at + 1);
  if (at == std::string_view::npos || line.substr(at, 7) != "include") return {};
  const std::size_t open = line.find_first_of("<\"", at);
  if (open == std::string_view::npos) return {};
  const std::size_t close = line.find(line[open] == '<' ? '>' : '"', open + 1);
  return close == std::string_view::npos ? std::string_view{} : line.substr(open + 1, close - open - 1);
}

struct Include {
  std::size_t offset = 0;
  std::string_view file;
};

/// `code`: the source without comments, in which an include that is commented out is blank.
std::vector<Include> includes_of(std::string_view source, std::string_view code) {
  std::vector<Include> found;
  for (std::size_t begin = 0; begin < source.size();) {
    const std::size_t end = std::min(source.find('\n', begin), source.size());
    const bool commented = code.substr(begin, end - begin).find('#') == std::string_view::npos;
    const std::string_view file = commented ? "" : included_file(source.substr(begin, end - begin));
    if (!file.empty()) found.push_back({begin, file});
    begin = end + 1;
  }
  return found;
}

std::optional<std::string> unsupported_include(std::string_view source, std::string_view code) {
  for (const Include& include : includes_of(source, code))
    for (const Tripwire& wire : kIncludes)
      if (include.file == wire.text) return sentence(source, include.offset, wire.text, wire.reason);
  return std::nullopt;
}

std::optional<std::string> unsupported_launch(const std::vector<PlannedLaunch>& launches,
                                              std::string_view list) {
  for (std::size_t i = 0; i < launches.size(); ++i) {
    const std::string field = std::string(list) + "[" + std::to_string(i) + "]";
    const auto& cluster = launches[i].cluster;
    if (std::any_of(cluster.begin(), cluster.end(), [](std::int64_t n) { return n > 1; }))
      return "The cpu device cannot run " + std::string(kClusters) + ": " + field +
             ".cluster is larger than 1.";
    for (const PlannedArgument& argument : launches[i].arguments)
      if (std::holds_alternative<PlannedTensorMap>(argument))
        return "The cpu device cannot run TMA: an argument of " + field + " is a tensor map.";
  }
  return std::nullopt;
}

}  // namespace

std::string without_comments_and_strings(std::string_view source) {
  std::string result(source);
  enum class Where { code, line_comment, block_comment, literal } where = Where::code;
  char quote = 0;
  for (std::size_t i = 0; i < source.size(); ++i) {
    const char c = source[i], next = i + 1 < source.size() ? source[i + 1] : '\0';
    if (where == Where::code) {
      if (c == '/' && next == '/') where = Where::line_comment;
      if (c == '/' && next == '*') where = Where::block_comment, result[i] = ' ', result[++i] = ' ';
      // A quote inside a number (1'000) separates digits.
      const bool separator =
          c == '\'' && i > 0 && std::isxdigit(static_cast<unsigned char>(source[i - 1])) != 0;
      if (c == '"' || (c == '\'' && !separator)) where = Where::literal, quote = c;
      if (where == Where::line_comment) result[i] = ' ';
      continue;
    }
    if (where == Where::block_comment && c == '*' && next == '/') {
      result[i] = result[i + 1] = ' ';
      ++i;
      where = Where::code;
    } else if (c == '\n') {
      if (where != Where::block_comment) where = Where::code;
    } else if (where == Where::literal && c == '\\' && next != '\n' && next != '\0') {
      result[i] = result[i + 1] = ' ';
      ++i;
    } else if (where == Where::literal && c == quote) {
      where = Where::code;
    } else {
      result[i] = ' ';
    }
  }
  return result;
}

std::vector<std::string> included_files(std::string_view source) {
  std::vector<std::string> files;
  for (const Include& include : includes_of(source, without_comments_and_strings(source)))
    files.emplace_back(include.file);
  return files;
}

std::optional<std::string> unsupported_on_cpu(std::string_view source, const LaunchPlan& plan) {
  if (auto reason = unsupported_launch(plan.prepare, "prepare")) return reason;
  if (auto reason = unsupported_launch(plan.launches, "launches")) return reason;
  const std::string code = without_comments_and_strings(source);
  if (auto reason = unsupported_include(source, code)) return reason;
  for (const Tripwire& wire : kWords) {
    const std::size_t at = find_word(code, wire.text);
    if (at != std::string_view::npos) return sentence(code, at, wire.text, wire.reason);
  }
  return std::nullopt;
}

}  // namespace kevolve::cpu
