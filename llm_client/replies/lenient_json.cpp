#include "llm_client/replies/lenient_json.hpp"

#include <array>
#include <utility>
#include <vector>

namespace kevolve::llm {
namespace {

bool is_json_word(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '.' ||
         c == '+' || c == '-';
}

class Rewriter {
 public:
  Rewriter(std::string_view text, std::size_t begin) : text_(text), at_(begin) {}

  std::optional<LenientJson> run() {
    do {
      if (at_ >= text_.size() || !step()) return std::nullopt;
    } while (!open_.empty());
    return LenientJson{std::move(out_), at_};
  }

 private:
  /// One token. False: this is no JSON.
  bool step() {
    const char c = text_[at_];
    if (c == '"') return string();
    if (c == '{' || c == '[') {
      flush_comma();
      open_.push_back(c);
      out_ += c;
      ++at_;
      return true;
    }
    if (c == '}' || c == ']') return close(c);
    if (c == '/') return comment();
    if (c == ',') {
      flush_comma();  // two commas: strict parsing will refuse them
      comma_ = out_.size();
      ++at_;
      return true;
    }
    if (c == ' ' || c == '\n' || c == '\t') {
      out_ += c;
      ++at_;
      return true;
    }
    flush_comma();
    if (is_json_word(c)) return word();
    out_ += c;
    ++at_;
    return c == ':';
  }

  /// A comma is written once it is known that something follows it.
  void flush_comma() {
    if (comma_) out_.insert(*comma_, 1, ',');
    comma_.reset();
  }

  bool close(char c) {
    if (open_.empty() || open_.back() != (c == '}' ? '{' : '[')) return false;
    comma_.reset();
    open_.pop_back();
    out_ += c;
    ++at_;
    return true;
  }

  bool comment() {
    if (text_.substr(at_).starts_with("//")) {
      at_ = std::min(text_.find('\n', at_), text_.size());
      return true;
    }
    if (!text_.substr(at_).starts_with("/*")) return false;
    const std::size_t end = text_.find("*/", at_ + 2);
    if (end == std::string_view::npos) return false;
    for (; at_ < end + 2; ++at_) {
      if (text_[at_] == '\n') out_ += '\n';
    }
    return true;
  }

  bool word() {
    const std::size_t begin = at_;
    while (at_ < text_.size() && is_json_word(text_[at_])) ++at_;
    const std::string_view word = text_.substr(begin, at_ - begin);
    constexpr std::array<std::pair<std::string_view, std::string_view>, 3> kPython = {
        {{"True", "true"}, {"False", "false"}, {"None", "null"}}};
    for (const auto& [python, json] : kPython) {
      if (word != python) continue;
      out_ += json;
      return true;
    }
    out_ += word;
    return true;
  }

  bool string() {
    flush_comma();
    out_ += '"';
    for (++at_; at_ < text_.size(); ++at_) {
      const char c = text_[at_];
      if (c == '"') {
        out_ += '"';
        ++at_;
        return true;
      }
      if (c == '\n') {
        out_ += "\\n";
      } else if (c == '\t') {
        out_ += "\\t";
      } else if (c == '/' && out_.back() == '*') {
        out_ += "\\/";
      } else if (c == '\\' && at_ + 1 < text_.size()) {
        escape(text_[++at_]);
      } else {
        out_ += c;
      }
    }
    return false;
  }

  void escape(char c) {
    constexpr std::string_view kKnown = "\"\\/bfnrtu";
    if (c == '\'') {
      out_ += c;
    } else if (c == '\n') {  // a line continued
      out_ += ' ';
    } else {
      if (kKnown.find(c) == std::string_view::npos) out_ += '\\';
      out_ += '\\';
      out_ += c;
    }
  }

  std::string_view text_;
  std::size_t at_ = 0;
  std::string out_;
  std::vector<char> open_;
  std::optional<std::size_t> comma_;  // where in out_ a comma is due
};

}  // namespace

std::optional<LenientJson> lenient_json(std::string_view text, std::size_t begin) {
  if (begin >= text.size() || (text[begin] != '{' && text[begin] != '[')) return std::nullopt;
  return Rewriter(text, begin).run();
}

}  // namespace kevolve::llm
