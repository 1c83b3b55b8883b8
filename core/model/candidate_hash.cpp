// Content addresses. The normalised source drops what cannot change the compiled kernel: comments, the
// header's prose, and the amount of white space. Line ends survive where the preprocessor sees them.

#include <fmt/format.h>

#include <cctype>

#include "core/model/candidate.hpp"
#include "core/text/sha256.hpp"

namespace kevolve {
namespace {

bool is_name_part(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_';
}
bool is_space(char c) {
  return c == ' ' || (c >= '\t' && c <= '\r');
}

// Translation phase 2: a backslash at the end of a line joins it to the next.
std::string spliced(std::string_view source) {
  std::string joined;
  for (std::size_t i = 0; i < source.size(); ++i) {
    if (source[i] == '\\' && source.substr(i + 1, 1) == "\n") {
      ++i;
    } else if (source[i] == '\\' && source.substr(i + 1, 2) == "\r\n") {
      i += 2;
    } else {
      joined += source[i];
    }
  }
  return joined;
}

// Copies source, without comments and with every run of white space as one space, or as one line end where it
// ends or starts a preprocessor directive.
class Normaliser {
 public:
  explicit Normaliser(std::string source) : source_(std::move(source)) {}

  std::string run() {
    while (at_ < source_.size()) step();
    return std::move(out_);
  }

 private:
  void step() {
    const std::string_view rest = std::string_view(source_).substr(at_);
    if (rest.starts_with("//")) return skip_to(source_.find('\n', at_));
    if (rest.starts_with("/*")) return skip_comment();
    if (is_space(rest[0])) return skip_to(at_ + 1);
    if (rest[0] == '"' || rest[0] == '\'') return quoted();
    if (is_name_part(rest[0])) return word();
    separate();
    if (rest[0] == '#' && line_start_) directive_ = true;
    put(1);
  }

  // White space and comments: remembers whether a line ended.
  void skip_to(std::size_t end) {
    end = std::min(end, source_.size());
    for (; at_ < end; ++at_) newline_ = newline_ || source_[at_] == '\n';
    space_ = true;
  }
  // A comment is one space: a line end inside it does not end a directive.
  void skip_comment() {
    const std::size_t close = source_.find("*/", at_ + 2);
    at_ = close == std::string::npos ? source_.size() : close + 2;
    space_ = true;
  }

  void separate() {
    const bool starts_directive = newline_ && source_[at_] == '#';
    if (newline_ || out_.empty()) line_start_ = true;
    if (space_ && !out_.empty()) out_ += newline_ && (directive_ || starts_directive) ? '\n' : ' ';
    if (newline_) directive_ = false;
    space_ = newline_ = false;
  }

  void put(std::size_t length) {
    out_ += source_.substr(at_, length);
    at_ += length;
    line_start_ = false;
  }

  // Names and numbers, so that the ' of 1'000 is not taken for a quote.
  void word() {
    separate();
    const bool number = std::isdigit(static_cast<unsigned char>(source_[at_])) != 0;
    std::size_t end = at_;
    while (end < source_.size() &&
           (is_name_part(source_[end]) ||
            (number && source_[end] == '\'' && end + 1 < source_.size() && is_name_part(source_[end + 1])))) {
      ++end;
    }
    put(end - at_);
  }

  void quoted() {
    separate();
    std::size_t end = at_ + 1;
    while (end < source_.size() && source_[end] != source_[at_] && source_[end] != '\n') {
      end += source_[end] == '\\' ? 2 : 1;
    }
    if (end < source_.size() && source_[end] != '\n') ++end;
    put(std::min(end, source_.size()) - at_);
  }

  std::string source_;
  std::size_t at_ = 0;
  std::string out_;
  bool space_ = false, newline_ = false;  // skipped since the last output
  bool line_start_ = true, directive_ = false;
};

// A program that can see its own line numbers or rebuild tokens may depend on what was dropped; and where
// compilers disagree about line ends, in raw strings or with digraphs, the normalisation would guess.
bool reads_its_own_layout(std::string_view source, std::string_view code) {
  for (std::string_view sign : {"__LINE__", "__builtin_LINE", "source_location", "##", "%:", "R\""}) {
    if (code.find(sign) != std::string_view::npos) return true;
  }
  for (std::string_view sign : {"\\ ", "\\\t", "\\\f", "\\\v"}) {
    if (source.find(sign) != std::string_view::npos) return true;
  }
  for (std::size_t i = source.find('\r'); i != std::string_view::npos; i = source.find('\r', i + 1)) {
    if (source.substr(i + 1, 1) != "\n") return true;
  }
  return false;
}

// What of the source decides the compiled kernel and its launch.
std::string normalised(std::string_view source) {
  const Result<std::string> header = header_text(source);
  if (!header) return std::string(source);
  Result<Json> json = parse_json(*header, "header");
  if (!json || !json->is_object()) return std::string(source);
  json->erase("idea");
  json->erase("playbook");
  const std::string code = Normaliser(spliced(source)).run();
  // Through the unordered type: the order in which the header's keys were written does not matter.
  return nlohmann::json(*json).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n" +
         (reads_its_own_layout(source, code) ? std::string(source) : code);
}

}  // namespace

std::string candidate_hash(std::string_view source, const Bindings& tunables) {
  std::string text = normalised(source) + "\n";
  for (const auto& [name, value] : tunables) text += fmt::format("{}={}\n", name, value);
  return sha256_hex(text);
}

}  // namespace kevolve
