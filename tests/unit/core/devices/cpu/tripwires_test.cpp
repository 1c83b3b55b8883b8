#include "core/devices/cpu/tripwires.hpp"

#include "tests/catch.hpp"

namespace kevolve {
using namespace cpu;
namespace {

TEST_CASE("comments and literals are not code, and lines are counted through them") {
  const auto line = [](std::string_view source) {
    const auto reason = unsupported_on_cpu(source, {});
    return reason ? reason->substr(reason->find(" in line "), 10) : "";
  };
  CHECK(line("a // asm\nb").empty());
  CHECK(line("a /* asm\ny */ b").empty());
  CHECK(line("a /* x\ny */ asm") == " in line 2");
  CHECK(line("f(\"asm \\\" //\"); asm") == " in line 1");
  CHECK(line("f(\"asm \\\" //\"); g").empty());
  CHECK(line("1'000 + asm") == " in line 1");
  CHECK(line("'\"' + asm") == " in line 1");
  CHECK(line("R\"(\"\nasm)\"").empty());
  CHECK(line("int a;\nas\\\nm(1)") == " in line 2");
}

TEST_CASE("what needs a GPU is unsupported, with the reason and the line") {
  const auto reason = unsupported_on_cpu("void f() {\n  asm volatile(\"mma.sync\");\n}", {});
  REQUIRE(reason);
  CHECK(*reason ==
        "The cpu device cannot run inline PTX: 'asm' in line 2. Evaluate this candidate on a cuda device, or "
        "write it without.");
  for (const char* source :
       {"__asm__(\"\")", "#include <mma.h>", "  #  include \"mma.h\"", "using namespace nvcuda;",
        "wmma::load(a)", "#include <cuda/pipeline>", "#include <cuda/barrier>",
        "__global__ void __cluster_dims__(2) f()", "auto c = cg::this_cluster();",
        "void f(const __grid_constant__ CUtensorMap map)"})
    CHECK(unsupported_on_cpu(source, {}).has_value());
}

TEST_CASE("honest sources are not mistaken") {
  for (const char* source :
       {"// asm volatile", "/* wmma */ void plasma();", "int asmx, wmmas;", "#include <cuda_fp16.h>",
        "// #include <mma.h>\nint x;", "/*\n#include <mma.h>\n*/", "const char* s = \"asm\";"})
    CHECK_FALSE(unsupported_on_cpu(source, {}).has_value());
}

TEST_CASE("included files are found") {
  const char* source =
      "#include <a.h>\n//#include <b.h>\n # include \"c.h\"\nint x;\n#define include <d.h>\n#include <e>";
  CHECK(included_files(source) == std::vector<std::string>{"a.h", "c.h", "e"});
}

TEST_CASE("clusters and tensor maps in the plan are unsupported") {
  LaunchPlan plan;
  plan.launches.resize(2);
  CHECK_FALSE(unsupported_on_cpu("", plan));
  plan.launches[1].cluster = {2, 1, 1};
  CHECK(unsupported_on_cpu("", plan).value().find("launches[1].cluster") != std::string::npos);
  plan.launches[1].cluster = {1, 1, 1};
  plan.prepare.resize(1);
  plan.prepare[0].arguments.emplace_back(PlannedTensorMap{});
  CHECK(unsupported_on_cpu("", plan).value().find("prepare[0]") != std::string::npos);
}

}  // namespace
}  // namespace kevolve
