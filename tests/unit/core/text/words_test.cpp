#include "core/text/words.hpp"

#include "tests/catch.hpp"

namespace kevolve {
namespace {

TEST_CASE("times are shown in the unit that fits") {
  CHECK(in_time(0) == "-");
  CHECK(in_time(9.314) == "9.31 us");
  CHECK(in_time(1234) == "1.234 ms");
  CHECK(in_time(2.1e6) == "2.10 s");
  CHECK(in_time(0, Letters::unicode) == "–");
  CHECK(in_time(9.314, Letters::unicode) == "9.31 µs");
  CHECK(in_time(999.994, Letters::ascii) == "999.99 us");
  CHECK(in_time(999.999, Letters::ascii) == "1.000 ms");  // not "1000.00 us"
  CHECK(in_time(999'999.9, Letters::ascii) == "1.00 s");
}

TEST_CASE("sizes are shown in the unit that fits") {
  CHECK(in_bytes(999) == "999 B");
  CHECK(in_bytes(32768) == "32.8 kB");
  CHECK(in_bytes(1.5e6) == "1.5 MB");
  CHECK(in_bytes(2e9) == "2.00 GB");
  CHECK(in_binary_bytes(512) == "512 bytes");
  CHECK(in_binary_bytes(32768) == "32 KiB");
  CHECK(in_binary_bytes(1.25 * 1024 * 1024) == "1.25 MiB");
}

TEST_CASE("named values") {
  CHECK(in_tunables({}) == "");
  CHECK(in_tunables({{"SPLIT", 8}, {"BLOCK", 256}}) == "BLOCK=256 SPLIT=8");
  CHECK(in_equations({{"SPLIT", 8}, {"BLOCK", 256}}) == "BLOCK = 256, SPLIT = 8");
}

TEST_CASE("one line") {
  CHECK(one_line(" a\n  b\tc \n", 100) == "a b c");
  CHECK(one_line("abcdef", 3) == "abc…");
  CHECK(one_line("a€", 2) == "a…");
  CHECK(one_line("one two three four", 16) == "one two three…");
  CHECK(one_line("It is so. But then not", 16) == "It is so. …");
  CHECK(one_line("A. Very long word follows", 20) == "A. Very long word…");
  CHECK(one_line("€", 1) == "…");
}

TEST_CASE("the first line and the text without its ends") {
  CHECK(first_line("a\nb") == "a");
  CHECK(first_line("a") == "a");
  CHECK(trimmed(" \t a b\r\n") == "a b");
  CHECK(trimmed(" \n").empty());
}

TEST_CASE("only ASCII letters have a lower case") {
  CHECK(lower("Content-TYPE É") == "content-type É");
  CHECK(lower('Q') == 'q');
}

TEST_CASE("percent encoding") {
  CHECK(percent_encoded("a-Z_0.~") == "a-Z_0.~");
  CHECK(percent_encoded("a b/€") == "a%20b%2F%E2%82%AC");
}

TEST_CASE("symbols have their C++ names") {
  CHECK(demangled("_Z4rowsILi4EEvPf") == "void rows<4>(float*)");
  CHECK(demangled("g") == "g");
  CHECK(demangled("memcpy") == "memcpy");
  CHECK(demangled("_Znonsense") == "_Znonsense");
}

}  // namespace
}  // namespace kevolve
