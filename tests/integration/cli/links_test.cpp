// `kevolve best` needs neither LibTorch nor a worker: it must not even load them.

#include "tests/integration/cli/fixture.hpp"

using namespace kevolve::testing;

TEST_CASE("the command line is not linked to LibTorch or CUDA") {
  const auto libraries = shell("ldd " + kProgram);
  REQUIRE(libraries.exit_code == 0);
  CHECK(holds(libraries.out, "libsqlite3"));
  CHECK_FALSE(holds(libraries.out, "torch"));
  CHECK_FALSE(holds(libraries.out, "cuda"));
}
