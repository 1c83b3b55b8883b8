#pragma once
// C++ and CUDA text cut into tokens: the one reading of candidates' sources that the policy, the tripwires,
// the rewriting for the host, the content address and the reading of replies share. It follows g++ 12 and
// NVRTC in C++20. Where these two disagree it follows g++, and cuda_text_doubts() names the place. No macro
// is expanded and no condition is evaluated. Pure; linear in the length of the text.

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace kevolve {

struct CudaToken {
  enum class Kind {
    splice,      ///< a backslash, blanks and a line end: the next line continues this one
    blank,       ///< white space other than line ends
    line_end,    ///< "\n", "\r\n" or a lone "\r"
    comment,     ///< without the line end behind "//…"
    word,        ///< an identifier or keyword: letters, digits, _ and $
    number,      ///< a preprocessing number: "1'000", "0x1p-3f", ".5"
    text,        ///< "…" with its prefix
    raw_text,    ///< R"(…)" with its prefix
    character,   ///< '…' with its prefix
    header,      ///< what #include names, with its brackets or quotes
    has_header,  ///< the same in __has_include(…)
    symbol       ///< one character, a digraph, or "::"
  };
  Kind kind = Kind::symbol;
  std::size_t begin = 0, end = 0;  ///< offsets in the text; splices inside a token belong to it
  int line = 1;                    ///< of `begin`
  bool in_directive = false;       ///< part of a preprocessor line, from its '#' to before its line end
  bool starts_directive = false;   ///< that '#' (or "%:")
  bool closed = true;              ///< false: a comment or a literal that does not end
};

/// The tokens follow each other without gaps: they are the whole text. `line_start`: whether a '#' at the
/// beginning starts a directive.
std::vector<CudaToken> read_cuda_text(std::string_view text, bool line_start = true);

/// Splices, blanks, line ends and comments: what separates tokens and means nothing more.
bool separates(const CudaToken& token);

/// The token's characters without splices; a raw string's are as they stand, except for its prefix.
std::string spelled(std::string_view text, const CudaToken& token);
/// The same with '[', ']', '{', '}' and '#' in place of their digraphs.
std::string meaning(std::string_view text, const CudaToken& token);
/// What stands between the quotes or brackets of a literal or a header.
std::string content(std::string_view text, const CudaToken& token);

}  // namespace kevolve
