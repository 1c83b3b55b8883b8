#pragma once
// AnswerLimits: bounds on what is read of an answer, after decompression. Apart from transfer.hpp so that
// users of the backend need no curl.

#include <cstddef>

namespace kevolve::llm {

struct AnswerLimits {
  std::size_t body_bytes = 8 << 20;      ///< of a body, or of a stream's text
  std::size_t stream_bytes = 128 << 20;  ///< of a stream as a whole: a token takes some 300 bytes there
};

}  // namespace kevolve::llm
