#include "llm_client/replies/code_text.hpp"

#include "tests/catch.hpp"

using namespace kevolve;
using namespace kevolve::llm;

TEST_CASE("the shape of code ignores comments, literals and directives") {
  const CodeShape shape = shape_of(
      "// {\n/* { */ __global__ void f() { char c = '{'; const char* s = \"{\\\"{\"; int n = 1'000; }\n");
  CHECK(shape.open_braces == 0);
  CHECK(shape.has_kernel);
  CHECK_FALSE(shape.inside_comment);
  CHECK(shape_of("void f() { if (x) {").open_braces == 2);
  CHECK(shape_of("/* __global__").inside_comment);
  CHECK_FALSE(shape_of("// __global__").has_kernel);
}

TEST_CASE("code ends behind its last top-level brace or directive") {
  const auto cut = [](std::string text) {
    text.resize(shape_of(text).code_end);
    return text;
  };
  CHECK(cut("void f() {}\nIt works.") == "void f() {}");
  CHECK(cut("struct S { int a; };\nThat's it.") == "struct S { int a; };");
  CHECK(cut("#if A\nvoid f() {}\n#endif\nDone.") == "#if A\nvoid f() {}\n#endif");
  CHECK(cut("#define F(x) \\\n  (x)\nDone.") == "#define F(x) \\\n  (x)");
  CHECK(cut("/* a */ #define B {\n/* c */ d").size() == 19);
  CHECK(cut("#define F /* x\n */ 1\nDone.") == "#define F /* x\n */ 1");
  CHECK(cut("void f() { R\"(}\n)\"; }\nDone.") == "void f() { R\"(}\n)\"; }");
  CHECK(cut("no code").empty());
}

TEST_CASE("markers") {
  CHECK(next_marker("a /*kevolve {", 0)->begin == 2);
  CHECK(next_marker("/*kevolve {", 0)->json == 10);
  CHECK(next_marker("/*** Kevolve:\n\n{", 0));
  CHECK_FALSE(next_marker("/*kevolve header", 0));
  CHECK_FALSE(next_marker("/* kevolv {", 0));
  CHECK_FALSE(next_marker("/*", 0));
  CHECK_FALSE(next_marker("/*kevolve", 0));
}
