#include "core/gates/policy.hpp"

#include "core/gates/source_text.hpp"
#include "tests/catch.hpp"

namespace kevolve {
using namespace gates;
namespace {

using Catch::Matchers::ContainsSubstring;

/// What the first violation is about, or "" when there is none.
std::string refused(const std::string& source) {
  const auto violations = policy_violations(source);
  return violations.empty() ? "" : violations.front().what;
}

std::string in_kernel(const std::string& statement) {
  return "__global__ void k(float* y) {\n" + statement + "\n}\n";
}

}  // namespace

TEST_CASE("honest kernels of varied style pass") {
  const std::string source = GENERATE(
      std::string(R"(/*kevolve {"idea": "printf malloc <<<"} */
#include <cuda_fp16.h>
#include "cuda_runtime.h"
#include <cooperative_groups/reduce.h>
#include <cuda/std/limits>
namespace cg = cooperative_groups;
#define DEVICE __device__ __forceinline__
#define CEIL(a, b) (((a) + (b)-1) / (b))
#define LOOP(i, n) \
  for (int i = 0; i < (n); ++i)
constexpr int kVec = 4;
static constexpr float kTable[3] = {1, 2, 3};
__device__ const float lut[2] = {0.5f, 1.5f};
__constant__ float unused;
template <typename T, int N> struct alignas(16) Vec { T v[N]; DEVICE T& operator[](int i) { return v[i]; } };
enum class Mode { a, b };
struct NoCopy { NoCopy(const NoCopy&) = delete; static __device__ int size() { return 3; } };
extern __shared__ float dynamic[];
DEVICE float square(float x) { return x * x; }
template <int B> __global__ void __launch_bounds__(B, 2) rows(const float* __restrict__ x, float* y) {
  static __shared__ float tile[B];
  __shared__ __align__(16) float more[32];
#pragma unroll 4
  LOOP(i, 3) tile[i] = square(x[i]);
  // a comment with malloc( and new and printf("")
  const char* text = "cudaMalloc(";
  y[0] = 1'000 + 0x1p-3f + tile[0] >> 3;
})"),
      std::string(R"(extern "C" __global__ void k(float* y) { asm volatile("bar.sync 0;"); y[0] = 'a'; })"),
      std::string(R"(namespace detail { namespace inner {
__device__ inline float f(float x) { auto g = [](float a) { return a; }; return g(x); }
} }
extern "C" { __global__ void k(float* y) { *y = detail::inner::f(1.f); } })"),
      std::string(R"(#define MAKE(name, op) __global__ void name(float* y) { y[0] op 1; }
MAKE(add, +=)
MAKE(sub, -=);
__global__ void last(float* y) { struct { float a, b; } pair = {1, 2}; y[0] = pair.a; })"));
  for (const auto& violation : policy_violations(source)) {
    FAIL(violation.line << ": " << violation.what << ": " << violation.why);
  }
}

TEST_CASE("each thing that no candidate may do is refused") {
  struct Case {
    const char* source;
    const char* what;
  };
  const Case at_file_scope = GENERATE(
      Case{"#include \"/etc/passwd\"\n", "#include"}, Case{"#include <vector>\n", "#include"},
      Case{"#include <cuda/std/../../x>\n", "#include"},
      Case{"#define H <cuda.h>\n#include H\n", "#include H"},
      Case{"#inc\\\nlude \"/etc/passwd\"\n", "#include"},
      Case{"# /* x */ include \"secret.h\"\n", "secret.h"}, Case{"#embed \"/etc/passwd\"\n", "#embed"},
      Case{"#include_next <cuda.h>\n", "#include_next"},
      Case{"#pragma GCC optimize(\"O0\")\n", "#pragma GCC"},
      Case{"#if __has_include(<x>)\n#endif\n", "__has_include"}, Case{"%:include \"/etc/passwd\"\n", "%:"},
      Case{"?\?=include \"/etc/passwd\"\n", "trigraph"}, Case{"#define PASTE(a, b) a##b\n", "##"},
      Case{"int main(int, char**) { return 0; }\n", "main"},
      Case{"__device__ float state;\n", "writable global"},
      Case{"__device__ float state[4] = {1, 2};\n", "writable global"},
      Case{"static int counter = 0;\n", "writable global"},
      Case{"namespace n { float kept; }\n", "writable global"},
      Case{"__device__ __align__(16) float state[4];\n", "writable global"},
      Case{"struct S { int a; } instance;\n", "writable global"}, Case{"__managed__ int x;\n", "__managed__"},
      Case{"void host() { }\n", "declaration that starts with `void`"},
      Case{"extern \"C\" int open(const char*, int);\n", "declaration that starts with `extern`"},
      Case{"__attribute__((constructor)) __device__ void f() {}\n", "constructor"},
      Case{"__attribute__((optimize(\"Ofast\"))) __device__ void f() {}\n", "optimize"},
      Case{"[[gnu::section(\"x\")]] __device__ void f() {}\n", "section"},
      Case{"asm(\".incbin \\\"/etc/passwd\\\"\");\n", ".incbin"}, Case{"/* never closed\n", "never ends"},
      Case{"// note \\ \nasm(\"x\");\n", "backslash with blanks"},
      Case{"// note \rasm(\"x\");\n", "carriage return"},
      Case{"#if __has_include(</*>)\n#endif\nint x;\n#if __has_include(<*/>)\n#endif\n", "header's name"},
      Case{"#if 0\n1'0 /* '\nint x;\n*/\n#endif\n", "digit separator"},
      Case{"#if 0\nR\"(x)\\\n\" /* )\"\n#endif\n", "raw string"},
      Case{"static const int x = 0; /*\n*/ #pragma GCC optimize(3)\n", "'#' behind a comment"});
  CAPTURE(at_file_scope.source);
  CHECK_THAT(refused(at_file_scope.source), ContainsSubstring(at_file_scope.what));
}

TEST_CASE("statements that no kernel may hold are refused") {
  struct Case {
    const char* statement;
    const char* what;
  };
  const Case c = GENERATE(
      Case{"k2<<<1, 1>>>(y);", "<<<"}, Case{"void* p = malloc(4);", "malloc"},
      Case{"mal\\\nloc(4);", "malloc"}, Case{"float* p = new float[4];", "new"}, Case{"delete y;", "delete"},
      Case{"free(y);", "free"}, Case{"printf(\"x\");", "printf"}, Case{"cudaMalloc(&y, 4);", "cudaMalloc"},
      Case{"cudaStreamSetAttribute(0, 0, 0);", "cudaStream"}, Case{"std::thread t;", "std::thread"},
      Case{"system(\"ls\");", "system"}, Case{"static int calls = 0;", "static"},
      Case{"static float seen;", "static"}, Case{"if (y) <% static float seen; %>", "static"},
      Case{"mal\\\n\\\nloc(4);", "malloc"}, Case{"ma\\\v\nlloc(4);", "backslash with blanks"},
      Case{"asm volatile(\"createpolicy.fractional.L2::evict_last.b64 %0;\" : \"=l\"(p));", "evict_last"},
      Case{"_Pragma(\"GCC optimize\")", "GCC"}, Case{"thread_local int x = 0;", "thread_local"},
      Case{"const char* f = __FILE__;", "__FILE__"}, Case{"kevolve_simt_block.poison;", "kevolve_simt_block"},
      Case{"long long t = clock64();", "clock64"}, Case{"threadIdx.x = 3;", "writing to `threadIdx`"},
      Case{"blockIdx.y += 1;", "writing to `blockIdx`"});
  CAPTURE(c.statement);
  CHECK_THAT(refused(in_kernel(c.statement)), ContainsSubstring(c.what));
}

TEST_CASE("a violation names its line, why, and what to do") {
  const auto verdict = check_policy("// one\n/* two\nthree */\n__global__ void k() { printf(\"x\"); }\n");
  REQUIRE(verdict);
  CHECK(verdict->outcome == Outcome::policy_violation);
  CHECK(verdict->gate == Gate::policy);
  CHECK(verdict->evidence ==
        "Line 4: `printf` is refused: a candidate has no output but its output tensors; remove it.");
}

TEST_CASE("lines are counted through splices, comments and raw strings") {
  const SourceText text = read_source("a \\\nb /* x\n */ c R\"(q\n)\" d\n#define X \\\n  1\ne");
  REQUIRE(text.tokens.size() == 6);
  CHECK(text.tokens[1].line == 2);
  CHECK(text.tokens[2].line == 3);
  CHECK(text.tokens[3].text == "q\n");
  CHECK(text.tokens[4].line == 4);
  CHECK(text.directives.at(0).line == 5);
  CHECK(text.directives.at(0).rest == "X 1");
  CHECK(text.tokens[5].line == 7);
}

}  // namespace kevolve
