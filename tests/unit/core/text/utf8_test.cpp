#include "core/text/utf8.hpp"

#include "tests/catch.hpp"

namespace kevolve {
namespace {

TEST_CASE("text becomes readable") {
  CHECK(readable("a\r\nb\rc") == "a\nb\nc");
  CHECK(readable("\x1B[31mred\x1B[0m") == "[31mred[0m");
  CHECK(readable("é€😀") == "é€😀");
  CHECK(readable("a\xFF\xC0\x80\xED\xA0\x80z") == "a\uFFFD\uFFFD\uFFFD\uFFFD\uFFFD\uFFFDz");
  CHECK(readable("\xE2\x82") == "\uFFFD\uFFFD");
  CHECK(utf8_boundary("a€b", 2) == 1);
  CHECK(utf8_boundary("a€b", 4) == 4);
  CHECK(utf8_boundary("a", 9) == 1);
}

}  // namespace
}  // namespace kevolve
