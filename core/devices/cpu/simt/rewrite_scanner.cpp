#include "core/devices/cpu/simt/rewrite_scanner.hpp"

#include <algorithm>

#include "core/text/cuda_text.hpp"

namespace kevolve::simt {
namespace {

Token::Kind kind_of(const CudaToken& token) {
  if (token.kind == CudaToken::Kind::word) return Token::Kind::word;
  return token.kind == CudaToken::Kind::symbol ? Token::Kind::symbol : Token::Kind::literal;
}

/// Behind the bracket that closes the one at `i`.
std::size_t behind_brackets(const std::vector<Token>& tokens, std::size_t i) {
  int depth = 0;
  for (; i < tokens.size(); ++i) {
    if (tokens[i].text == "[") ++depth;
    if (tokens[i].text == "]" && --depth == 0) return i + 1;
  }
  return i;
}

/// Two opening brackets in a row are an attribute's in all of C++.
std::vector<Token> without_attributes(std::vector<Token> tokens) {
  std::vector<Token> kept;
  for (std::size_t i = 0; i < tokens.size();) {
    if (tokens[i].text == "[" && i + 1 < tokens.size() && tokens[i + 1].text == "[")
      i = behind_brackets(tokens, i);
    else
      kept.push_back(std::move(tokens[i++]));
  }
  return kept;
}

}  // namespace

std::vector<Token> scan(std::string_view text, bool line_start) {
  const std::vector<CudaToken> read = read_cuda_text(text, line_start);
  std::vector<Token> tokens;
  for (std::size_t i = 0; i < read.size();) {
    if (read[i].starts_directive) {
      const std::size_t begin = read[i].begin;
      while (i < read.size() && read[i].in_directive) ++i;
      const std::size_t end = read[i - 1].end;
      tokens.push_back({Token::Kind::directive, begin, end, std::string(text.substr(begin, end - begin))});
      continue;
    }
    if (!separates(read[i]))
      tokens.push_back({kind_of(read[i]), read[i].begin, read[i].end, meaning(text, read[i])});
    ++i;
  }
  return without_attributes(std::move(tokens));
}

}  // namespace kevolve::simt
