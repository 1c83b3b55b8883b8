#include "core/text/cuda_text.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "core/text/cuda_characters.hpp"

namespace kevolve {
namespace {

using Kind = CudaToken::Kind;

constexpr std::array<std::pair<std::string_view, std::string_view>, 5> kDigraphs = {
    {{"<:", "["}, {":>", "]"}, {"<%", "{"}, {"%>", "}"}, {"%:", "#"}}};

class CudaScanner {
 public:
  CudaScanner(std::string_view text, bool line_start) : text_(text), line_start_(line_start) {}

  std::vector<CudaToken> run() {
    while (at_ < text_.size()) step();
    return std::move(tokens_);
  }

 private:
  void step() {
    const char c = text_[at_];
    if (const std::size_t end = behind_splices(text_, at_); end > at_) return add(Kind::splice, end);
    if (const std::size_t end = behind_line_end(text_, at_); end > at_) return line_end(end);
    if (is_blank(c)) return add(Kind::blank, blanks_end());
    if (c == '/' && char_at(next(at_)) == '/') return add(Kind::comment, logical_line_end(text_, at_));
    if (c == '/' && char_at(next(at_)) == '*') return block_comment();
    if (headers_ != Headers::none && (c == '<' || c == '"') && header(c)) return;
    if (is_word_start(c)) return word();
    if (is_digit(c) || (c == '.' && is_digit(char_at(next(at_))))) return add(Kind::number, number_end());
    if (c == '"' || c == '\'') return quoted(at_);
    symbol(c);
  }

  [[nodiscard]] char char_at(std::size_t at) const { return at < text_.size() ? text_[at] : '\0'; }
  /// Of the character behind the one at `at`, on the same line or behind a splice.
  [[nodiscard]] std::size_t next(std::size_t at) const { return behind_splices(text_, at + 1); }
  [[nodiscard]] bool at_line_end(std::size_t at) const { return behind_line_end(text_, at) > at; }

  void line_end(std::size_t end) {
    in_directive_ = false;
    headers_ = Headers::none;
    add(Kind::line_end, end);
    line_start_ = true;
  }

  [[nodiscard]] std::size_t blanks_end() const {
    std::size_t end = at_;
    while (end < text_.size() && is_blank(text_[end])) ++end;
    return end;
  }

  void block_comment() {
    for (std::size_t i = next(next(at_)); i < text_.size(); ++i) {
      if (text_[i] != '*') continue;
      if (const std::size_t slash = next(i); char_at(slash) == '/') return add(Kind::comment, slash + 1);
    }
    add(Kind::comment, text_.size(), false);
  }

  /// The name of a header has no escapes and no comments. False: "<" is an operator here.
  bool header(char open) {
    const char close = open == '<' ? '>' : '"';
    std::size_t i = next(at_);
    while (i < text_.size() && text_[i] != close && !at_line_end(i)) i = next(i);
    if (char_at(i) != close) return false;
    add(headers_ == Headers::one ? Kind::has_header : Kind::header, i + 1);
    return true;
  }

  void word() {
    std::size_t end = at_;
    for (std::size_t i = at_; i < text_.size() && is_word_part(text_[i]); i = next(i)) end = i + 1;
    const std::string name = without_splices(text_.substr(at_, end - at_));
    const std::size_t quote = behind_splices(text_, end);
    const bool raw = name == "R" || name == "u8R" || name == "uR" || name == "UR" || name == "LR";
    if (raw && char_at(quote) == '"') return raw_text(quote);
    const bool prefix = name == "u8" || name == "u" || name == "U" || name == "L";
    if (prefix && (char_at(quote) == '"' || char_at(quote) == '\'')) return quoted(quote);
    add(Kind::word, end);
    follow_directive(name);
  }

  /// Header names stand behind #include and its like, and in __has_include(…) of a condition.
  void follow_directive(const std::string& word) {
    if (!in_directive_) return;
    if (directive_.empty()) {
      directive_ = word;
      if (word == "include" || word == "include_next" || word == "import") headers_ = Headers::all;
    } else if ((directive_ == "if" || directive_ == "elif") &&
               (word == "__has_include" || word == "__has_include_next")) {
      headers_ = Headers::one;
    }
  }

  [[nodiscard]] std::size_t number_end() const {
    std::size_t end = at_;
    for (std::size_t i = at_; i < text_.size(); i = next(i)) {
      const char c = text_[i], before = i > at_ ? text_[end - 1] : '\0';
      const bool sign =
          (c == '+' || c == '-') && (before == 'e' || before == 'E' || before == 'p' || before == 'P');
      const char behind = c == '\'' ? char_at(next(i)) : '\0';
      const bool separator = c == '\'' && is_word_part(behind) && behind != '$';
      if (!is_word_part(c) && c != '.' && !sign && !separator) break;
      end = i + 1;
    }
    return end;
  }

  void quoted(std::size_t open) {
    const Kind kind = text_[open] == '"' ? Kind::text : Kind::character;
    std::size_t i = next(open);
    while (i < text_.size() && text_[i] != text_[open] && !at_line_end(i)) {
      if (text_[i] == '\\') i = next(i);
      if (i < text_.size() && !at_line_end(i)) i = next(i);
    }
    const bool closed = char_at(i) == text_[open];
    add(kind, closed ? i + 1 : std::min(i, text_.size()), closed);
  }

  /// A delimiter that no compiler accepts: the rest is read as an ordinary literal that does not end.
  void raw_text(std::size_t quote) {
    constexpr std::size_t kLongestDelimiter = 16;
    std::size_t open = quote + 1;
    while (open < text_.size() &&
           std::string_view(" ()\\\t\v\f\r\n").find(text_[open]) == std::string_view::npos)
      ++open;
    if (char_at(open) != '(' || open - quote - 1 > kLongestDelimiter)
      return add(Kind::raw_text, logical_line_end(text_, quote), false);
    std::string close = ")";
    close.append(text_.substr(quote + 1, open - quote - 1)).push_back('"');
    const std::size_t end = text_.find(close, open);
    const bool closed = end != std::string_view::npos;
    add(Kind::raw_text, closed ? end + close.size() : text_.size(), closed);
  }

  void symbol(char c) {
    const std::size_t second = next(at_);
    if (c == ':' && char_at(second) == ':') return add(Kind::symbol, second + 1);  // before ":>" is tried
    bool digraph = std::any_of(kDigraphs.begin(), kDigraphs.end(), [&](const auto& pair) {
      return pair.first[0] == c && pair.first[1] == char_at(second);
    });
    if (c == '<' && char_at(second) == ':') {  // "<::" is "<" and "::", except in "<:::" and "<::>"
      const std::size_t third = next(second), fourth = next(third);
      digraph = char_at(third) != ':' || char_at(fourth) == ':' || char_at(fourth) == '>';
    }
    const bool hash = c == '#' || (digraph && c == '%' && char_at(second) == ':');
    const bool starts = hash && line_start_;
    if (starts) {
      in_directive_ = true;
      directive_.clear();
    }
    add(Kind::symbol, digraph ? second + 1 : at_ + 1);
    tokens_.back().starts_directive = starts;
  }

  void add(Kind kind, std::size_t end, bool closed = true) {
    tokens_.push_back({kind, at_, end, line_, in_directive_, false, closed});
    if (!separates(tokens_.back())) {
      line_start_ = false;
      if (headers_ == Headers::one && kind != Kind::word && text_[at_] != '(') headers_ = Headers::none;
    }
    for (std::size_t i = at_; i < end;) {
      const std::size_t behind = behind_line_end(text_, i);
      if (behind > i) ++line_;
      i = std::max(behind, i + 1);
    }
    at_ = end;
  }

  enum class Headers { none, one, all };

  std::string_view text_;
  bool line_start_;
  std::size_t at_ = 0;
  int line_ = 1;
  bool in_directive_ = false;
  std::string directive_;
  Headers headers_ = Headers::none;
  std::vector<CudaToken> tokens_;
};

}  // namespace

std::vector<CudaToken> read_cuda_text(std::string_view text, bool line_start) {
  return CudaScanner(text, line_start).run();
}

bool separates(const CudaToken& token) {
  return token.kind == Kind::splice || token.kind == Kind::blank || token.kind == Kind::line_end ||
         token.kind == Kind::comment;
}

std::string spelled(std::string_view text, const CudaToken& token) {
  const std::string_view whole = text.substr(token.begin, token.end - token.begin);
  if (token.kind != Kind::raw_text) return without_splices(whole);
  const std::size_t quote = whole.find('"');
  return without_splices(whole.substr(0, quote)) + std::string(whole.substr(quote));
}

std::string meaning(std::string_view text, const CudaToken& token) {
  std::string characters = spelled(text, token);
  if (token.kind != Kind::symbol) return characters;
  for (const auto& [digraph, symbol] : kDigraphs)
    if (characters == digraph) return std::string(symbol);
  return characters;
}

std::string content(std::string_view text, const CudaToken& token) {
  const std::string whole = spelled(text, token);
  std::size_t begin = std::min(whole.find_first_of("\"'<"), whole.size());
  std::size_t tail = token.closed ? 1 : 0;
  if (token.kind == Kind::raw_text && token.closed) {
    const std::size_t open = whole.find('(', begin);
    tail += open - begin;  // ")", the delimiter and the quote
    begin = open;
  }
  return whole.substr(begin + 1, std::max(whole.size() - tail, begin + 1) - begin - 1);
}

}  // namespace kevolve
