#include "core/devices/cpu/runner/fill.hpp"

#include <array>
#include <cmath>
#include <cstring>
#include <limits>

#include "tests/catch.hpp"

namespace kevolve::cpu::runner {
namespace {

template <class T>
std::array<T, 3> filled(DType dtype, Fill kind) {
  std::array<T, 3> data{};
  std::memset(data.data(), 0x55, sizeof data);
  fill(data.data(),
       PlannedBuffer{.name = "b", .role = BufferRole::scratch, .dtype = dtype, .elements = 2, .fill = kind});
  std::array<T, 1> untouched;
  std::memset(untouched.data(), 0x55, sizeof untouched);
  CHECK(std::memcmp(&data[2], untouched.data(), sizeof(T)) == 0);
  return data;
}

TEST_CASE("buffers are filled with the value asked for and no further") {
  CHECK(filled<float>(DType::f32, Fill::zero)[1] == 0.0F);
  CHECK(filled<float>(DType::f32, Fill::minus_infinity)[1] == -std::numeric_limits<float>::infinity());
  CHECK(filled<double>(DType::f64, Fill::plus_infinity)[1] == std::numeric_limits<double>::infinity());
  CHECK(filled<std::uint16_t>(DType::f16, Fill::minus_infinity)[1] == 0xfc00);
  CHECK(filled<std::uint16_t>(DType::bf16, Fill::plus_infinity)[1] == 0x7f80);
  CHECK(filled<std::int32_t>(DType::i32, Fill::minus_infinity)[1] ==
        std::numeric_limits<std::int32_t>::min());
  CHECK(filled<std::int64_t>(DType::i64, Fill::plus_infinity)[1] == std::numeric_limits<std::int64_t>::max());
  CHECK(filled<std::uint8_t>(DType::u8, Fill::plus_infinity)[1] == 255);
  CHECK(filled<std::uint8_t>(DType::boolean, Fill::plus_infinity)[1] == 1);
  CHECK(filled<float>(DType::f32, Fill::none)[0] != 0.0F);
}

}  // namespace
}  // namespace kevolve::cpu::runner
