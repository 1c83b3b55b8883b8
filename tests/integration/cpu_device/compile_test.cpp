// The compile and inspect gates: what they say, what they refuse and what they keep.

#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <thread>

#include "tests/integration/cpu_device/fixture.hpp"

namespace kevolve::test {
using namespace cpu;
using namespace devices;
namespace {

Verdict refused(const Candidate& candidate, std::chrono::milliseconds deadline = std::chrono::seconds(120)) {
  const auto result = compile(candidate, deadline);
  REQUIRE_FALSE(result);
  return result.error();
}

void check(const Verdict& verdict, Outcome outcome, Gate gate, const std::string& evidence) {
  INFO(verdict.evidence);
  CHECK(verdict.outcome == outcome);
  CHECK(verdict.gate == gate);
  CHECK(contains(verdict.evidence, evidence));
}

TEST_CASE("a compile error has the candidate's line, its text and no paths") {
  const Verdict verdict =
      refused(Candidate("__global__ void f(const float* x, float* y) {\n  y[0] = xx[0];\n}\n"));
  check(verdict, Outcome::compile_error, Gate::compile,
        "candidate.cu:2: error: 'xx' was not declared in this scope");
  CHECK(contains(verdict.evidence, "    |   y[0] = xx[0];"));
  CHECK_FALSE(contains(verdict.evidence, "/"));
}

TEST_CASE("the log tells which loops became vector code") {
  const Candidate candidate(
      "__global__ void f(const float* __restrict__ x, float* __restrict__ y) {\n"
      "  for (int i = 0; i < 256; ++i) y[i] = 2.0f * x[i];\n"
      "  for (int i = 0; i < 256; ++i) y[i] += expf(y[i]);\n"
      "}\n",
      256, 1, 1);
  const std::string log = compiled(candidate).report.log;
  INFO(log);
  CHECK(contains(log, "line 2: "));
  CHECK(contains(log, "-byte vectors"));
  CHECK(contains(log, "line 3: not vectorised"));
}

TEST_CASE("a name expression that names nothing is told as the header's field") {
  Candidate candidate = doubling();
  candidate.plan.launches[0].kernel = "rows<float>";
  const Verdict verdict = refused(candidate);
  check(verdict, Outcome::compile_error, Gate::compile,
        "launches[0].kernel = 'rows<float>': 'rows' was not declared in this scope");
}

TEST_CASE("what needs a GPU is unsupported before anything is compiled") {
  check(refused(Candidate("#include <mma.h>\n__global__ void f(const float*, float*) {}")),
        Outcome::unsupported, Gate::compile, "tensor-core");
  check(refused(Candidate("__global__ void f(const float*, float*) { asm(\"syscall\"); }")),
        Outcome::unsupported, Gate::compile, "inline PTX");
}

TEST_CASE("including the machine's files leaks nothing") {
  for (const char* file : {"/etc/passwd", "/etc/hostname", "/root/.bashrc"}) {
    const Verdict verdict = refused(
        Candidate(std::string("#include \"") + file + "\"\n__global__ void f(const float*, float*) {}"));
    check(verdict, Outcome::compile_error, Gate::compile, std::string(file) + ": No such file or directory");
    CHECK_FALSE(contains(verdict.evidence, "root:"));
  }
}

TEST_CASE("an asm that the preprocessor puts together is refused, and its files are not read") {
  const Verdict verdict =
      refused(Candidate("#define P(a, b) a##b\nP(as, m)(\".incbin \\\"/etc/passwd\\\"\");\n"
                        "__global__ void f(const float*, float*) {}"));
  check(verdict, Outcome::compile_error, Gate::compile, "poisoned \"asm\"");
}

TEST_CASE("the headers that candidates include can be included") {
  std::string includes;
  const std::string folder = std::string(KEVOLVE_SOURCE_DIR) + "/core/devices/cpu/simt/include/";
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
    const std::string name = entry.path().string().substr(folder.size());
    if (entry.is_regular_file() && name.rfind("kevolve", 0) != 0) includes += "#include <" + name + ">\n";
  }
  CHECK(contains(includes, "<cuda_fp16.h>"));
  compiled(Candidate(includes + "__global__ void f(const float* x, float* y) { y[0] = x[0]; }"));
}

TEST_CASE("a template bomb meets the deadline") {
  const Candidate bomb(
      "template <int D, unsigned M> struct A { static constexpr unsigned v = A<D - 1, M * 2>::v + A<D - 1, M "
      "* 2 + "
      "1>::v; };\n"
      "template <unsigned M> struct A<0, M> { static constexpr unsigned v = M; };\n"
      "__global__ void f(const float* x, float* y) { y[0] = A<26, 1u>::v; }");
  compiled(doubling());  // the header is not part of any candidate's time
  const Verdict verdict = refused(bomb, std::chrono::milliseconds(1500));
  check(verdict, Outcome::compile_timeout, Gate::compile, "had not finished after 1500 ms");
}

TEST_CASE("the inspect gate refuses state, constructors and foreign functions by name") {
  check(refused(Candidate(
            "__device__ int counter;\n__global__ void f(const float* x, float* y) { y[0] = ++counter; }")),
        Outcome::inspect_violation, Gate::inspect, "Writable __device__ global 'counter'");
  check(refused(Candidate(
            "__device__ float first(); struct Now { float v; __device__ Now() : v(clock64() % 7) {} };\n"
            "__device__ Now now;\n__global__ void f(const float* x, float* y) { y[0] = now.v; }")),
        Outcome::inspect_violation, Gate::inspect, "when it is loaded");
  check(refused(Candidate("__global__ void f(const float* x, float* y) { float* p = new float[N]; p[0] = "
                          "x[0]; y[0] = (long)p; }")),
        Outcome::inspect_violation, Gate::inspect, "allocation in device code is forbidden");
  check(refused(Candidate("extern \"C\" int open(const char*, int, ...);\n__global__ void f(const float* x, "
                          "float* y) { y[0] = open(\"/etc/passwd\", 0); }")),
        Outcome::inspect_violation, Gate::inspect, "'open'");
}

TEST_CASE("equal programs are compiled once, and their hash tells programs apart") {
  Candidate candidate("__global__ void f(const float* x, float* y) { y[threadIdx.x] = x[threadIdx.x] + " +
                      std::to_string(::getpid()) + "; }");
  const Binary first = compiled(candidate), again = compiled(candidate);
  CHECK_FALSE(first.report.cached);
  CHECK(again.report.cached);
  CHECK(first.path == again.path);
  CHECK(first.report.binary_hash == again.report.binary_hash);
  CHECK(first.report.binary_bytes > 0);
  CHECK(compiled(doubling()).report.binary_hash != first.report.binary_hash);
  std::filesystem::remove(first.path);
}

TEST_CASE("several processes may start on an empty cache at once") {
  const CpuDeviceSettings fresh = settings("cpu-cache-" + std::to_string(::getpid()));
  std::vector<pid_t> children;
  for (int i = 0; i < 3; ++i) {
    const pid_t pid = ::fork();
    if (pid == 0) {
      auto own = open_cpu_device(fresh);
      const Candidate candidate = doubling();
      const bool fine = own && (*own)
                                   ->compile(candidate.source, candidate.plan, std::chrono::seconds(120))
                                   .value_or(tl::unexpected<Verdict>(Verdict{}))
                                   .has_value();
      ::_exit(fine ? 0 : 1);
    }
    children.push_back(pid);
  }
  for (const pid_t pid : children) {
    int status = -1;
    ::waitpid(pid, &status, 0);
    CHECK(status == 0);
  }
  std::filesystem::remove_all(fresh.cache_folder);
}

TEST_CASE("compile is thread-safe") {
  std::vector<std::thread> threads;
  std::vector<int> fine(3, 0);
  device();
  for (int i = 0; i < 3; ++i)
    threads.emplace_back([&fine, i] {
      const Candidate candidate("__global__ void f(const float* x, float* y) { y[0] = x[0] + " +
                                std::to_string(i) + "; }");
      const auto result = device().compile(candidate.source, candidate.plan, std::chrono::seconds(120));
      fine[static_cast<std::size_t>(i)] = result && *result ? 1 : 0;
    });
  for (std::thread& thread : threads) thread.join();
  CHECK(fine == std::vector<int>{1, 1, 1});
}

TEST_CASE("a device without runner, compiler or cache folder says what is missing") {
  CpuDeviceSettings wrong = settings();
  wrong.runner = "/nonexistent/kevolve-runner";
  CHECK(contains(open_cpu_device(wrong).error().message, "'/nonexistent/kevolve-runner' is missing"));
  wrong = settings();
  wrong.compiler = "no-such-compiler";
  CHECK(contains(open_cpu_device(wrong).error().message, "apt-get install g++"));
  wrong = settings();
  wrong.cache_folder = "/proc/nowhere";
  CHECK(contains(open_cpu_device(wrong).error().message, "/proc/nowhere"));
}

}  // namespace
}  // namespace kevolve::test
