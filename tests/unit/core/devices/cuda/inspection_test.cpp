#include "core/devices/cuda/inspection.hpp"

#include "tests/catch.hpp"

namespace kevolve {
using namespace cuda;
namespace {

Cubin calling(const std::string& symbol) {
  Cubin cubin;
  cubin.foreign_symbols = {symbol};
  return cubin;
}

bool contains(const std::vector<std::string>& sentences, const std::string& part) {
  for (const auto& sentence : sentences)
    if (sentence.find(part) != std::string::npos) return true;
  return false;
}

}  // namespace

TEST_CASE("an honest cubin has no violations") {
  CHECK(violations({{"k"}, {}, {}, "hash"}, {}).empty());
}

TEST_CASE("each thing that no candidate may hold is named with its remedy") {
  Cubin global;
  global.globals = {{"_ZN2ns5cacheE", 4096, ""}};
  CHECK(contains(violations(global, {"other"}), "'ns::cache' (4096 bytes)"));
  CHECK(contains(violations(global, {"other"}), "__constant__"));
  CHECK(contains(violations(calling("vprintf"), {}), "Remove printf"));
  CHECK(contains(violations(calling("malloc"), {}), "`scratch`"));
  CHECK(contains(violations(calling("__cudaCDP2LaunchDeviceV2"), {}), "kernels may not launch kernels"));
  CHECK(contains(violations(calling("other"), {}), "'other', which the source does not define"));
}

TEST_CASE("variables that no code names are admitted while they are small") {
  Cubin cubin;
  cubin.globals = {{"kTile", 4, ""}, {"used", 4, ""}};
  CHECK(violations(cubin, {"kTile", "used"}).empty());
  CHECK(contains(violations(cubin, {"kTile"}), "'used' (4 bytes)"));
  cubin.globals[0].size_bytes = kUnreferencedBytes + 1;
  CHECK(contains(violations(cubin, {"kTile", "used"}), "that no code uses"));
}

TEST_CASE("a library table is admitted for its content, not for its name") {
  CHECK_FALSE(is_library_table({"__cudart_i2opi_f", 24, std::string(24, '\0')}));
  CHECK_FALSE(is_library_table({"__cudart_i2opi_f", 24, ""}));
  // 2/pi in 192 bits, lowest word first.
  constexpr unsigned words[] = {0x3c439041, 0xdb629599, 0xf534ddc0, 0xfc2757d1, 0x4e441529, 0xa2f9836e};
  const std::string content(reinterpret_cast<const char*>(words), sizeof(words));
  CHECK(is_library_table({"__cudart_i2opi_f", 24, content}));
  CHECK_FALSE(is_library_table({"mine", 24, content}));
}

TEST_CASE("launches and kernels are matched in both directions") {
  Cubin cubin;
  cubin.kernels = {"_Z1aPf", "_Z1bPf"};
  const std::vector<CompiledKernel> kernels{{"a", 0, 0, "_Z1aPf"}, {"c", 0, 0, "c"}, {"d", 0, 3, "_Z1bPf"}};
  CHECK_FALSE(contains(missing_kernels({cubin}, kernels), "'a'"));
  CHECK(contains(missing_kernels({cubin}, kernels), "A launch names 'c'"));
  CHECK(contains(missing_kernels({cubin}, kernels), "A launch names 'd'"));
  CHECK(unused_kernels({cubin}, {kernels[0]}) == std::vector<std::string>{"b(float*)"});
}

}  // namespace kevolve
