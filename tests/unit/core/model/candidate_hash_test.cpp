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

TEST_CASE("archived addresses stay what they are") {  // keys of archives: computed on 27 November 2026
  const std::vector<std::pair<std::string, std::string>> pinned = {
      {"__global__ void f(float* x) { x[0] = 1.0f; }\n",
       "0b191ee815ec1965d023b96cd59377122e8bfe4029c81a27de1cf58ae8cdb517"},
      {"#define A(x) \\\n  (x + 1) // one\n#ifdef B\n/* two\n */ int b = 1'000;\n#endif\n",
       "973f9ede1f8b0cf6c7e2d8acd9c2e645776406df46419c28765a1deb55aeab38"},
      {"char c = '\"'; const char* s = u8\"/* // \\\" */\"; float y = 1e+5f, z = .5f, w = 0x1p-3;\n",
       "50e90e417f22cc20f852913018bfbfe02b2823e44d0ef6d3152bbb4a6260fa8e"},
      {"#include <cuda_fp16.h>\r\n#pragma unroll\r\nint a = b + +c; f<<<1, 2>>>();\r\n",
       "dda16acf9c1d12b966d5c63833362abde087b424f3134c793050e0d807d724ae"},
      {"int a \\\n = /* x */ 1; # /**/ define C \"d\"  \"e\"\n# /**/ define C \"d\"  \"e\"\n",
       "6dc92d9d1f65fda8b9fc3f9ebe4f39b2d4dcee285dc90ec00ae4c26d569157f5"},
      {"asm volatile(\"mma.sync {%0};\" : \"=r\"(d) : \"r\"(a)); const char* r = R\"(/* x */)\";\n",
       "1e29684922fb051defafe9fbee033d1e67c6e2f4c1627d19ea9731901f5b8b15"},
      {"/* open", "74d3e7af1a2ebfece973d80faae76cfb9b540b4f17c08ba97d3be02bb2ce5905"},
      {"\"open\n// x", "13d05f0f1346a5a564935b1827cae0bf44aa909aea13e76818568ece4c1394c1"},
      {"#define J(a, b) a##b\nint a[J(__LI, NE__)];\n",
       "b61239281af50dd199cd398a55c8cb6d435f7c266f341946c2c5eeefc2af523d"},
      {"// x \\ \nint a;\n", "a6d184653fdc624c3558c15e675528b9998b2b129a6209bfc11191965d14ebb5"},
  };
  for (const auto& [code, address] : pinned) {
    INFO(code);
    CHECK(candidate_hash("/*kevolve {\"idea\": \"x\", \"launches\": [1]} */\n" + code, {}) == address);
  }
  const std::string text = *read_text_file(KEVOLVE_SOURCE_DIR "/kernels/seed/sum/naive.cu");
  CHECK(candidate_hash(text, {}) == "faa3b7dda9ead5e15416fdaaf318532c747df6e14e3021f0ea8ff53247490bc9");
}

TEST_CASE("sources without a readable header and unfinished ones have an address, too") {
  for (const char* text : {"", "int x;", "/*kevolve {} */ \"open", "/*kevolve {} */ /* open",
                           "/*kevolve [] */", "/*kevolve {} */ '\\", "/*kevolve {} */ don't\n#x"}) {
    CHECK(candidate_hash(text, {}).size() == 64);
  }
}

}  // namespace
}  // namespace kevolve
