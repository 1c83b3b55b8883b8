// Faults of every kind: each must become a verdict that names what was touched, by whom.

#include <stdlib.h>

#include <filesystem>

#include "core/process/command.hpp"
#include "tests/integration/cpu_device/fixture.hpp"

namespace kevolve::test {
using namespace devices;
using namespace process;
namespace {

/// What becomes of `body` in a kernel over x and y of `elements`.
Verdict fault(const std::string& body, Placement placement = Placement::flush_right,
              std::int64_t elements = 256) {
  Running running(Candidate("__global__ void f(const float* x, float* y) {\n  int i = blockIdx.x * "
                            "blockDim.x + threadIdx.x;\n  " +
                                body + "\n}\n",
                            elements),
                  placement);
  const Verdict verdict = running.run();
  CHECK_FALSE(verdict.passed());
  return verdict;
}

void check(const Verdict& verdict, Outcome outcome, const std::string& evidence) {
  INFO(verdict.evidence);
  CHECK(verdict.outcome == outcome);
  CHECK(contains(verdict.evidence, evidence));
}

TEST_CASE("a write to an input is an illegal access that names it") {
  check(fault("y[i] = 1; if (i == 77) ((float*)x)[i] = 0;"), Outcome::illegal_access,
        "Write to the read-only input 'x': element [77] of 256 (f32), by thread (77, 0, 0) of block (0, 0, "
        "0) in "
        "kernel 'f'.");
}

TEST_CASE("one past the end is caught flush right, one before the start flush left") {
  check(
      fault("y[i] = x[i + 1];"), Outcome::illegal_access,
      "Read past the end of input 'x': element [256] of 256 (f32), by thread (127, 0, 0) of block (1, 0, 0)");
  check(fault("y[i + 1] = x[i];"), Outcome::illegal_access,
        "Write past the end of output 'y': element [256] of 256 (f32)");
  check(fault("y[i] = x[i - 1];", Placement::flush_left), Outcome::illegal_access,
        "Read before the start of input 'x': element [-1] of 256 (f32), by thread (0, 0, 0) of block (0, 0, "
        "0)");
  check(fault("y[i - 1] = x[i];", Placement::flush_left), Outcome::illegal_access,
        "Write before the start of output 'y': element [-1]");
}

TEST_CASE("far misses are still told with the buffer's name") {
  check(fault("y[i + 1000000] = x[i];"), Outcome::illegal_access,
        "past the end of output 'y': element [1000");  // of either block
}

TEST_CASE("null and wild pointers") {
  check(fault("y[i] = *(const float*)0;"), Outcome::illegal_access,
        "Read through a null pointer (address 0x0)");
  check(fault("float* p = (float*)(long long)(x[0] - 1); p[2] = i; y[i] = 1;"), Outcome::illegal_access,
        "Write through a null pointer (address 0x8)");
  check(fault("float* p = (float*)0x123456789000; y[i] = p[i];"), Outcome::illegal_access,
        "Read through a wild pointer: address 0x123456789");  // of either block
  check(fault("float* p = (float*)0x7eadbeefdeadbeef; y[i] = p[i];"), Outcome::illegal_access,
        "wild pointer");
}

TEST_CASE("traps, failed asserts and divisions by zero are crashes") {
  check(fault("if (i == 5) __trap(); y[i] = x[i];"), Outcome::crash, "(5, 0, 0)");
  check(fault("y[i] = (float)(i / (int)(x[0] - 1));"), Outcome::crash, "Integer division by zero");
}

TEST_CASE("stack overflow is a crash that says so") {
  check(fault("volatile float big[4 << 20]; for (int k = 0; k < (4 << 20); k += 64) big[k] = x[i]; y[i] = "
              "big[64];"),
        Outcome::crash, "Stack overflow");
  Running running(Candidate(
      "__device__ float deep(const float* x, int n) { volatile float keep[64]; keep[n & 63] = x[0];\n"
      "  return n < 0 ? 0 : deep(x, n + 1) + keep[n & 63]; }\n"
      "__global__ void f(const float* x, float* y) { y[threadIdx.x] = deep(x, (int)x[0]); }"));
  check(running.run(), Outcome::crash, "Stack overflow");
}

TEST_CASE("dynamic shared memory ends at a guard") {
  Candidate candidate(
      "__global__ void f(const float* x, float* y) { extern __shared__ float s[]; s[threadIdx.x + 1] = "
      "1; y[threadIdx.x] = s[0]; }");
  candidate.plan.launches[0].shared_bytes = 512;
  Running running(candidate);
  check(running.run(), Outcome::illegal_access,
        "Write outside the block's shared memory, by thread (127, 0, 0)");
}

TEST_CASE("after a fault the runner is dead and a fresh one works") {
  Running running(
      Candidate("__global__ void f(const float* x, float* y) { y[threadIdx.x + (1 << 20)] = x[0]; }"));
  CHECK(running.run().outcome == Outcome::illegal_access);
  CHECK_FALSE(running.runner->run(running.set, {}));
  CHECK_FALSE(running.runner->bind(running.buffers));
  Running next(doubling());
  CHECK(next.run().passed());
}

/// Compiles past the gates of the device: what a candidate could do if they failed.
Binary smuggled(const std::string& body) {
  char name[] = "/tmp/kevolve_smuggled_XXXXXX";
  const std::filesystem::path folder = ::mkdtemp(name);
  const std::string library = (folder / "smuggled.so").string();
  const std::string headers = std::string(KEVOLVE_SOURCE_DIR) + "/core/devices/cpu/simt/include";
  const std::string unit =
      "#include <kevolve_simt.hpp>\nextern \"C\" { long syscall(long, ...); int mprotect(void*, unsigned "
      "long, int);\n"
      "void* malloc(unsigned long); }\n__global__ void f(const float* x, float* y) { " +
      body + " }\nKEVOLVE_SIMT_ENTRY(0, f)\n";
  const auto result = run_command({"g++", "-std=c++20", "-O1", "-shared", "-fPIC", "-ftls-model=initial-exec",
                                   "-I", headers, "-I", KEVOLVE_SOURCE_DIR, "-x", "c++", "-", "-o", library},
                                  unit, {});
  REQUIRE(result);
  INFO(result->err);
  REQUIRE(result->exit_code == 0);
  return {library, {}};
}

Verdict smuggle(const std::string& body) {
  const Binary binary = smuggled(body);
  Running running(doubling(), binary);
  const Verdict verdict = running.run({.deadline = std::chrono::seconds(20)});
  std::filesystem::remove_all(std::filesystem::path(binary.path).parent_path());
  INFO(verdict.evidence);
  return verdict;
}

TEST_CASE("system calls end the runner, whatever the gates overlooked") {
  for (const int call : {2 /* open */, 257 /* openat */, 41 /* socket */, 56 /* clone */, 57 /* fork */,
                         59 /* execve */, 62 /* kill */, 101 /* ptrace */, 1 /* write */,
                         13 /* rt_sigaction */, 157 /* prctl */, 425 /* io_uring_setup */}) {
    check(smuggle("syscall(" + std::to_string(call) + ", 0, 0, 0, 0, 0);"), Outcome::crash,
          "Forbidden system call number " + std::to_string(call) + ", by thread (0, 0, 0)");
  }
}

TEST_CASE("memory cannot be made executable or accessible") {
  check(smuggle("syscall(9, 0, 4096, 7, 0x22, -1, 0);"), Outcome::crash, "Forbidden system call number 9");
  check(smuggle("if (mprotect((void*)((unsigned long)x & ~4095ul), 4096, 3) != 0) __trap();"), Outcome::crash,
        "");
}

TEST_CASE("memory is limited") {
  check(smuggle("for (int k = 0; k < 1000; ++k) { char* p = (char*)malloc(100ul << 20); if (!p) __trap(); "
                "p[0] = 1; }"),
        Outcome::crash, "trap");
}

}  // namespace
}  // namespace kevolve::test
