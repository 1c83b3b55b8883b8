#include "core/gates/source_text.hpp"

#include <algorithm>
#include <cctype>

namespace kevolve::gates {
namespace {

bool word_start(char c) {
  return std::isalpha(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '$';
}
bool word_part(char c) {
  return word_start(c) || std::isdigit(static_cast<unsigned char>(c)) != 0;
}

/// Characters with their line, after line splicing.
struct Spliced {
  std::string text;
  std::vector<int> lines;
};

Spliced splice(std::string_view source) {
  Spliced out;
  int line = 1;
  for (std::size_t i = 0; i < source.size(); ++i) {
    if (source[i] == '\\') {  // compilers accept blanks between the backslash and the end of the line
      std::size_t end = i + 1;
      while (end < source.size() && (source[end] == ' ' || source[end] == '\t' || source[end] == '\r')) ++end;
      if (end < source.size() && source[end] == '\n') {
        ++line;
        i = end;
        continue;
      }
    }
    out.text.push_back(source[i]);
    out.lines.push_back(line);
    if (source[i] == '\n') ++line;
  }
  return out;
}

class Reader {
 public:
  explicit Reader(std::string_view source) : in_(splice(source)) {}

  SourceText read() {
    SourceText out;
    bool line_start = true;
    while (skip_blanks(line_start), at_ < in_.text.size()) {
      if (line_start && (peek() == '#')) {
        out.directives.push_back(directive());
      } else {
        line_start = false;
        out.tokens.push_back(token());
      }
    }
    out.closed = closed_;
    return out;
  }

 private:
  [[nodiscard]] char peek(std::size_t ahead = 0) const {
    return at_ + ahead < in_.text.size() ? in_.text[at_ + ahead] : '\0';
  }
  [[nodiscard]] bool starts(std::string_view with) const {
    return std::string_view(in_.text).substr(at_).starts_with(with);
  }
  [[nodiscard]] int line() const { return at_ < in_.lines.size() ? in_.lines[at_] : 0; }

  /// Skips white space and comments. Stops at the end of the line when `within_line`.
  void skip_blanks(bool& line_start, bool within_line = false) {
    while (at_ < in_.text.size()) {
      if (starts("//")) {
        while (at_ < in_.text.size() && peek() != '\n') ++at_;
      } else if (starts("/*")) {
        const std::size_t end = in_.text.find("*/", at_ + 2);
        closed_ = closed_ && end != std::string::npos;
        at_ = end == std::string::npos ? in_.text.size() : end + 2;
      } else if (std::isspace(static_cast<unsigned char>(peek())) != 0) {
        if (peek() == '\n') {
          if (within_line) return;
          line_start = true;
        }
        ++at_;
      } else {
        return;
      }
    }
  }

  Directive directive() {
    Directive out;
    out.line = line();
    ++at_;
    bool ignored = false;
    skip_blanks(ignored, true);
    while (word_part(peek())) out.name.push_back(in_.text[at_++]);
    skip_blanks(ignored, true);
    const bool include = out.name.starts_with("include") || out.name == "import" || out.name == "embed";
    while (at_ < in_.text.size() && peek() != '\n') {
      const std::size_t begin = at_;
      if (include) {  // a header name is no token: "<cuda/std/cmath>"
        ++at_;
      } else {
        out.tokens.push_back(token());
      }
      out.rest.append(in_.text, begin, at_ - begin);
      const std::size_t blank = at_;
      skip_blanks(ignored, true);
      if (at_ > blank) out.rest.push_back(' ');
    }
    while (!out.rest.empty() && std::isspace(static_cast<unsigned char>(out.rest.back())) != 0)
      out.rest.pop_back();
    return out;
  }

  Token token() {
    Token out;
    out.line = line();
    if (word_start(peek())) {
      out.kind = Token::Kind::word;
      while (word_part(peek())) out.text.push_back(in_.text[at_++]);
      const bool prefix =
          out.text == "R" || out.text == "u8R" || out.text == "uR" || out.text == "UR" || out.text == "LR";
      if (prefix && peek() == '"') return raw_string(out.line);
      return out;
    }
    if (std::isdigit(static_cast<unsigned char>(peek())) != 0) {
      out.kind = Token::Kind::number;
      while (word_part(peek()) || peek() == '.' || (peek() == '\'' && word_part(peek(1)))) {
        out.text.push_back(in_.text[at_++]);
      }
      return out;
    }
    if (peek() == '"' || peek() == '\'') return literal(out.line);
    for (const std::string_view mark : {"<<<", "%:", "##", "::", "->"}) {
      if (!starts(mark)) continue;
      out.text = mark;
      at_ += mark.size();
      return out;
    }
    out.text.push_back(in_.text[at_++]);
    return out;
  }

  Token literal(int line) {
    Token out{Token::Kind::text, "", line};
    const char quote = in_.text[at_++];
    while (at_ < in_.text.size() && peek() != quote && peek() != '\n') {
      if (peek() == '\\') out.text.push_back(in_.text[at_++]);
      if (at_ < in_.text.size()) out.text.push_back(in_.text[at_++]);
    }
    closed_ = closed_ && peek() == quote;
    if (peek() == quote) ++at_;
    return out;
  }

  Token raw_string(int line) {
    const std::size_t open = in_.text.find('(', at_);
    if (open == std::string::npos) {
      closed_ = false;
      at_ = in_.text.size();
      return {Token::Kind::text, "", line};
    }
    std::string close(1, ')');
    close.append(in_.text, at_ + 1, open - at_ - 1).push_back('"');
    const std::size_t end = in_.text.find(close, open);
    closed_ = closed_ && end != std::string::npos;
    const std::size_t stop = std::min(end, in_.text.size());
    Token out{Token::Kind::text, in_.text.substr(open + 1, stop - open - 1), line};
    at_ = end == std::string::npos ? in_.text.size() : end + close.size();
    return out;
  }

  Spliced in_;
  std::size_t at_ = 0;
  bool closed_ = true;
};

}  // namespace

SourceText read_source(std::string_view source) {
  return Reader(source).read();
}

}  // namespace kevolve::gates
