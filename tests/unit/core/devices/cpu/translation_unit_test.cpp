#include "core/devices/cpu/translation_unit.hpp"

#include "tests/catch.hpp"

namespace kevolve {
using namespace cpu;
namespace {

LaunchPlan two_launches() {
  LaunchPlan plan;
  plan.macros = {{"ROWS", "16"}, {"EPS", "1e-05f"}};
  plan.launches.resize(1);
  plan.launches[0].kernel = "rows<float, 4>";
  plan.prepare.resize(1);
  plan.prepare[0].kernel = "ns::pack";
  return plan;
}

bool holds_text(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

TEST_CASE("a translation unit has macros, the candidate under its own name and one entry for each launch") {
  const std::string unit = translation_unit("line one\nline two", two_launches(), {});
  CHECK(holds_text(unit,
                   "#define ROWS 16\n#define EPS 1e-05f\n#line 1 \"candidate.cu\"\nline one\nline two\n"));
  CHECK(holds_text(unit, "#line 1 \"launches[0].kernel\"\nKEVOLVE_SIMT_ENTRY(0, rows<float, 4>)\n"));
  CHECK(holds_text(unit, "#line 1 \"prepare[0].kernel\"\nKEVOLVE_SIMT_ENTRY(1, ns::pack)\n"));
}

TEST_CASE("known headers are read before asm is poisoned, and the candidate after") {
  const std::string unit =
      translation_unit("#include <cuda_fp16.h>\n#include </etc/passwd>", {}, {"cuda_fp16.h"});
  CHECK(unit ==
        "#include <cuda_fp16.h>\n#pragma GCC poison asm __asm __asm__\n#line 1 \"candidate.cu\"\n"
        "#include <cuda_fp16.h>\n#include </etc/passwd>\n");
}

TEST_CASE("errors come first, with their source lines and without the machine's paths") {
  const std::string output =
      "In file included from <command-line>:\n"
      "candidate.cu: In function 'void f()':\n"
      "candidate.cu:2:3: warning: unused thing [-Wunused]\n"
      "candidate.cu:3:7: error: 'y' was not declared in this scope; did you mean 'x'?\n"
      "/secret/place/core/devices/cpu/simt/include/kevolve_simt.hpp:12:5: note: declared here\n"
      "/usr/include/c++/12/bits/stl_algo.h:9:1: error: no match\n"
      "compilation terminated due to -fmax-errors=8.\n";
  const std::string text = readable_diagnostics(output, "one\ntwo\n  y = 1;\n", two_launches(),
                                                {"/secret/place/core/devices/cpu/simt/include/"});
  CHECK(text ==
        "candidate.cu:3: error: 'y' was not declared in this scope; did you mean 'x'?\n"
        "    |   y = 1;\n"
        "  kevolve_simt.hpp:12: note: declared here\n"
        "bits/stl_algo.h:9: error: no match\n"
        "candidate.cu:2: warning: unused thing [-Wunused]\n"
        "    | two\n");
}

TEST_CASE("a bad name expression is told in terms of the header's field") {
  const std::string text = readable_diagnostics(
      "prepare[0].kernel:1:1: error: 'pack' is not a member of 'ns'\n", "", two_launches(), {});
  CHECK(text.rfind("prepare[0].kernel = 'ns::pack': 'pack' is not a member of 'ns' (expected a __global__",
                   0) == 0);
}

TEST_CASE("diagnostics never exceed 4 KiB and keep the first errors") {
  std::string output;
  for (int i = 0; i < 200; ++i)
    output += "candidate.cu:" + std::to_string(i) + ":1: error: number " + std::to_string(i) + "\n";
  const std::string text = readable_diagnostics(output, "", two_launches(), {});
  CHECK(text.size() <= 4096);
  CHECK(holds_text(text, "error: number 0\n"));
  const std::string endless = "candidate.cu:1:1: error: " + std::string(100'000, 'x') + "\n";
  const std::string cut = readable_diagnostics(endless, "", two_launches(), {});
  CHECK(cut.size() <= 4096);
  CHECK(holds_text(cut, "candidate.cu:1: error: xxx"));
}

TEST_CASE("messages of the linker and the compiler proper are kept") {
  CHECK(readable_diagnostics("/usr/bin/ld: relocation error\n", "", two_launches(), {}) ==
        "linker or compiler: relocation error\n");
  CHECK(holds_text(
      readable_diagnostics("cc1plus: out of memory allocating 65536 bytes\n", "", two_launches(), {}),
      "out of memory"));
}

}  // namespace
}  // namespace kevolve
