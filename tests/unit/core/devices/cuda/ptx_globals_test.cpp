#include "core/devices/cuda/ptx_globals.hpp"

#include "tests/catch.hpp"

namespace kevolve {
using namespace cuda;

TEST_CASE("a variable that nothing but its declaration names is unreferenced") {
  CHECK(unreferenced_globals(".version 9.0\n"
                             ".global .align 4 .u32 kTile = 32;\n"
                             ".visible .global .align 4 .b8 table[8] = {0, 0, 128, 63, 0, 0, 0, 64};\n"
                             ".global .align 4 .u32 zeroed;\n"
                             ".global .align 4 .u32 used;\n"
                             ".visible .entry k(.param .u64 k_param_0)\n{\n"
                             "\tmov.u64 %rd1, used;\n\tst.global.u32 [%rd2], %r1;\n}\n") ==
        std::vector<std::string>{"kTile", "table", "zeroed"});
}

TEST_CASE("references from inline assembly, offsets and other variables' initialisers count") {
  CHECK(
      unreferenced_globals(".global .u32 a;\n.global .u32 b;\n.global .u32 c;\n"
                           ".global .u64 p[1] = {generic(a)};\n"
                           "{\n\t// begin inline asm\n\t{ st.global.u32 [b+4], 5; }\n"
                           "\t// end inline asm\n\tld.global.u32 %r1, [c];\n\tld.global.u64 %rd1, [p];\n}\n")
          .empty());
}

TEST_CASE("a longer name is another name") {
  CHECK(
      unreferenced_globals(".global .u32 a;\n{ mov.u64 %rd1, a$1; mov.u64 %rd1, ab; mov.u64 %rd1, _a; }\n") ==
      std::vector<std::string>{"a"});
  CHECK(unreferenced_globals("").empty());
  CHECK(unreferenced_globals(".global ;\n.global").empty());
}

}  // namespace kevolve
