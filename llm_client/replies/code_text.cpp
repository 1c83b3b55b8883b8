#include "llm_client/replies/code_text.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "core/model/candidate.hpp"
#include "core/text/json.hpp"
#include "llm_client/replies/lenient_json.hpp"

namespace kevolve::llm {
namespace {

constexpr std::string_view kSpace = " \t\n";

bool is_word(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

std::size_t skip(std::string_view text, std::size_t at, std::string_view characters) {
  return std::min(text.find_first_not_of(characters, at), text.size());
}

/// "kevolve" in any case at `at`.
bool named_here(std::string_view text, std::size_t at) {
  constexpr std::string_view kName = "kevolve";
  if (text.size() - at < kName.size()) return false;
  return std::equal(kName.begin(), kName.end(), text.begin() + static_cast<std::ptrdiff_t>(at),
                    [](char wanted, char c) { return c == wanted || c == wanted - 'a' + 'A'; });
}

/// Walks code and remembers what CodeShape tells.
class Walker {
 public:
  explicit Walker(std::string_view code) : code_(code) {}

  CodeShape run() {
    while (at_ < code_.size()) step();
    return shape_;
  }

 private:
  void step() {
    const char c = code_[at_];
    const bool line_begins = line_begins_;
    if (c == '\n') line_begins_ = true;
    if (c != '\n' && c != ' ' && c != '\t') line_begins_ = false;
    if (c == '/' && code_.substr(at_).starts_with("//"))
      return to(std::min(code_.find('\n', at_), code_.size()));
    if (c == '/' && code_.substr(at_).starts_with("/*")) return comment();
    if (c == '#' && line_begins) return directive();
    if (c == '"') return literal(c);
    if (c == '\'' && (at_ == 0 || !is_word(code_[at_ - 1]))) return literal(c);  // else 1'000
    if (is_word(c)) return word();
    if (c == '{') ++shape_.open_braces;
    if (c == '}') {
      --shape_.open_braces;
      if (shape_.open_braces <= 0) {
        const std::size_t next = skip(code_, at_ + 1, " \t");
        shape_.code_end = next < code_.size() && code_[next] == ';' ? next + 1 : at_ + 1;
      }
    }
    ++at_;
  }

  void to(std::size_t end) { at_ = end; }

  void comment() {
    const std::size_t end = code_.find("*/", at_ + 2);
    shape_.inside_comment = end == std::string_view::npos;
    to(shape_.inside_comment ? code_.size() : end + 2);
  }

  void directive() {
    std::size_t end = at_;
    do {
      end = std::min(code_.find('\n', end + (end > at_ ? 1 : 0)), code_.size());
    } while (end < code_.size() && code_[end - 1] == '\\');
    if (shape_.open_braces <= 0) shape_.code_end = end;
    to(end);
  }

  void literal(char quote) {  // ends with its line at the latest
    for (++at_; at_ < code_.size() && code_[at_] != quote && code_[at_] != '\n'; ++at_) {
      if (code_[at_] == '\\') ++at_;
    }
    at_ = std::min(at_, code_.size());
    if (at_ < code_.size() && code_[at_] == quote) ++at_;
  }

  void word() {
    const std::size_t begin = at_;
    while (at_ < code_.size() && is_word(code_[at_])) ++at_;
    if (code_.substr(begin, at_ - begin) == "__global__") shape_.has_kernel = true;
  }

  std::string_view code_;
  std::size_t at_ = 0;
  bool line_begins_ = true;
  CodeShape shape_;
};

}  // namespace

std::optional<Marker> next_marker(std::string_view text, std::size_t from) {
  for (std::size_t open = text.find("/*", from); open != std::string_view::npos;
       open = text.find("/*", open + 2)) {
    const std::size_t name = skip(text, skip(text, open + 1, "*"), kSpace);
    if (!named_here(text, name)) continue;
    std::size_t json = skip(text, name + 7, kSpace);
    if (json < text.size() && text[json] == ':') json = skip(text, json + 1, kSpace);
    if (json < text.size() && text[json] == '{') return Marker{open, json};
  }
  return std::nullopt;
}

std::string with_strict_header(std::string_view source) {
  const std::optional<Marker> marker = next_marker(source, 0);
  if (!marker || marker->begin != 0) return std::string(source);
  const std::string plain = "/*kevolve\n" + std::string(source.substr(marker->json));
  const bool as_it_must_be = source.starts_with("/*kevolve") && skip(source, 9, kSpace) == marker->json;
  const std::string kept = as_it_must_be ? std::string(source) : plain;
  if (const auto header = header_text(kept); header && parse_json(*header, "header")) return kept;
  const auto json = lenient_json(source, marker->json);
  if (!json || !parse_json(json->strict, "header")) return kept;
  std::size_t rest = skip(source, json->end, kSpace);
  if (!source.substr(rest).starts_with("*/")) {
    const std::size_t end = source.find("*/", json->end), next = source.find("/*", json->end);
    if (end != std::string_view::npos && (next == std::string_view::npos || end < next)) return kept;
    return "/*kevolve\n" + json->strict + "\n*/" + std::string(source.substr(json->end));
  }
  return "/*kevolve\n" + json->strict + std::string(source.substr(json->end));
}

std::size_t header_end(std::string_view source) {
  const std::size_t end = source.find("*/", std::min<std::size_t>(2, source.size()));
  return end == std::string_view::npos ? end : end + 2;
}

CodeShape shape_of(std::string_view code) {
  return Walker(code).run();
}

std::optional<std::string> html_unescaped(std::string_view code) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 8> kEntities = {{{"&lt;", "<"},
                                                                                       {"&gt;", ">"},
                                                                                       {"&amp;", "&"},
                                                                                       {"&quot;", "\""},
                                                                                       {"&#39;", "'"},
                                                                                       {"&#x27;", "'"},
                                                                                       {"&apos;", "'"},
                                                                                       {"&nbsp;", " "}}};
  if (code.find_first_of("<>") != std::string_view::npos || code.find('&') == std::string_view::npos)
    return std::nullopt;
  std::string out;
  for (std::size_t at = 0; at < code.size();) {
    if (code[at] != '&') {
      out += code[at++];
      continue;
    }
    const auto found = std::find_if(kEntities.begin(), kEntities.end(), [&](const auto& entity) {
      return code.substr(at).starts_with(entity.first);
    });
    if (found == kEntities.end()) return std::nullopt;
    out += found->second;
    at += found->first.size();
  }
  return out;
}

}  // namespace kevolve::llm
