#include "core/devices/cpu/runner/signal_text.hpp"

#include <limits>
#include <string>

#include "tests/catch.hpp"

namespace kevolve::cpu::runner {
namespace {

TEST_CASE("numbers and places are written without allocation") {
  SignalText text;
  text << "a " << std::int64_t{0} << " " << std::int64_t{-17} << " "
       << std::numeric_limits<std::int64_t>::min() << " ";
  text.hex(0xdeadbeef) << " " << std::array<std::uint32_t, 3>{1, 2, 30};
  CHECK(text.view() == "a 0 -17 -9223372036854775808 0xdeadbeef (1, 2, 30)");
}

TEST_CASE("what does not fit is cut off") {
  SignalText text;
  for (int i = 0; i < 100; ++i) text << std::string(100, 'x');
  CHECK(text.view() == std::string(2048, 'x'));
}

}  // namespace
}  // namespace kevolve::cpu::runner
