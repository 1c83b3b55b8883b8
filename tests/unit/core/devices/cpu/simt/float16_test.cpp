// half and bfloat16: every bit pattern, rounding, arithmetic.

#include <bit>
#include <cmath>
#include <vector>

#include "tests/catch.hpp"
#include "tests/unit/core/devices/cpu/simt/kernel_library.hpp"

using namespace kevolve::simt;

namespace {

using Bits = std::vector<unsigned short>;

const KernelLibrary& float16_kernels() {
  static const KernelLibrary library(KEVOLVE_SIMT_FLOAT16_KERNELS);
  return library;
}

struct Format {
  const char *from, *to;
  int mantissa, bias;

  /// By definition of the format.
  [[nodiscard]] double value(unsigned bits) const {
    const unsigned magnitude = bits & 0x7fff, exponent = magnitude >> mantissa,
                   fraction = magnitude & ((1U << mantissa) - 1);
    const unsigned top = (1U << (15 - mantissa)) - 1;
    double result =
        exponent == 0 ? std::ldexp(fraction, 1 - bias - mantissa)
                      : std::ldexp(fraction + (1U << mantissa), static_cast<int>(exponent) - bias - mantissa);
    if (exponent == top) result = fraction != 0 ? NAN : INFINITY;
    return (bits & 0x8000) != 0 ? -result : result;
  }
};

const Format kFormats[] = {{"half_from_float", "half_to_float", 10, 15},
                           {"bfloat_from_float", "bfloat_to_float", 7, 127}};

Bits convert(const Format& format, const std::vector<float>& x) {
  Executor executor(1);
  Bits bits(x.size());
  const float* in = x.data();
  unsigned short* out = bits.data();
  const int n = static_cast<int>(x.size());
  REQUIRE(float16_kernels().launch(executor, format.from, linear((n + 255) / 256, 256), in, out, n).ok());
  return bits;
}

}  // namespace

TEST_CASE("every 16-bit pattern becomes the right float and comes back") {
  for (const Format& format : kFormats) {
    Executor executor(2);
    Bits bits(65536);
    for (std::size_t i = 0; i < bits.size(); ++i) bits[i] = static_cast<unsigned short>(i);
    std::vector<float> y(65536);
    const unsigned short* in = bits.data();
    float* out = y.data();
    REQUIRE(float16_kernels().launch(executor, format.to, linear(256, 256), in, out).ok());
    const Bits again = convert(format, y);
    for (unsigned i = 0; i < 65536; ++i) {
      const double expected = format.value(i);
      CAPTURE(format.to, i);
      if (std::isnan(expected)) {
        REQUIRE(std::isnan(y[i]));
        REQUIRE(std::isnan(format.value(again[i])));
      } else {
        REQUIRE(y[i] == expected);
        REQUIRE(again[i] == i);
      }
    }
  }
}

TEST_CASE("floats are rounded to nearest, ties to even") {
  for (const Format& format : kFormats) {
    std::vector<float> x;
    for (unsigned bits = 1; bits < 0x7f00; bits += 7) {
      const double low = format.value(bits), high = format.value(bits + 1), middle = (low + high) / 2;
      if (std::isinf(high) || std::isnan(high)) break;
      const auto f = static_cast<float>(middle);
      x.insert(x.end(), {f, std::nextafterf(f, 0.0f), std::nextafterf(f, INFINITY)});
    }
    const Bits got = convert(format, x);
    std::size_t i = 0;
    for (unsigned bits = 1; i < x.size(); bits += 7, i += 3) {
      CAPTURE(format.from, bits);
      REQUIRE(got[i] == bits + bits % 2);
      REQUIRE(got[i + 1] == bits);
      REQUIRE(got[i + 2] == bits + 1);
    }
  }
  CHECK(convert(kFormats[0], {65520.0f, 65519.0f, -1e10f, 1e-9f}) == Bits{0x7c00, 0x7bff, 0xfc00, 0});
}

TEST_CASE("half arithmetic, comparisons and functions") {
  Executor executor(1);
  const Bits x{0x3e00, 0x4080};  // 1.5, 2.25
  std::vector<float> y(31);
  const unsigned short* in = x.data();
  float* out = y.data();
  REQUIRE(float16_kernels().launch(executor, "halves", linear(1, 1), in, out).ok());
  const std::vector<float> expected{
      3.75f, 3.375f, 0.66650391f, 4.875f, -1.5f,  2.25f, 3.75f, 0.75f,       10.25f, 2.25f,       1.5f, NAN,
      1.5f,  1,      1,           0,      1,      1,     0,     4.48046875f, 1.5f,   0.44433594f, 2,    7,
      2.25f, 1,      1.5f,        1,      0x3e00, 1,     1};
  for (std::size_t i = 0; i < expected.size(); ++i) {
    CAPTURE(i);
    if (std::isnan(expected[i]))
      CHECK(std::isnan(y[i]));
    else
      CHECK(y[i] == expected[i]);
  }
}

TEST_CASE("bfloat16 arithmetic") {
  Executor executor(1);
  const Bits x{0x3fc0, 0x4010};  // 1.5, 2.25
  std::vector<float> y(10);
  const unsigned short* in = x.data();
  float* out = y.data();
  REQUIRE(float16_kernels().launch(executor, "bfloats", linear(1, 1), in, out).ok());
  CHECK(y == std::vector<float>{3.75f, 3.375f, 4.875f, 0.75f, 20.25f, 2.25f, 4.46875f, 0, 2.25f, 2});
}

TEST_CASE("half values in shuffles and atomics") {
  Executor executor(2);
  Bits h{0}, h2{0, 0}, b2{0, 0};
  std::vector<float> y(32);
  unsigned short *ph = h.data(), *ph2 = h2.data(), *pb2 = b2.data();
  float* out = y.data();
  REQUIRE(float16_kernels().launch(executor, "exchanged", linear(4, 32), ph, ph2, pb2, out).ok());
  CHECK(h[0] == 0x5800);  // 128
  CHECK(h2 == Bits{0x5800, 0x5c00});
  CHECK(b2 == Bits{0x4300, 0x4280});
  CHECK(y[0] == 496 + 496 + 320000);
  CHECK(y[31] == 496);
}
