#pragma once
// Places where g++ 12 and NVRTC 13 read the same source differently, so that one of them may compile what a
// reader of the other's tokens takes for a comment or a string. Each rule was tried on both compilers, inside
// and outside skipped conditional groups: tests/unit/core/text/cuda_doubts_test.cpp has the cases. Pure.

#include <string_view>
#include <vector>

#include "core/text/cuda_text.hpp"

namespace kevolve {

struct CudaDoubt {
  int line = 1;
  std::string_view what;  ///< "a backslash with blanks before the end of the line"
};

/// In the order of the text. `tokens`: read_cuda_text(text).
std::vector<CudaDoubt> cuda_text_doubts(std::string_view text, const std::vector<CudaToken>& tokens);

}  // namespace kevolve
