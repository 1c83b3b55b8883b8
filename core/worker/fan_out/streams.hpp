#pragma once
// The two ends of a conversation in lines over descriptors, for a thread that waits with poll().

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace kevolve::fan_out {

/// What is to be written. Owned by one thread.
class Outgoing {
 public:
  void add(std::string_view line) { (waiting_ += line) += '\n'; }
  [[nodiscard]] bool empty() const { return written_ == waiting_.size(); }
  /// Writes once, at most `most` bytes; false when nobody reads any more.
  bool write_to(int descriptor, std::size_t most);

 private:
  std::string waiting_;
  std::size_t written_ = 0;  ///< of waiting_
};

/// What is read, cut into lines. Owned by one thread.
class Incoming {
 public:
  enum class Found { some, nothing, end };
  /// Reads once; whole lines, without their ends, go to `lines`.
  Found read_from(int descriptor, std::vector<std::string>& lines);
  /// The text after the last line's end: a line that its writer did not finish.
  [[nodiscard]] const std::string& rest() const { return begun_; }

 private:
  std::string begun_;
};

}  // namespace kevolve::fan_out
