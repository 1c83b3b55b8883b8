#pragma once
// A reply's text without what is not part of the answer, cut into fenced blocks and prose. Pure, linear.

#include <string>
#include <string_view>
#include <vector>

namespace kevolve::llm {

struct ReplyText {
  std::string text;                ///< readable, without <think>…</think> and the like
  bool breaks_off_inside = false;  ///< a thought that never ends: what follows it is not there
};

/// Thoughts are <think>, <thinking>, <thought>, <reasoning>, <reflection> and <scratchpad>, in any case. A
/// closing tag without an opening one ends a thought that began with the reply, when an answer follows it.
ReplyText without_thoughts(std::string_view reply);

struct Segment {
  std::string_view text;
  bool fenced = false;
  bool closed = true;     ///< false: a fence that the reply does not close
  std::size_t begin = 0;  ///< of `text` in the whole
};

/// In order. Fences are three or more backticks or tildes, of any language or none; a block ends at a line of
/// at least as many, or at a line of code that ends with them.
std::vector<Segment> segments(std::string_view text);

/// "`the first or last words …`" for complaints: one line of at most 80 bytes.
std::string first_words(std::string_view text);
std::string last_words(std::string_view text);

}  // namespace kevolve::llm
