#include "core/devices/cuda/diagnostics.hpp"

#include "tests/catch.hpp"

namespace kevolve {
using namespace cuda;
namespace {

LaunchPlan plan_of(const std::vector<std::string>& kernels) {
  LaunchPlan plan;
  for (const auto& kernel : kernels) {
    PlannedLaunch launch;
    launch.kernel = kernel;
    plan.launches.push_back(launch);
  }
  return plan;
}

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

constexpr const char* kUndefined =
    "candidate.cu(7): error: identifier \"zz\" is undefined\n"
    "  y[0] = zz;\n"
    "         ^\n\n";
constexpr const char* kNameErrors =
    "__nv_name_map(4): error: identifier \"b\" is undefined\n"
    "  #pragma nv_mangled_name b\n"
    "                          ^\n\n"
    "__nv_name_map(4): error: Error in parsing name expression for lowered name lookup. Input name "
    "expression was: "
    "\" b\"\n  #pragma nv_mangled_name b\n                          ^\n\n"
    "2 errors detected in the compilation of \"candidate.cu\".\n";

}  // namespace

TEST_CASE("errors keep the candidate's line and text, warnings are left out") {
  const std::string warning =
      "candidate.cu(1): warning #177-D: variable \"z\" was declared but never referenced\n\n";
  const auto evidence = compile_evidence(warning + kUndefined, "", plan_of({"k"}), "/opt/cuda");
  CHECK(contains(evidence, "candidate.cu(7): error: identifier \"zz\" is undefined\n  y[0] = zz;"));
  CHECK_FALSE(contains(evidence, "warning"));
  CHECK(compile_warnings(warning + kUndefined) == warning.substr(0, warning.size() - 1));
}

TEST_CASE("a name expression that is no kernel is told as the launch that asks for it") {
  const auto evidence =
      compile_evidence(kNameErrors, "__global__ void __launch_bounds__(256, 2) rows(float* y) {}",
                       plan_of({"rows", "b"}), "/opt/cuda");
  CHECK(contains(evidence, "launches[1].kernel is \"b\""));
  CHECK(contains(evidence, "identifier \"b\" is undefined"));
  CHECK(contains(evidence, "Kernels of the source: rows."));
  CHECK_FALSE(contains(evidence, "lowered name lookup"));
}

TEST_CASE("errors of the source go before name expressions, which fail because of them") {
  const auto evidence =
      compile_evidence(std::string(kUndefined) + kNameErrors, "", plan_of({"b"}), "/opt/cuda");
  CHECK(contains(evidence, "zz"));
  CHECK_FALSE(contains(evidence, "launches[0]"));
}

TEST_CASE("errors of ptxas count, and paths of the toolkit are shortened") {
  CHECK(contains(
      compile_evidence("ptxas fatal   : Unresolved extern function 'foreign'\n", "", {}, "/opt/cuda"),
      "Unresolved extern function 'foreign'"));
  CHECK(contains(compile_evidence("/opt/cuda/include/mma.h(3): error: no\n", "", {}, "/opt/cuda"),
                 "<cuda>/include/mma.h(3): error: no"));
}

TEST_CASE("evidence stays below 4 KiB and says how much it leaves out") {
  std::string log;
  for (int i = 0; i < 500; ++i) log += kUndefined;
  const auto evidence = compile_evidence(log, "", {}, "/opt/cuda");
  CHECK(evidence.size() <= 4096);
  CHECK(contains(evidence, "more errors"));
  const std::string long_line = "candidate.cu(1): error: " + std::string(100'000, 'x') + "\n";
  CHECK(compile_evidence(long_line, "", {}, "/opt/cuda").size() <= 4096);
}

TEST_CASE("a long line is not cut inside a UTF-8 character") {
  std::string line = "candidate.cu(1): error: ";
  while (line.size() < 1000) line += "ü";
  const auto evidence = compile_evidence(line + "\n", "", {}, "/opt/cuda");
  CHECK(contains(evidence, "ü\n"));
  CHECK_NOTHROW(Json(evidence).dump());
}

TEST_CASE("kernels are found by name whatever stands between __global__ and it") {
  CHECK(kernels_named_in("template <int N>\n__global__ __launch_bounds__(N * (2)) void a (float*);\n"
                         "extern \"C\" __global__ void b(int);\n__global__ void a(int);") ==
        std::vector<std::string>{"a", "b"});
  CHECK(kernels_named_in("no kernel here (at all)").empty());
  CHECK(kernels_named_in("__global__").empty());
}

}  // namespace kevolve
