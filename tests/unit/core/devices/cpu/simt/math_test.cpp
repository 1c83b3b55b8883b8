// Intrinsics against double precision and hand-computed values.

#include <cmath>
#include <vector>

#include "tests/catch.hpp"
#include "tests/unit/core/devices/cpu/simt/kernel_library.hpp"

using namespace kevolve::simt;

namespace {

const KernelLibrary& math_kernels() {
  static const KernelLibrary library(KEVOLVE_SIMT_MATH_KERNELS);
  return library;
}

/// Results of kernel `fast` at `x`, a column for each function.
std::vector<float> fast(const std::vector<float>& x) {
  Executor executor(2);
  const int n = static_cast<int>(x.size());
  std::vector<float> y(x.size() * 10);
  const float* in = x.data();
  float* out = y.data();
  REQUIRE(math_kernels().launch(executor, "fast", linear((n + 255) / 256, 256), in, out, n).ok());
  return y;
}

double ulp(double exact) {
  return std::ldexp(1.0, std::max(std::ilogb(exact), -126) - 23);
}

std::vector<float> grid(double begin, double end, int steps) {
  std::vector<float> x;
  for (int i = 0; i <= steps; ++i) x.push_back(static_cast<float>(begin + (end - begin) * i / steps));
  return x;
}

}  // namespace

TEST_CASE("__expf and __exp10f stay within CUDA's documented error") {
  const auto x = grid(-103, 88, 20011);
  const auto y = fast(x);
  for (std::size_t i = 0; i < x.size(); ++i) {
    const double a = x[i], exact = std::exp(a), ten = std::pow(10.0, a);
    CAPTURE(a);
    REQUIRE(std::abs(y[i] - exact) <= (2 + std::floor(std::abs(1.173 * a))) * ulp(exact));
    if (std::abs(a) < 37)
      REQUIRE(std::abs(y[i + x.size()] - ten) <= (2 + std::floor(std::abs(2.97 * a))) * ulp(ten));
  }
}

TEST_CASE("__logf, __log2f, __powf and rsqrtf") {
  std::vector<float> x = grid(0.3, 4, 9001);
  for (int e = -148; e < 128; ++e) x.push_back(static_cast<float>(std::ldexp(1.37, e)));
  const auto y = fast(x);
  const std::size_t n = x.size();
  for (std::size_t i = 0; i < n; ++i) {
    const double a = x[i], ln = std::log(a), two = std::log2(a);
    CAPTURE(a);
    const bool near_one = a >= 0.5 && a <= 2;
    REQUIRE(std::abs(y[i + 2 * n] - ln) <= (near_one ? std::exp2(-21.41) : 3 * ulp(ln)));
    REQUIRE(std::abs(y[i + 3 * n] - two) <= (near_one ? std::exp2(-22.0) : 2 * ulp(two)));
    if (a > 1e-3 && a < 1e3) REQUIRE(y[i + 7 * n] == Approx(std::pow(a, 1.5)).epsilon(4e-6));
    REQUIRE(std::abs(y[i + 8 * n] - 1 / std::sqrt(a)) <= 2 * ulp(1 / std::sqrt(a)));
  }
}

TEST_CASE("__sinf, __cosf, __tanhf and normcdff") {
  const auto x = grid(-3.14159, 3.14159, 10007);
  const auto y = fast(x);
  const std::size_t n = x.size();
  for (std::size_t i = 0; i < n; ++i) {
    const double a = x[i];
    CAPTURE(a);
    REQUIRE(std::abs(y[i + 4 * n] - std::sin(a)) <= std::exp2(-21.41));
    REQUIRE(std::abs(y[i + 5 * n] - std::cos(a)) <= std::exp2(-21.19));
    REQUIRE(std::abs(y[i + 6 * n] - std::tanh(a)) <= std::exp2(-11) * std::abs(std::tanh(a)));
    REQUIRE(y[i + 9 * n] == Approx(0.5 * std::erfc(-a / std::sqrt(2.0))).epsilon(1e-6));
  }
}

TEST_CASE("NaN, infinities and limits behave as on the device") {
  Executor executor(1);
  std::vector<float> y(30);
  std::vector<double> d(6);
  float* out = y.data();
  double* dout = d.data();
  REQUIRE(math_kernels().launch(executor, "special", linear(1, 1), out, dout).ok());
  const float inf = INFINITY, nan = NAN;
  const std::vector<float> expected{
      1,           2,         nan,    3,           1,           0,    1,
      0,           inf,       nan,    -inf,        nan,         inf,  3.783506e-44f,
      inf,         0.25f,     0.125f, 1.41421356f, 1.00000012f, 1,    -1.21000004f,
      0.47693628f, 1.959964f, 1,      -1,          0.42758358f, 0.5f, 7,
      3,           100};
  for (std::size_t i = 0; i < expected.size(); ++i) {
    CAPTURE(i);
    if (std::isnan(expected[i]))
      CHECK(std::isnan(y[i]));
    else if (std::isinf(expected[i]) || expected[i] == 0)
      CHECK(y[i] == expected[i]);
    else
      CHECK(y[i] == Approx(expected[i]).epsilon(2e-7).margin(2e-45));
  }
  CHECK(y[18] == 1.00000012f);
  CHECK(y[19] == 1.0f);
  CHECK(d == std::vector<double>{2.5, 4, 1, 0.5, 3, 6.5});
}

TEST_CASE("integer intrinsics and conversions") {
  Executor executor(1);
  std::vector<long long> y(36);
  long long* out = y.data();
  REQUIRE(math_kernels().launch(executor, "integers", linear(1, 1), out).ok());
  const std::vector<long long> expected{8,
                                        64,
                                        32,
                                        31,
                                        63,
                                        0,
                                        4,
                                        0x80000000LL,
                                        1LL << 62,
                                        0x77553311,
                                        0xffffffffLL,
                                        3,
                                        static_cast<long long>(0x80000000U),
                                        5,
                                        3,
                                        -1,
                                        -15,
                                        3,
                                        17,
                                        15,
                                        -2,
                                        2,
                                        -2,
                                        3,
                                        -3,
                                        2147483647,
                                        0,
                                        0,
                                        4,
                                        (-9223372036854775807LL - 1),
                                        0x3f800000,
                                        0x3ff00000,
                                        6,
                                        5,
                                        (-2147483647LL - 1),
                                        1};
  for (std::size_t i = 0; i < expected.size(); ++i) {
    CAPTURE(i);
    CHECK(y[i] == expected[i]);
  }
}

TEST_CASE("vector types have CUDA's layout") {
  Executor executor(1);
  struct alignas(16) Four {
    float x, y, z, w;
  };
  std::vector<Four> v(2);
  std::vector<int> sizes(11);
  Four* out = v.data();
  int* s = sizes.data();
  REQUIRE(math_kernels().launch(executor, "vectors", linear(1, 1), out, s).ok());
  CHECK(v[1].x == 4);
  CHECK(v[1].w == 1);
  CHECK(sizes == std::vector<int>{12, 16, 4, 1, 16, 8, 16, 8, 9, 16, 12});
}

TEST_CASE("explicitly rounded arithmetic is never contracted") {
  Executor executor(1);
  std::vector<float> y(3);
  float* out = y.data();
  REQUIRE(math_kernels().launch(executor, "uncontracted", linear(1, 1), 1.0000001f, 1.0000001f, out).ok());
  CHECK(y[0] == 0);
  CHECK(y[2] != 0);
}
