// Sources that must be refused: at which gate, and with what evidence.

#include "tests/integration/cuda/compiler.hpp"

namespace kevolve {
namespace {

/// The source must be refused at `gate` with evidence that contains `part`; returns the evidence.
std::string refused(Compiler& compile, const std::string& source, Outcome outcome, const std::string& part,
                    const std::vector<std::string>& kernels = {"k"}) {
  const auto binary = compile(source, kernels);
  INFO(source);
  REQUIRE_FALSE(binary);
  const auto& verdict = binary.error();
  INFO(verdict.evidence);
  CHECK(verdict.outcome == outcome);
  CHECK(verdict.gate == (outcome == Outcome::inspect_violation ? Gate::inspect : Gate::compile));
  CHECK(contains(verdict.evidence, part));
  CHECK(verdict.evidence.size() <= 4096);
  return verdict.evidence;
}

}  // namespace

TEST_CASE("compile errors carry the candidate's own lines") {
  Compiler compile;
  refused(compile, "// one\n__global__ void k(float* y) {\n  y[0] = zz;\n}\n", Outcome::compile_error,
          "candidate.cu(3): error: identifier \"zz\" is undefined");
  refused(compile, "__global__ void k(float* y) { y[0] = foreign(1); }\n", Outcome::compile_error,
          "\"foreign\"");
  refused(compile,
          "extern \"C\" __device__ int foreign(int); __global__ void k(int* y) { y[0] = foreign(3); }",
          Outcome::compile_error, "Unresolved extern function 'foreign'");
}

TEST_CASE("a launch's kernel that is none is told as that launch") {
  Compiler compile;
  const std::string source =
      "template <int N> __global__ void rows(float* y) { y[0] = N; }\n"
      "__global__ void plain(float* y) { y[0] = 1; }\n"
      "__device__ float helper(float x) { return x; }\n";
  refused(compile, source, Outcome::compile_error, "launches[1].kernel is \"plan\"", {"plain", "plan"});
  refused(compile, source, Outcome::compile_error, "Kernels of the source: rows, plain.", {"nothing"});
  refused(compile, source, Outcome::compile_error, "launches[0].kernel is \"rows\"", {"rows"});
  refused(compile, source, Outcome::compile_error, "non-__global__ function", {"helper"});
  refused(compile, source + "__constant__ float table[4];", Outcome::inspect_violation,
          "A launch names 'table'", {"table"});
}

TEST_CASE("a file of the machine never reaches the evidence") {
  ::setenv("KEVOLVE_TEST_SECRET", "xyzzy", 1);
  Compiler compile;
  for (const char* path : {"/etc/passwd", "/etc/hostname", "/proc/self/environ",
                           KEVOLVE_SOURCE_DIR "/README.md", KEVOLVE_SOURCE_DIR "/CMakeLists.txt"}) {
    const auto evidence =
        refused(compile, std::string("#include \"") + path + "\"\n__global__ void k(int* y) {}\n",
                Outcome::compile_error, "");
    CHECK_FALSE(contains(evidence, "root:"));
    CHECK_FALSE(contains(evidence, "kevolve VERSION"));
    CHECK_FALSE(contains(evidence, "xyzzy"));
  }
}

TEST_CASE("a template bomb is killed at its deadline") {
  Compiler compile;
  const std::string bomb =
      "template <int N, int M> struct Bomb { static constexpr int v = Bomb<N - 1, M * 2>::v + Bomb<N - 1, M "
      "* 2 + 1>::v; };\n"
      "template <int M> struct Bomb<0, M> { static constexpr int v = M; };\n"
      "__global__ void k(int* y) { y[0] = Bomb<26, 1>::v; }\n";
  const auto begun = std::chrono::steady_clock::now();
  const auto binary = compile(bomb, {"k"}, std::chrono::milliseconds(1500));
  REQUIRE_FALSE(binary);
  CHECK(binary.error().outcome == Outcome::compile_timeout);
  CHECK(contains(binary.error().evidence, "within 1.5 s"));
  // Killed and gone, rather than waited for: the bomb itself takes minutes.
  CHECK(std::chrono::steady_clock::now() - begun < std::chrono::seconds(60));
}

TEST_CASE("writable globals are found in the binary, however they are declared") {
  Compiler compile;
  for (const char* source : {
           "__device__ int g; __global__ void k(int* y) { g += y[0]; y[1] = g; }",
           "__device__ int g = 7; __global__ void k(int* y) { g += y[0]; y[1] = g; }",
           "__managed__ int g; __global__ void k(int* y) { g += y[0]; y[1] = g; }",
           "namespace { __device__ int g; } __global__ void k(int* y) { g += y[0]; y[1] = g; }",
           "__global__ void k(int* y) { static int g; g += y[0]; y[1] = g; }",
           "#define JOIN(a, b) a##b\nJOIN(__dev, ice__) int g; __global__ void k(int* y) { y[1] = ++g; }",
           "int g; __global__ void k(int* y) { g += y[0]; y[1] = g; }",
       })
    refused(compile, source, Outcome::inspect_violation, "g' (4 bytes), a global variable");
  refused(
      compile,
      "__global__ void k(int* y) { asm volatile(\"{ .global .u32 hidden; st.global.u32 [hidden], 5; }\"); }",
      Outcome::inspect_violation, "hidden");
}

TEST_CASE("constant tables are fine, and tables in writable memory are refused with the remedy") {
  Compiler compile;
  CHECK(
      compile("__constant__ float table[4] = {1, 2, 3, 4}; __global__ void k(float* y) { y[0] = "
              "table[(int)y[1]]; }"));
  CHECK(
      compile("constexpr int kTile = 4; constexpr float kTable[2] = {1, 2}; __device__ int unused;\n"
              "__global__ void k(float* y) { y[kTile] = kTable[1]; }"));
  refused(compile,
          "__device__ const float table[4] = {1, 2, 3, 4}; __global__ void k(float* y) { y[0] = "
          "table[(int)y[1]]; }",
          Outcome::inspect_violation, "belongs in __constant__ memory");
}

TEST_CASE("the tables of CUDA's trigonometry cannot be borrowed for a cache") {
  Compiler compile;
  refused(compile,
          "__device__ unsigned __cudart_i2opi_f[6]; __global__ void k(unsigned* y) { y[0] = "
          "__cudart_i2opi_f[1]++; }",
          Outcome::compile_error, "__cudart_i2opi_f");
  refused(compile,
          "namespace n { extern \"C\" { __device__ unsigned __cudart_i2opi_f[6] = {0x3c439041, 0xdb629599, "
          "0xf534ddc0, "
          "0xfc2757d1, 0x4e441529, 0xa2f9836e}; } }\n"
          "__global__ void k(unsigned* y) { y[0] = n::__cudart_i2opi_f[1]++; }",
          Outcome::compile_error, "__cudart_i2opi_f");
  refused(compile,
          "namespace n { __device__ unsigned __cudart_i2opi_f[6] = {0x3c439041, 0xdb629599, 0xf534ddc0, "
          "0xfc2757d1, 0x4e441529, 0xa2f9836e}; }\n"
          "__global__ void k(unsigned* y) { y[0] = n::__cudart_i2opi_f[1]++; }",
          Outcome::inspect_violation, "__cudart_i2opi_f");
}

TEST_CASE("kernels may not print, allocate or launch") {
  Compiler compile;
  refused(compile, "__global__ void k(int* y) { printf(\"%d\", y[0]); }", Outcome::inspect_violation,
          "Remove printf");
  refused(compile, "__global__ void k(int** y) { y[0] = (int*)malloc(8); }", Outcome::inspect_violation,
          "`scratch`");
  refused(compile, "__global__ void k(int** y) { y[0] = new int[8]; }", Outcome::inspect_violation,
          "`scratch`");
  refused(compile, "__global__ void c(int* y) {} __global__ void k(int* y) { c<<<1, 1>>>(y); }",
          Outcome::compile_error, "kernel launch");
}

}  // namespace kevolve
