#include "core/gates/source_text.hpp"

#include <algorithm>

namespace kevolve::gates {
namespace {

using Kind = CudaToken::Kind;

class SourceReader {
 public:
  explicit SourceReader(std::string_view source) : source_(source), in_(read_cuda_text(source)) {}

  SourceText read() {
    while (at_ < in_.size()) {
      if (in_[at_].starts_directive)
        directive();
      else if (separates(in_[at_]))
        ++at_;
      else
        out_.tokens.push_back(token());
    }
    out_.closed = std::all_of(in_.begin(), in_.end(), [](const CudaToken& t) { return t.closed; });
    out_.doubts = cuda_text_doubts(source_, in_);
    return std::move(out_);
  }

 private:
  [[nodiscard]] bool in_directive() const { return at_ < in_.size() && in_[at_].in_directive; }

  /// True when something separates the directive's last token from its next.
  bool skip_within_directive() {
    bool separated = false;
    for (; in_directive() && separates(in_[at_]); ++at_) separated |= in_[at_].kind != Kind::splice;
    return separated;
  }

  void directive() {
    Directive out;
    out.line = in_[at_].line;
    out.mark = spelled(source_, in_[at_]);
    ++at_;
    skip_within_directive();
    if (in_directive() && in_[at_].kind == Kind::word) out.name = spelled(source_, in_[at_++]);
    skip_within_directive();
    const bool include = out.name.starts_with("include") || out.name == "import" || out.name == "embed";
    while (in_directive()) {
      const std::size_t begin = at_;
      Token read = token();
      for (std::size_t i = begin; i < at_; ++i)
        if (in_[i].kind != Kind::splice) out.rest += spelled(source_, in_[i]);
      if (!include) out.tokens.push_back(std::move(read));
      if (skip_within_directive() && in_directive()) out.rest += ' ';
    }
    out_.directives.push_back(std::move(out));
  }

  Token token() {
    const CudaToken& first = in_[at_];
    switch (first.kind) {
      case Kind::word:
        return {Token::Kind::word, spelled(source_, in_[at_++]), first.line};
      case Kind::number:
        return {Token::Kind::number, spelled(source_, in_[at_++]), first.line};
      case Kind::symbol:
        return mark();
      default:
        return {Token::Kind::text, content(source_, in_[at_++]), first.line};
    }
  }

  /// Symbols that touch and mean something together.
  Token mark() {
    Token out{Token::Kind::mark, symbol(at_), in_[at_].line};
    for (const std::string_view together : {"<<<", "##", "->"}) {
      std::string text;
      std::size_t end = at_;
      for (; end < in_.size() && text.size() < together.size(); ++end) {
        if (in_[end].kind == Kind::splice) continue;
        if (in_[end].kind != Kind::symbol) break;
        text += symbol(end);
      }
      if (text != together) continue;
      out.text = text;
      at_ = end;
      return out;
    }
    ++at_;
    return out;
  }

  /// Brackets and braces as they are meant; "%:" as it is written, for the policy refuses it.
  [[nodiscard]] std::string symbol(std::size_t at) const {
    const std::string written = spelled(source_, in_[at]);
    return written == "%:" ? written : meaning(source_, in_[at]);
  }

  std::string_view source_;
  std::vector<CudaToken> in_;
  std::size_t at_ = 0;
  SourceText out_;
};

}  // namespace

SourceText read_source(std::string_view source) {
  return SourceReader(source).read();
}

}  // namespace kevolve::gates
