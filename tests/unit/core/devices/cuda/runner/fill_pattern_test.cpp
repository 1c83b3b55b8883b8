#include "core/devices/cuda/runner/fill_pattern.hpp"

#include <bit>
#include <limits>

#include "tests/catch.hpp"

namespace kevolve {
using namespace cuda;

TEST_CASE("fills hold the bits of every type") {
  const auto bits = [](DType dtype, Fill fill) {
    const runner::FillPattern pattern = runner::fill_pattern(dtype, fill);
    CHECK(pattern.width_bytes == static_cast<int>(size_bytes(dtype)));
    return std::uint64_t{pattern.high} << 32 | pattern.low;
  };
  constexpr float kFloat = std::numeric_limits<float>::infinity();
  constexpr double kDouble = std::numeric_limits<double>::infinity();
  CHECK(bits(DType::f32, Fill::plus_infinity) == std::bit_cast<std::uint32_t>(kFloat));
  CHECK(bits(DType::f32, Fill::minus_infinity) == std::bit_cast<std::uint32_t>(-kFloat));
  CHECK(bits(DType::f64, Fill::plus_infinity) == std::bit_cast<std::uint64_t>(kDouble));
  CHECK(bits(DType::f64, Fill::minus_infinity) == std::bit_cast<std::uint64_t>(-kDouble));
  CHECK(bits(DType::f16, Fill::minus_infinity) == 0xfc00);
  CHECK(bits(DType::bf16, Fill::plus_infinity) == 0x7f80);
  CHECK(bits(DType::i64, Fill::minus_infinity) == std::uint64_t{1} << 63);
  CHECK(bits(DType::i32, Fill::plus_infinity) == 0x7fffffff);
  for (const DType dtype : {DType::f32, DType::f64, DType::f16, DType::u8})
    CHECK(bits(dtype, Fill::zero) == 0);
}

}  // namespace kevolve
