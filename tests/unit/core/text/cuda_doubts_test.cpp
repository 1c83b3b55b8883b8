// Each source here was given to g++ 12 and to NVRTC 13. `S` stands where a static_assert(false) stood: where
// one of them reported it and the other did not, or where one took the text before it for a comment, a doubt
// must be named.

#include "core/text/cuda_doubts.hpp"

#include "tests/catch.hpp"

namespace kevolve {
namespace {

std::string doubts(std::string_view text) {
  std::string joined;
  for (const CudaDoubt& doubt : cuda_text_doubts(text, read_cuda_text(text)))
    joined += std::to_string(doubt.line) + ": " + std::string(doubt.what) + "|";
  return joined;
}

TEST_CASE("what g++ and NVRTC read differently is named, with its line") {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"// x \\ \nS", "1: a backslash with blanks before the end of the line|"},
      {"\n// x \\\f\nS", "2: a backslash with blanks before the end of the line|"},
      {"// x \rS", "1: a carriage return without a line feed|"},
      {"// x \\\r\r\nS", "1: a carriage return without a line feed|"},
      {std::string("// x \0 \nS", 9), "1: a zero byte|"},
      {"#if 0\n#include </*>\n#endif\nS", "2: a header's name with a comment, a quote or a backslash in it|"},
      {"#if 0\n#include \"a\\\" /*\"\n#endif\nS",
       "2: a header's name with a comment, a quote or a backslash in it|"},
      {"#if 0\n#include <a'> /*\n*/\n#endif\nS",
       "2: a header's name with a comment, a quote or a backslash in it|"},
      {"int a; /* x\n */ #pragma x\nS", "2: a '#' behind a comment of several lines that follows code|"},
      {"int a; /* x\n */ %:pragma x\nS", "2: a '#' behind a comment of several lines that follows code|"},
      {"#if 0\n#x /*\n*/ #endif\nS", "3: a '#' behind a comment of several lines that follows code|"},
      {"#define A R\"(\n)\"\nS", "1: a raw string of several lines in a directive|"},
      {"#if 0\nR\"(x)\\\n\" /* )\"\n#endif\nS",
       "2: a raw string that ends earlier when its lines are joined|"},
      {"#if 0\n$R\"(\" /* )\"\n*/\n#endif\nS", "2: a quote that touches '$' or a character beyond ASCII|"},
      {"#define A \xC3\xA9R\"(\" /* )\"\nS", "1: a quote that touches '$' or a character beyond ASCII|"},
      {"#define A 1\xC3\xA9'x /*'\nS", "1: a quote that touches '$' or a character beyond ASCII|"},
      {"#define A 1$'x /* */\nS", "1: a digit separator in a number with '$'|"},
      {"#if 0\n1'000 /* '\n*/\n#endif\nS",
       "2: a digit separator before a comment or a raw string, between #if and #endif|"},
  };
  for (const auto& [text, expected] : cases) {
    INFO(text);
    CHECK(doubts(text) == expected);
  }
}

TEST_CASE("what both read alike is not doubted") {
  for (const char* text : {"// x \\\nS",
                           "// x \\\r\nS",
                           "a \\ b",
                           "#include <a/b.h> // c",
                           "#include <a> /* x\n*/\nS",
                           "int a; # x",
                           "int a; /* x */ # x",
                           "/* x\n */ #define B",
                           "int a; /* x \\\n */ # x",
                           "int a; \\\n# x",
                           "#define A(x) /* x\n */ #x",
                           "R\"(\n)\"",
                           "R\"(a\\\nb)\"",
                           "R\\\n\"(a)\"",
                           "#define A R\"(a)\"",
                           "f(\"\xC3\xA9\", '$') // \xC3\xA9'",
                           "a = '1' + \"x\";",
                           "1'000 /* x */",
                           "#if A\nint a = 1'000'000; // x\n#endif",
                           "#if A\n#endif\n1'0 /* x */",
                           "#if 0\ndon't /*\n#endif\nS"}) {
    INFO(text);
    CHECK(doubts(text).empty());
  }
}

}  // namespace
}  // namespace kevolve
