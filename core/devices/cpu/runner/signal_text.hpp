#pragma once
// SignalText: text put together where nothing may allocate: in a signal handler. Cuts off what does not fit.

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace kevolve::cpu::runner {

class SignalText {
 public:
  SignalText& operator<<(std::string_view text) {
    for (const char c : text)
      if (size_ < text_.size()) text_[size_++] = c;
    return *this;
  }
  SignalText& operator<<(std::int64_t value) {
    if (value < 0) *this << "-";
    return digits(value < 0 ? 0 - static_cast<std::uint64_t>(value) : static_cast<std::uint64_t>(value), 10);
  }
  SignalText& operator<<(const std::array<std::uint32_t, 3>& v) {
    return *this << "(" << std::int64_t{v[0]} << ", " << std::int64_t{v[1]} << ", " << std::int64_t{v[2]}
                 << ")";
  }
  SignalText& hex(std::uint64_t value) { return (*this << "0x").digits(value, 16); }
  [[nodiscard]] std::string_view view() const { return {text_.data(), size_}; }

 private:
  SignalText& digits(std::uint64_t value, std::uint64_t base) {
    std::array<char, 20> reversed;
    std::size_t n = 0;
    do reversed[n++] = "0123456789abcdef"[value % base];
    while ((value /= base) != 0);
    while (n > 0) *this << std::string_view(&reversed[--n], 1);
    return *this;
  }

  std::array<char, 2048> text_;
  std::size_t size_ = 0;
};

}  // namespace kevolve::cpu::runner
