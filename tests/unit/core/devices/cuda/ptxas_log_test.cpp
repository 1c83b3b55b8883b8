#include "core/devices/cuda/ptxas_log.hpp"

#include "tests/catch.hpp"

namespace kevolve {
using namespace cuda;

TEST_CASE("the log of CUDA 13 gives each kernel's resources") {
  const auto kernels = parse_ptxas_log(
      "ptxas info    : 0 bytes gmem\n"
      "ptxas info    : Compiling entry function '_ZN2ns2k2EPf' for 'sm_90a'\n"
      "ptxas info    : Function properties for _ZN2ns2k2EPf\n"
      "ptxas         .     0 bytes stack frame, 0 bytes spill stores, 0 bytes spill loads\n"
      "ptxas info    : Used 10 registers, used 0 barriers\n"
      "ptxas info    : Compile time = 8.182 ms\n"
      "ptxas info    : Compiling entry function '_Z4rowsILi8EEvPf' for 'sm_90a'\n"
      "ptxas info    : Function properties for _Z4rowsILi8EEvPf\n"
      "ptxas         .     400 bytes stack frame, 24 bytes spill stores, 32 bytes spill loads\n"
      "ptxas info    : Used 34 registers, used 1 barriers, 440 bytes cumulative stack size, 1024 bytes smem\n"
      "ptxas info    : Compile time = 7.740 ms\n");
  REQUIRE(kernels.size() == 2);
  CHECK(kernels.at("_ZN2ns2k2EPf").registers == 10);
  CHECK(kernels.at("_ZN2ns2k2EPf").stack_bytes == 0);
  const auto& rows = kernels.at("_Z4rowsILi8EEvPf");
  CHECK(rows.registers == 34);
  CHECK(rows.spill_store_bytes == 24);
  CHECK(rows.spill_load_bytes == 32);
  CHECK(rows.stack_bytes == 440);
  CHECK(rows.shared_bytes == 1024);
}

TEST_CASE("the log of CUDA 12 lists constant banks, which are added up") {
  const auto kernels = parse_ptxas_log(
      "ptxas info    : Compiling entry function 'k3' for 'sm_80'\n"
      "ptxas info    : Function properties for k3\n"
      "    16 bytes stack frame, 8 bytes spill stores, 4 bytes spill loads\n"
      "ptxas info    : Used 8 registers, 368 bytes cmem[0], 16 bytes cmem[2]\n");
  REQUIRE(kernels.count("k3") == 1);
  CHECK(kernels.at("k3").constant_bytes == 384);
  CHECK(kernels.at("k3").stack_bytes == 16);
  CHECK(kernels.at("k3").spill_store_bytes == 8);
}

TEST_CASE("spills of a function that a kernel calls count for the kernel") {
  const auto kernels = parse_ptxas_log(
      "ptxas info    : Compiling entry function 'k' for 'sm_90a'\n"
      "ptxas info    : Function properties for k\n"
      "ptxas         .     0 bytes stack frame, 4 bytes spill stores, 4 bytes spill loads\n"
      "ptxas info    : Used 28 registers, used 0 barriers\n"
      "ptxas info    : Function properties for helper\n"
      "ptxas         .     0 bytes stack frame, 8 bytes spill stores, 16 bytes spill loads\n");
  REQUIRE(kernels.size() == 1);
  CHECK(kernels.at("k").spill_store_bytes == 12);
  CHECK(kernels.at("k").spill_load_bytes == 20);
}

TEST_CASE("what is no such log yields nothing, and no trouble") {
  CHECK(parse_ptxas_log("").empty());
  CHECK(parse_ptxas_log("bytes smem\n: Used registers\n bytes stack frame").empty());
  CHECK(parse_ptxas_log("Compiling entry function 'unterminated\n: Used 99999999999999999999 registers")
            .size() == 1);
}

}  // namespace kevolve
