#include "core/devices/cpu/simt/rewrite_scanner.hpp"

#include <algorithm>
#include <cctype>
#include <string>

namespace kevolve::simt {
namespace {

bool is_word(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_';
}

class Scanner {
 public:
  Scanner(std::string_view text, bool line_start) : text_(text), line_start_(line_start) {}

  std::vector<Token> run() {
    while (at_ < text_.size()) step();
    return std::move(tokens_);
  }

 private:
  void step() {
    const char c = text_[at_];
    if (c == '\n') {
      line_start_ = true;
      ++at_;
    } else if (std::isspace(static_cast<unsigned char>(c)) != 0 || c == '\\') {
      ++at_;
    } else if (starts("//")) {
      at_ = line_end(at_);
    } else if (starts("/*")) {
      at_ = after("*/", at_ + 2);
    } else if (c == '#' && line_start_) {
      add(Token::Kind::directive, directive_end());
    } else if (starts("[[")) {
      at_ = after("]]", at_ + 2);
      line_start_ = false;
    } else {
      line_start_ = false;
      token(c);
    }
  }

  void token(char c) {
    if (c == '"' || c == '\'') return add(Token::Kind::literal, quote_end(at_, c));
    if (!is_word(c)) return add(Token::Kind::symbol, at_ + 1);
    const bool number = std::isdigit(static_cast<unsigned char>(c)) != 0;
    std::size_t end = at_;
    while (end < text_.size() && (is_word(text_[end]) || (number && digit_separator(end)))) ++end;
    if (number) return add(Token::Kind::literal, end);
    if (end < text_.size() && text_[end] == '"' && text_[end - 1] == 'R') {
      const std::size_t open = std::min(text_.find('(', end), text_.size());
      std::string close(text_.substr(end, open - end));  // the quote and the delimiter
      close[0] = ')';
      close += '"';
      return add(Token::Kind::literal, after(close, open));
    }
    add(Token::Kind::word, end);
  }

  [[nodiscard]] bool digit_separator(std::size_t at) const {
    return text_[at] == '.' || (text_[at] == '\'' && at + 1 < text_.size() && is_word(text_[at + 1]));
  }
  [[nodiscard]] bool starts(std::string_view what) const { return text_.substr(at_, what.size()) == what; }

  [[nodiscard]] std::size_t after(std::string_view what, std::size_t from) const {
    const std::size_t found = text_.find(what, from);
    return found == std::string_view::npos ? text_.size() : found + what.size();
  }

  [[nodiscard]] std::size_t quote_end(std::size_t from, char quote) const {
    for (std::size_t i = from + 1; i < text_.size(); ++i) {
      if (text_[i] == '\\')
        ++i;
      else if (text_[i] == quote)
        return i + 1;
      else if (text_[i] == '\n')
        return i;  // unterminated: leave the rest readable
    }
    return text_.size();
  }

  /// The end of the line, continuations included, the newline not.
  [[nodiscard]] std::size_t line_end(std::size_t from) const {
    for (;;) {
      const std::size_t end = std::min(text_.find('\n', from), text_.size());
      std::size_t last = end;
      while (last > at_ && text_[last - 1] == '\r') --last;
      if (end == text_.size() || last == at_ || text_[last - 1] != '\\') return end;
      from = end + 1;
    }
  }

  /// A comment that begins on the line of a directive may go on behind it.
  [[nodiscard]] std::size_t directive_end() const {
    std::size_t end = line_end(at_);
    for (std::size_t i = at_; i + 1 < end; ++i) {
      if (text_[i] == '"')
        i = quote_end(i, '"') - 1;
      else if (text_.substr(i, 2) == "//")
        break;
      else if (text_.substr(i, 2) == "/*") {
        i = after("*/", i + 2) - 1;
        if (i >= end) end = line_end(i);
      }
    }
    return end;
  }

  void add(Token::Kind kind, std::size_t end) {
    tokens_.push_back({kind, at_, end, text_.substr(at_, end - at_)});
    at_ = end;
  }

  std::string_view text_;
  bool line_start_;
  std::size_t at_ = 0;
  std::vector<Token> tokens_;
};

}  // namespace

std::vector<Token> scan(std::string_view text, bool line_start) {
  return Scanner(text, line_start).run();
}

}  // namespace kevolve::simt
