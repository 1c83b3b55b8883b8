// libFuzzer's entry for one target, which the compile definition KEVOLVE_FUZZ_TARGET names.

#include <cstddef>
#include <cstdint>

#include "tests/fuzz/targets.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  for (const kevolve::fuzz::Target& target : kevolve::fuzz::targets()) {
    if (target.name == KEVOLVE_FUZZ_TARGET) target.run({reinterpret_cast<const char*>(data), size});
  }
  return 0;
}
