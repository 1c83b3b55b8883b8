#pragma once
// SourceText: a candidate's source as the preprocessor's first phases leave it: lines spliced, comments gone,
// cut into tokens and directives that remember their line. No macro is expanded. Plain data.

#include <string>
#include <string_view>
#include <vector>

namespace kevolve::gates {

struct Token {
  enum class Kind {
    word,
    number,
    text,
    mark
  };  ///< mark: punctuation, one character, or one of "<<<", "##", "::", "->"
  Kind kind = Kind::mark;
  std::string text;  ///< of a string or character literal: its content
  int line = 1;      ///< in the file as it was written
};

struct Directive {
  std::string name;           ///< "include", "define", …
  std::string rest;           ///< what follows on the (spliced) line, comments removed
  std::vector<Token> tokens;  ///< of `rest`
  int line = 1;
};

struct SourceText {
  std::vector<Token> tokens;  ///< outside directives
  std::vector<Directive> directives;
  bool closed = true;  ///< false: a comment or a literal never ends
};

SourceText read_source(std::string_view source);

}  // namespace kevolve::gates
