#include "core/devices/cpu/vector_report.hpp"

#include "tests/catch.hpp"

namespace kevolve {
using namespace cpu;
namespace {

TEST_CASE("loops are told by line, with the width of their vectors or what was in the way") {
  const char* output =
      "candidate.cu:14:11: missed: couldn't vectorize loop\n"
      "candidate.cu:14:11: missed: not vectorized: control flow in loop.\n"
      "candidate.cu:9:21: missed: couldn't vectorize loop\n"
      "candidate.cu:10:16: missed: not vectorized: no vectype for stmt: _16 = *_15;\n"
      " scalar_type: float\n"
      "candidate.cu:7:23: optimized: loop vectorized using 32 byte vectors\n"
      "candidate.cu:7:23: optimized: loop vectorized using 64 byte vectors\n"
      "candidate.cu:6:21: missed: couldn't vectorize loop\n"
      "kevolve/entry.hpp:30:1: missed: couldn't vectorize loop\n"
      "candidate.cu:3:1: warning: unused variable\n"
      "candidate.cubic:3:1: optimized: loop vectorized using 64 byte vectors\n";
  CHECK(vector_report(output, "candidate.cu") ==
        "line 6: not vectorised\n"
        "line 7: 64-byte vectors\n"
        "line 9: not vectorised (no vectype for stmt: _16 = *_15;)\n"
        "line 14: not vectorised (control flow in loop.)\n");
}

TEST_CASE("a loop that some instance vectorised counts as vectorised") {
  CHECK(vector_report("a.cu:5:1: missed: couldn't vectorize loop\na.cu:5:1: missed: not vectorized: no.\n"
                      "a.cu:5:1: optimized: loop vectorized using 64 byte vectors",
                      "a.cu") == "line 5: 64-byte vectors\n");
}

TEST_CASE("other messages, broken lines and floods are survived") {
  CHECK(vector_report("", "a.cu").empty());
  CHECK(vector_report("a.cu", "a.cu").empty());
  CHECK(vector_report("a.cu:\na.cu:x\na.cu:7\na.cu:7: \n", "a.cu").empty());
  std::string flood;
  for (int line = 0; line < 5000; ++line)
    flood += "a.cu:" + std::to_string(line) + ":1: missed: couldn't vectorize loop\n";
  CHECK(vector_report(flood, "a.cu").size() <= 2048);
}

}  // namespace
}  // namespace kevolve
