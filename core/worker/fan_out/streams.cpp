#include "core/worker/fan_out/streams.hpp"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

namespace kevolve::fan_out {

bool Outgoing::write_to(int descriptor, std::size_t most) {
  const ssize_t n =
      ::write(descriptor, waiting_.data() + written_, std::min(most, waiting_.size() - written_));
  if (n < 0) return errno == EAGAIN || errno == EINTR;
  written_ += static_cast<std::size_t>(n);
  constexpr std::size_t kWorthMoving = 1 << 20;
  if (empty() || written_ >= kWorthMoving) {
    waiting_.erase(0, written_);
    written_ = 0;
  }
  return true;
}

Incoming::Found Incoming::read_from(int descriptor, std::vector<std::string>& lines) {
  std::array<char, 65536> chunk;
  const ssize_t n = ::read(descriptor, chunk.data(), chunk.size());
  if (n < 0 && (errno == EAGAIN || errno == EINTR)) return Found::nothing;
  if (n <= 0) return Found::end;
  std::string_view text(chunk.data(), static_cast<std::size_t>(n));
  for (std::size_t end = text.find('\n'); end != std::string_view::npos; end = text.find('\n')) {
    begun_ += text.substr(0, end);
    lines.push_back(std::exchange(begun_, {}));
    text.remove_prefix(end + 1);
  }
  begun_ += text;
  return Found::some;
}

}  // namespace kevolve::fan_out
