#include "core/text/cuda_text.hpp"

#include "tests/catch.hpp"

namespace kevolve {
namespace {

using Kind = CudaToken::Kind;

/// What means something, each token as it is meant, with a bar behind it.
std::string tokens_of(std::string_view text) {
  std::string joined;
  for (const CudaToken& token : read_cuda_text(text))
    if (!separates(token)) joined += meaning(text, token) + "|";
  return joined;
}

std::vector<Kind> kinds_of(std::string_view text) {
  std::vector<Kind> kinds;
  for (const CudaToken& token : read_cuda_text(text)) kinds.push_back(token.kind);
  return kinds;
}

TEST_CASE("comments, words, numbers and symbols") {
  CHECK(tokens_of("int a1 = b->c; // d\n/* e\n */ f") == "int|a1|=|b|-|>|c|;|f|");
  CHECK(tokens_of("a/**/b /*//*/ c //*\nd") == "a|b|c|d|");
  CHECK(kinds_of("a 1\n") == std::vector{Kind::word, Kind::blank, Kind::number, Kind::line_end});
  CHECK(tokens_of("a\fb\vc") == "a|b|c|");
  CHECK(tokens_of("$a$ é") == "$a$|\xC3|\xA9|");
}

TEST_CASE("numbers are those of the preprocessor") {
  CHECK(tokens_of("1'000 0x1.8p-3f .5e+7 1e 1..2") == "1'000|0x1.8p-3f|.5e+7|1e|1..2|");
  CHECK(tokens_of("1' x'") == "1|' x'|");
  CHECK(tokens_of("1''x") == "1|''|x|");
  CHECK(tokens_of("a1'x'") == "a1|'x'|");
  CHECK(tokens_of("1.'x 1e+'x .5'0") == "1.'x|1e+'x|.5'0|");
  CHECK(tokens_of("1'$'") == "1|'$'|");
  CHECK(tokens_of("x.1+2") == "x|.1|+|2|");
}

TEST_CASE("a backslash, blanks and a line end join two lines") {
  for (const char* splice : {"\\\n", "\\ \t\n", "\\\r\n", "\\\v\f\n", "\\\r", "\\\n\\\n"}) {
    INFO(splice);
    CHECK(tokens_of("as" + std::string(splice) + "m") == "asm|");
    CHECK(tokens_of("// x " + std::string(splice) + "asm") == "");
    CHECK(tokens_of("/" + std::string(splice) + "/ asm") == "");
    CHECK(tokens_of("/* *" + std::string(splice) + "/ b") == "b|");
    CHECK(tokens_of("1" + std::string(splice) + "'0") == "1'0|");
    CHECK(tokens_of("\"a" + std::string(splice) + "b\" c") == "\"ab\"|c|");
  }
  CHECK(tokens_of("a \\ b") == "a|\\|b|");
  CHECK(tokens_of("a\\") == "a|\\|");
  CHECK(kinds_of("\\\na") == std::vector{Kind::splice, Kind::word});
}

TEST_CASE("literals") {
  CHECK(tokens_of("\"a\\\"b\" '\\'' u8\"x\" L'y' \"\\\\\" c") == "\"a\\\"b\"|'\\''|u8\"x\"|L'y'|\"\\\\\"|c|");
  CHECK(tokens_of("\"/*\" a \"*/\"") == "\"/*\"|a|\"*/\"|");
  CHECK(tokens_of("don't /* x\nb") == "don|'t /* x|b|");  // ends with its line
  CHECK(tokens_of("R \"(\" b") == "R|\"(\"|b|");
  const std::string_view text = "u8\"a\" '\\n' <b> R\"x(c)\")x\" \"open";
  std::vector<std::string> contents;
  for (const CudaToken& token : read_cuda_text(text))
    if (token.kind == Kind::text || token.kind == Kind::raw_text || token.kind == Kind::character)
      contents.push_back(content(text, token));
  CHECK(contents == std::vector<std::string>{"a", "\\n", "c)\"", "open"});
}

TEST_CASE("raw strings") {
  CHECK(tokens_of("R\"(\"\n/*)\" b") == "R\"(\"\n/*)\"|b|");
  for (const char* prefix : {"R", "u8R", "uR", "UR", "LR"})
    CHECK(kinds_of(prefix + std::string("\"(\")\"")) == std::vector{Kind::raw_text});
  CHECK(kinds_of("fooR\"(\"") == std::vector{Kind::word, Kind::text});
  CHECK(kinds_of("$R\"(\"") == std::vector{Kind::word, Kind::text});
  CHECK(kinds_of("1R\"(\"") == std::vector{Kind::number, Kind::text});
  CHECK(tokens_of("R\\\n\"(a\\\nb)\" c") == "R\"(a\\\nb)\"|c|");      // splices only in the prefix
  CHECK(tokens_of("R\"(x)\\\n\" y)\" c") == "R\"(x)\\\n\" y)\"|c|");  // nor before the last quote
  CHECK(tokens_of("R\"a\"b(x)a\"b\" c") == "R\"a\"b(x)a\"b\"|c|");
  for (const char* wrong :
       {"R\"a b(x)a b\"", "R\"abc\"", "R\"0123456789abcdefg(x)0123456789abcdefg\"", "R\"(x"}) {
    INFO(wrong);
    CHECK_FALSE(read_cuda_text(wrong).front().closed);
  }
}

TEST_CASE("what does not end is not closed") {
  for (const char* text : {"/* x", "\"x", "'x\n", "R\"(", "/*/", "\"x\\"}) {
    INFO(text);
    CHECK_FALSE(read_cuda_text(text).front().closed);
  }
  for (const char* text : {"/**/", "\"\"", "// x", "''"}) CHECK(read_cuda_text(text).front().closed);
}

TEST_CASE("preprocessor lines") {
  const auto inside = [](std::string_view text, bool line_start = true) {
    std::string joined;
    for (const CudaToken& token : read_cuda_text(text, line_start))
      if (token.in_directive && !separates(token))
        joined += (token.starts_directive ? "^" : "") + spelled(text, token) + "|";
    return joined;
  };
  CHECK(inside("#define A 1\nb") == "^#|define|A|1|");
  CHECK(inside("  /* x\n */ # \\\n define /* y\n */ A\nb") == "^#|define|A|");
  CHECK(inside("%:define A") == "^%:|define|A|");
  CHECK(inside("\\\n#if 1") == "^#|if|1|");
  CHECK(inside("a # b").empty());
  CHECK(inside("a /* x\n */ #define B").empty());
  CHECK(inside("R\"(\n)\" #define B").empty());
  CHECK(inside("a \\\n#define B").empty());
  CHECK(inside("#a\r#b\r\n#c") == "^#|a|^#|b|^#|c|");
  CHECK(inside("#define A", false).empty());
}

TEST_CASE("the names of headers have neither comments nor escapes") {
  const auto headers = [](std::string_view text) {
    std::string joined;
    for (const CudaToken& token : read_cuda_text(text)) {
      if (token.kind == Kind::header) joined += content(text, token) + "|";
      if (token.kind == Kind::has_header) joined += "?" + content(text, token) + "|";
    }
    return joined;
  };
  CHECK(headers("#include <a//b>\n# include \"c\\\"\n#import <d/*e>\n%:include_next<f>") ==
        "a//b|c\\|d/*e|f|");
  CHECK(headers("#inc\\\nlude <a\\\nb>") == "ab|");
  CHECK(headers("#if 1 && __has_include(<a/*>) && 2 < 3 > 4\n#elif __has_include ( \"b\" ) \"c\"") ==
        "?a/*|?b|");
  CHECK(headers("#if __has_include(X) && 2 <3> 4").empty());
  CHECK(headers("#define A __has_include(<a>)\nb <c> d\n#if a <b> c\n#include <d\n>").empty());
  CHECK(headers("include <a>").empty());
}

TEST_CASE("digraphs mean brackets") {
  CHECK(tokens_of("<%a<:0:>%>") == "{|a|[|0|]|}|");
  CHECK(tokens_of("v<::a>") == "v|<|::|a|>|");
  CHECK(tokens_of("v<:::a:>") == "v|[|::|a|]|");
  CHECK(tokens_of("a::>") == "a|::|>|");
  CHECK(spelled("<%", read_cuda_text("<%").front()) == "<%");
}

TEST_CASE("tokens are the whole text, without gaps, and count its lines") {
  const std::string text = "#include <a>\r\n/* b\n */ c\\\nd = R\"(e\n)\" \\ \n'f\r#define g 1'0 // h\n\"";
  std::size_t at = 0;
  std::vector<int> lines;
  for (const CudaToken& token : read_cuda_text(text)) {
    CHECK(token.begin == at);
    CHECK(token.end > at);
    at = token.end;
    if (!separates(token)) lines.push_back(token.line);
  }
  CHECK(at == text.size());
  CHECK(lines == std::vector{1, 1, 1, 3, 4, 4, 6, 7, 7, 7, 7, 8});
  CHECK(read_cuda_text("").empty());
}

}  // namespace
}  // namespace kevolve
