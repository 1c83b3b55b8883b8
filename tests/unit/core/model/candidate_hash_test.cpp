#include "core/model/candidate.hpp"
#include "tests/catch.hpp"
#include "tests/unit/core/model/fixtures.hpp"

namespace kevolve {
namespace {

std::string hash(std::string_view code) {
  return candidate_hash(fixture::source(fixture::header(), code), {});
}

TEST_CASE("what cannot change the kernel does not change its address") {
  const std::string plain = hash("__global__ void f(int a) { g(a, 1); }\n");
  CHECK(hash("__global__ void f(int a) {\n\n  g(a,\t1); // note\n}") == plain);
  CHECK(hash("/* why */ __global__ void f(int a) /* x\n */ { g(a, 1); }\n") == plain);
  CHECK(hash("__global__ void \\\n f(int a) { g(a, 1); }\n") == plain);
  CHECK(hash("#define A 1\nint x;") == hash("#define  A\t1 // one\n\n  int x;"));

  Json header = fixture::header();
  header["idea"] = "Other words.";
  header["playbook"] = {{"evidence", "x"}};
  const std::string code = "__global__ void f() {}";
  CHECK(candidate_hash(fixture::source(header, code), {}) == hash(code));
  CHECK(candidate_hash("/*kevolve " + header.dump() + "*/" + code, {}) == hash(code));
}

TEST_CASE("what can change the kernel changes its address") {
  const std::vector<std::pair<std::string_view, std::string_view>> pairs = {
      {"int a = b + +c;", "int a = b ++c;"},
      {"f(\"a  b\");", "f(\"a b\");"},
      {"f(\"// a\");", "f(\"\");"},
      {"f(\"\\\"/* a */\");", "f(\"\\\"\");"},
      {"c = '\"'; /* a */ d = '\"';", "c = '\"';  b  d = '\"';"},
      {"c = '\"'; d(\"/*\");", "c = '\"'; d(\"\");"},
      {"x = 1'000; // '\ny();", "x = 1'000; y2();"},
      {"#define A 1\nint x;", "#define A 1 int x;"},
      {"int x;\n#define A 1\n", "int x; #define A 1\n"},
      {"#define A \\\n 1\nint x;", "#define A\n1 int x;"},
      {"// note \\\nf();", "// note\nf();"},
      {"// note \\ \nf();", "f();"},
      {"int a[__LINE__];", "\nint a[__LINE__];"},
      {"#define P(a, b) a##b\nint a[P(__LI, NE__)];", "\n#define P(a, b) a##b\nint a[P(__LI, NE__)];"},
      {"f(R\"(a\n b)\");", "f(R\"(a b)\");"},
      {"%:define A 1\nint x;", "%:define A 1 int x;"},
  };
  for (const auto& [one, other] : pairs) {
    INFO(one);
    CHECK(hash(one) != hash(other));
  }
  Json header = fixture::header();
  header["launches"][0]["grid"][0] = "B + 1";
  CHECK(candidate_hash(fixture::source(header), {}) !=
        candidate_hash(fixture::source(fixture::header()), {}));
}

TEST_CASE("tunables are part of the address") {
  const std::string source = fixture::source(fixture::header());
  const std::string none = candidate_hash(source, {});
  const std::string one = candidate_hash(source, {{"BLOCK", 32}, {"VEC", 1}});
  CHECK(none != one);
  CHECK(one != candidate_hash(source, {{"BLOCK", 32}, {"VEC", 4}}));
  CHECK(one == candidate_hash(source, {{"VEC", 1}, {"BLOCK", 32}}));
}

TEST_CASE("sources without a readable header and unfinished ones have an address, too") {
  for (const char* text : {"", "int x;", "/*kevolve {} */ \"open", "/*kevolve {} */ /* open",
                           "/*kevolve [] */", "/*kevolve {} */ '\\", "/*kevolve {} */ don't\n#x"}) {
    CHECK(candidate_hash(text, {}).size() == 64);
  }
}

}  // namespace
}  // namespace kevolve
