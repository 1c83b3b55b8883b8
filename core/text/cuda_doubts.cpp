#include "core/text/cuda_doubts.hpp"

#include <algorithm>
#include <string>

#include "core/text/cuda_characters.hpp"

namespace kevolve {
namespace {

using Kind = CudaToken::Kind;

bool beyond_ascii(char c) {
  return static_cast<unsigned char>(c) >= 0x80;
}

class Doubts {
 public:
  Doubts(std::string_view text, const std::vector<CudaToken>& tokens) : text_(text), tokens_(tokens) {}

  std::vector<CudaDoubt> run() {
    characters();
    for (at_ = 0; at_ < tokens_.size(); ++at_) token(tokens_[at_]);
    std::stable_sort(out_.begin(), out_.end(), [](const auto& a, const auto& b) { return a.line < b.line; });
    return std::move(out_);
  }

 private:
  [[nodiscard]] std::string_view part(const CudaToken& token) const {
    return text_.substr(token.begin, token.end - token.begin);
  }
  void doubt(int line, std::string_view what) { out_.push_back({line, what}); }

  /// What one compiler takes for a line end or for the end of the file, inside and outside comments.
  void characters() {
    int line = 1;
    for (std::size_t i = 0; i < text_.size(); ++i) {
      const char c = text_[i];
      if (c == '\0') doubt(line, "a zero byte");
      if (c == '\r' && text_.substr(i + 1, 1) != "\n") doubt(line, "a carriage return without a line feed");
      if (c == '\\' && i + 1 < text_.size() && is_blank(text_[i + 1]) && behind_splices(text_, i) > i)
        doubt(line, "a backslash with blanks before the end of the line");
      if (c == '\n') ++line;
    }
  }

  void token(const CudaToken& token) {
    if (token.starts_directive) count_conditions();
    if (token.kind == Kind::header || token.kind == Kind::has_header) header(token);
    if (token.kind == Kind::symbol && !token.starts_directive) misplaced_hash(token);
    if (token.kind == Kind::raw_text) raw_text(token);
    if (token.kind == Kind::text || token.kind == Kind::raw_text || token.kind == Kind::character)
      touching(token.line);
    if (token.kind == Kind::number && part(token).find('\'') != std::string_view::npos) separator(token);
  }

  void count_conditions() {
    std::size_t i = at_ + 1;
    while (i < tokens_.size() && tokens_[i].in_directive && separates(tokens_[i])) ++i;
    if (i == tokens_.size() || tokens_[i].kind != Kind::word) return;
    const std::string name = spelled(text_, tokens_[i]);
    if (name == "if" || name == "ifdef" || name == "ifndef") ++conditions_;
    if (name == "endif") --conditions_;
  }

  /// g++ reads the name of a header in skipped groups, too; NVRTC reads comments and literals there.
  void header(const CudaToken& token) {
    const std::string name = content(text_, token);
    if (name.find("//") != std::string::npos || name.find("/*") != std::string::npos ||
        name.find_first_of("\\'\"") != std::string::npos)
      doubt(token.line, "a header's name with a comment, a quote or a backslash in it");
  }

  /// `int a; /* … line end … */ #pragma x`: NVRTC reads a directive, g++ does not.
  void misplaced_hash(const CudaToken& token) {
    if (meaning(text_, token) != "#" || (token.in_directive && conditions_ <= 0)) return;
    for (std::size_t i = at_; i > 0 && separates(tokens_[i - 1]) && tokens_[i - 1].kind != Kind::line_end;
         --i) {
      const CudaToken& before = tokens_[i - 1];
      if (before.kind == Kind::comment && spelled(text_, before).find_first_of("\r\n") != std::string::npos)
        return doubt(token.line, "a '#' behind a comment of several lines that follows code");
    }
  }

  /// g++ ends a raw string in a directive with the line; NVRTC finds ')…"' across splices.
  void raw_text(const CudaToken& token) {
    const std::string_view whole = part(token);
    if (token.in_directive && whole.find_first_of("\r\n") != std::string_view::npos)
      doubt(token.line, "a raw string of several lines in a directive");
    const std::size_t open = whole.find('('), quote = whole.find('"');
    if (open == std::string_view::npos || quote == std::string_view::npos || open < quote) return;
    const std::string close = ")" + std::string(whole.substr(quote + 1, open - quote - 1)) + "\"";
    const std::string joined = without_splices(whole.substr(open));
    if (token.closed && joined.find(close) + close.size() != joined.size())
      doubt(token.line, "a raw string that ends earlier when its lines are joined");
  }

  /// A quote that touches '$' or a character beyond ASCII: to one compiler it belongs to a number or to the
  /// prefix of a raw string, to the other not.
  void touching(int line) {
    for (std::size_t i = at_; i > 0; --i) {
      const CudaToken& before = tokens_[i - 1];
      const bool number_or_word = before.kind == Kind::word || before.kind == Kind::number;
      const char last = text_[before.end - 1];
      if ((number_or_word && part(before).find('$') != std::string_view::npos) ||
          (before.kind == Kind::symbol && beyond_ascii(last)))
        return doubt(line, "a quote that touches '$' or a character beyond ASCII");
      if (!number_or_word && before.kind != Kind::splice && (before.kind != Kind::symbol || last != '.'))
        return;
    }
  }

  /// In a skipped group NVRTC takes the ' of 1'000 for a quote, which may hide where a comment begins.
  void separator(const CudaToken& token) {
    if (part(token).find('$') != std::string_view::npos)
      doubt(token.line, "a digit separator in a number with '$'");
    touching(token.line);
    if (conditions_ <= 0) return;
    if (token.end > line_end_) {
      line_end_ = logical_line_end(text_, token.end);
      const std::string_view rest = text_.substr(token.end, line_end_ - token.end);
      const std::size_t last = std::max(rest.rfind("/*") + 1, rest.rfind("R\"") + 1);  // 0: none
      last_opener_ = last == 0 ? 0 : token.end + last;
    }
    if (last_opener_ > token.end)
      doubt(token.line, "a digit separator before a comment or a raw string, between #if and #endif");
  }

  std::string_view text_;
  const std::vector<CudaToken>& tokens_;
  std::size_t at_ = 0;
  int conditions_ = 0;
  std::size_t line_end_ = 0, last_opener_ = 0;
  std::vector<CudaDoubt> out_;
};

}  // namespace

std::vector<CudaDoubt> cuda_text_doubts(std::string_view text, const std::vector<CudaToken>& tokens) {
  return Doubts(text, tokens).run();
}

}  // namespace kevolve
