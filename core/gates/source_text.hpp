#pragma once
// SourceText: a candidate's source as the policy looks at it: tokens and directives that remember their line,
// without comments and splices, from core/text/cuda_text. No macro is expanded. Plain data.

#include <string>
#include <string_view>
#include <vector>

#include "core/text/cuda_doubts.hpp"

namespace kevolve::gates {

struct Token {
  enum class Kind {
    word,
    number,
    text,
    mark
  };  ///< mark: punctuation, one character, or one of "<<<", "##", "::", "->", "%:"
  Kind kind = Kind::mark;
  std::string text;  ///< of a string or character literal: its content
  int line = 1;      ///< in the file as it was written
};

struct Directive {
  std::string mark;           ///< "#" or "%:"
  std::string name;           ///< "include", "define", …
  std::string rest;           ///< what follows on the (spliced) line, each comment as one blank
  std::vector<Token> tokens;  ///< of `rest`; none of an #include's
  int line = 1;
};

struct SourceText {
  std::vector<Token> tokens;  ///< outside directives
  std::vector<Directive> directives;
  bool closed = true;             ///< false: a comment or a literal never ends
  std::vector<CudaDoubt> doubts;  ///< what compilers read differently
};

SourceText read_source(std::string_view source);

}  // namespace kevolve::gates
