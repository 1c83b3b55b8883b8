#pragma once
// The words, headers and directives that the policy gate knows. Tables only.

#include <span>
#include <string_view>

namespace kevolve::gates {

struct ForbiddenWord {
  enum class Where { anywhere, called };  ///< called: only as a function name before "(" that is no member
  std::string_view word;
  Where where;
  std::string_view why;
  std::string_view instead;
};

std::span<const ForbiddenWord> forbidden_words();

/// Words inside string literals (inline PTX, pragmas), found as substrings.
struct ForbiddenText {
  std::string_view text, why, instead;
};
std::span<const ForbiddenText> forbidden_texts();

bool header_allowed(std::string_view header);  ///< "cuda_fp16.h", "cuda/std/cmath"
bool pragma_allowed(std::string_view pragma);  ///< what follows #pragma: "unroll 4"

/// Names of the CUDA host API that device code may mention.
bool cuda_name_allowed(std::string_view name);

}  // namespace kevolve::gates
