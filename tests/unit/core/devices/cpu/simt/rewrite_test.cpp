#include "core/devices/cpu/simt/rewrite.hpp"

#include <algorithm>
#include <string>

#include "tests/catch.hpp"

using kevolve::simt::rewrite_for_host;

namespace {

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("rewriting leaves text without shared memory alone") {
  const std::string source =
      "// __shared__ in a comment\nconst char* s = \"__shared__ float x;\";\nint f() { return 1; }\n";
  CHECK(rewrite_for_host(source) == source);
}

TEST_CASE("a shared declaration becomes references to its names") {
  const std::string text = rewrite_for_host("void f() { __shared__ float a[4][N + 1], b; }");
  CHECK(contains(text, "struct kevolve_shared_0 {"));
  CHECK(contains(text, "float a[4][N + 1], b; };"));
  CHECK(contains(text, "auto& a = kevolve_at_0.a;"));
  CHECK(contains(text, "auto& b = kevolve_at_0.b;"));
  CHECK_FALSE(contains(text, "__shared__"));
}

TEST_CASE("types with commas, unions, attributes and pointers declare the right names") {
  CHECK(contains(rewrite_for_host("void f() { __shared__ Pair<int, float> p[3]; }"), "auto& p ="));
  CHECK(
      contains(rewrite_for_host("void f() { __shared__ union { float f[4]; int i[4]; } u; }"), "auto& u ="));
  CHECK(contains(rewrite_for_host("void f() { __shared__ __align__(16) float v[4]; }"), "auto& v ="));
  CHECK(contains(rewrite_for_host("void f() { static __shared__ volatile int w; }"), "auto& w ="));
  CHECK(contains(rewrite_for_host("void f() { alignas(16) __shared__ float q[4], *r; }"), "auto& r ="));
  CHECK(contains(rewrite_for_host("void f() { __shared__ float (*rows)[4]; }"), "auto& rows ="));
}

TEST_CASE("dynamic shared memory loses its alignment and keeps its element type") {
  const std::string text =
      rewrite_for_host("void f() { extern __shared__ __align__(16) unsigned char raw[]; }");
  CHECK(contains(text, "unsigned char kevolve_dynamic_0[];"));
  CHECK(contains(text, "auto& raw = ::kevolve::simt::dynamic_shared<kevolve_dynamic_0>();"));
  CHECK_FALSE(contains(text, "__align__"));
}

TEST_CASE("names at file scope reach the functions that use them, and no others") {
  const std::string text = rewrite_for_host(
      "extern __shared__ float pool[];\n__shared__ int flag;\nnamespace n {\nstruct S { int x; };\n"
      "template <class T> __global__ void g(T* y) { y[0] = pool[0] + flag; }\n}\nvoid h() { int x = 0; }\n");
  CHECK(contains(text, "void g(T* y) { auto& pool = ::kevolve"));
  CHECK(contains(text, "auto& flag = ::kevolve"));
  CHECK(contains(text, "void h() { int x = 0; }"));
}

TEST_CASE("macros that hold a whole declaration are rewritten") {
  const std::string text =
      rewrite_for_host("#define TILE(T, name) __shared__ T name[32]; \\\n  int twice\nvoid f() {}\n");
  CHECK(contains(text, "auto& name = kevolve_at_0.name;"));
}

TEST_CASE("rewriting keeps the number of lines before every token") {
  const std::string source =
      "void f() {\n  __shared__\n    float a[4],\n    b;\n  extern __shared__\n float c[];\n}\nint last;\n";
  const std::string text = rewrite_for_host(source);
  const auto line_of = [](const std::string& s, const char* what) {
    return std::count(s.begin(), s.begin() + static_cast<std::ptrdiff_t>(s.find(what)), '\n');
  };
  CHECK(line_of(text, "int last") == line_of(source, "int last"));
  CHECK(line_of(text, "b;") == line_of(source, "b;"));
}

TEST_CASE("a constant table has one const") {
  CHECK(rewrite_for_host("__constant__ const float t[2] = {1, 2};") == " const float t[2] = {1, 2};");
  CHECK(rewrite_for_host("__constant__ float t[2] = {1, 2};") == "__constant__ float t[2] = {1, 2};");
}

TEST_CASE("words across lines are words, and lines keep their numbers") {
  CHECK(contains(rewrite_for_host("void f() { __sha\\\nred__ float a[4]; }"), "auto& a = "));
  CHECK(contains(rewrite_for_host("void f() { __sha\\\nred__ float a[4]; }"), "{ \\\n float a[4]; }"));
  CHECK(contains(rewrite_for_host("#define S __sh\\\nared__ float a[4];\n"), "auto& a = "));
  CHECK(contains(rewrite_for_host("#define S\\\n(b) __shared__ float a[b];\n"), "(b) struct "));
  CHECK(contains(rewrite_for_host("void f() <% __shared__ float a<:4:>; %>"), "auto& a = "));
  const std::string commented = "/* x \n*/ #define S 1 // __shared__ int a;\n";
  CHECK(rewrite_for_host(commented) == commented);
}

TEST_CASE("attributes end with their own brackets") {
  const std::string text = "void f() { [[maybe_unused(\"]]\", a[b[0]])]] __shared__ float c; }";
  CHECK(contains(rewrite_for_host(text), "auto& c = "));
}

TEST_CASE("foreign text never breaks the rewriter") {
  for (const char* text : {"__shared__",
                           "__shared__ float",
                           "__shared__ ;",
                           "{ __shared__ }",
                           "extern __shared__",
                           "#define",
                           "#define __shared__",
                           "#define X __shared__",
                           "#define F(",
                           "R\"(",
                           "R\"x(__shared__ a;",
                           "\"open",
                           "'",
                           "/*",
                           "[[",
                           "__constant__",
                           "__shared__ alignas(",
                           "__shared__ float (",
                           "extern",
                           "void f() { extern {",
                           "}}}} __shared__ int x; {{{",
                           "extern __shared__ alignas"}) {
    CAPTURE(text);
    CHECK(rewrite_for_host(text).size() + 64 > std::string(text).size());
  }
}
