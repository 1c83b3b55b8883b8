// Kernels as they are found in the wild, each under three orders, against straightforward host code.

#include <cmath>
#include <random>
#include <vector>

#include "tests/catch.hpp"
#include "tests/unit/core/devices/cpu/simt/kernel_library.hpp"

using namespace kevolve::simt;

namespace {

const KernelLibrary& wild_kernels() {
  static const KernelLibrary library(KEVOLVE_SIMT_WILD_KERNELS);
  return library;
}

std::vector<float> numbers(std::size_t n) {
  std::mt19937 random(7);
  std::normal_distribution<float> draw;
  std::vector<float> x(n);
  for (float& value : x) value = draw(random);
  return x;
}

/// Launches in each order, `before` and `after` each launch.
template <class Before, class After, class... T>
void run(const char* name, LaunchConfig config, Before before, After after, const T&... values) {
  Executor executor(2);
  for (const Order order : {Order::forward, Order::reverse, Order::shuffled}) {
    CAPTURE(name, static_cast<int>(order));
    config.order = order;
    config.order_seed = 4;
    before();
    REQUIRE(wild_kernels().launch(executor, name, config, values...).text == "");
    after();
  }
}

LaunchConfig plane(std::int64_t gx, std::int64_t gy, std::int64_t bx, std::int64_t by) {
  LaunchConfig config;
  config.grid = {gx, gy, 1};
  config.block = {bx, by, 1};
  return config;
}

void check_close(const std::vector<float>& got, const std::vector<double>& expected, double tolerance) {
  for (std::size_t i = 0; i < expected.size(); ++i) {
    CAPTURE(i);
    REQUIRE(std::abs(got[i] - expected[i]) <= tolerance * (1 + std::abs(expected[i])));
  }
}

}  // namespace

TEST_CASE("wild: reductions") {
  std::vector<float> x = numbers(10007), y(16);
  double sum = 0;
  for (const float v : x) sum += v;
  const float* in = x.data();
  float* out = y.data();
  const int n = 10007;
  run(
      "reduce_atomic", linear(8, 256), [&] { y[0] = 0; }, [&] { CHECK(y[0] == Approx(sum).epsilon(1e-4)); },
      in, out, n);
  const unsigned un = 10007;
  run(
      "reduce6", linear(16, 256, 1024 + 256), [&] { y.assign(16, NAN); },
      [&] {
        double total = 0;
        for (const float v : y) total += v;
        CHECK(total == Approx(sum).epsilon(1e-4));
      },
      in, out, un);
}

TEST_CASE("wild: matrix products") {
  const int m = 128, n = 64, k = 72;
  const std::vector<float> a = numbers(m * k), b = numbers(k * n);
  std::vector<float> c(m * n);
  std::vector<double> expected(m * n, 0.0);
  for (std::size_t i = 0; i < m; ++i)
    for (std::size_t j = 0; j < n; ++j)
      for (std::size_t l = 0; l < k; ++l)
        expected[i * n + j] += static_cast<double>(a[i * k + l]) * b[l * n + j];
  const float *pa = a.data(), *pb = b.data();
  float* pc = c.data();
  const auto clear = [&] { c.assign(m * n, NAN); };
  run(
      "matmul", plane(4, 8, 16, 16), clear, [&] { check_close(c, expected, 1e-5); }, pa, pb, pc, m, n, k);
  run(
      "sgemm", plane(1, 2, 64, 1), clear, [&] { check_close(c, expected, 1e-5); }, m, n, k, pa, pb, pc);
}

TEST_CASE("wild: scan, transpose and histogram") {
  std::vector<float> x(512), y(512);
  std::vector<double> scan(512);
  double sum = 0;
  for (std::size_t i = 0; i < 512; ++i) x[i] = static_cast<float>(i % 5), scan[i] = sum, sum += x[i];
  const float* in = x.data();
  float* out = y.data();
  const int n = 512;
  run(
      "prescan", linear(1, 256, 2048), [&] { y.assign(512, NAN); }, [&] { check_close(y, scan, 0); }, out, in,
      n);

  const std::vector<float> matrix = numbers(96 * 64);
  std::vector<float> turned(96 * 64);
  std::vector<double> expected(96 * 64);
  for (std::size_t r = 0; r < 64; ++r)
    for (std::size_t c = 0; c < 96; ++c) expected[c * 64 + r] = matrix[r * 96 + c];
  const float* pm = matrix.data();
  float* pt = turned.data();
  run(
      "transpose", plane(3, 2, 32, 8), [&] { turned.assign(96 * 64, NAN); },
      [&] { check_close(turned, expected, 0); }, pt, pm);

  std::vector<unsigned char> bytes(40000);
  std::vector<unsigned> counts(256, 0), bins(256);
  for (std::size_t i = 0; i < bytes.size(); ++i) ++counts[bytes[i] = static_cast<unsigned char>(i * i >> 3)];
  const unsigned char* pd = bytes.data();
  unsigned* pbins = bins.data();
  const int count = 40000;
  run(
      "histogram", linear(5, 256), [&] { bins.assign(256, 0); }, [&] { CHECK(bins == counts); }, pd, pbins,
      count);
}

TEST_CASE("wild: softmax, layernorm, gelu") {
  const int rows = 10, columns = 300;
  const std::vector<float> x = numbers(rows * columns);
  std::vector<float> y(x.size());
  std::vector<double> softmax(x.size()), layernorm(x.size()), gelu(x.size());
  for (std::size_t r = 0; r < rows; ++r) {
    double sum = 0, mean = 0, squares = 0;
    for (std::size_t c = 0; c < columns; ++c)
      sum += std::exp(static_cast<double>(x[r * columns + c])), mean += x[r * columns + c] / columns;
    for (std::size_t c = 0; c < columns; ++c)
      squares += (x[r * columns + c] - mean) * (x[r * columns + c] - mean) / columns;
    for (std::size_t c = 0; c < columns; ++c) {
      const std::size_t i = r * columns + c;
      const double v = x[i];
      softmax[i] = std::exp(v) / sum;
      layernorm[i] = (v - mean) / std::sqrt(squares + 1e-5) * 2;
      gelu[i] = 0.5 * v * (1 + std::tanh(0.7978845608 * (v + 0.044715 * v * v * v)));
    }
  }
  const float* in = x.data();
  float* out = y.data();
  const auto clear = [&] { y.assign(x.size(), NAN); };
  run(
      "softmax", linear(rows, 128), clear, [&] { check_close(y, softmax, 1e-6); }, in, out, columns);
  const std::vector<unsigned short> weight(columns, 0x4000);  // 2 as half
  const unsigned short* w = weight.data();
  run(
      "layernorm", linear(3, 128), clear, [&] { check_close(y, layernorm, 1e-5); }, out, in, w, rows,
      columns);
  struct Gelu {};
  const int n = rows * columns / 4;
  run(
      "gelu", linear(2, 64), clear, [&] { check_close(y, gelu, 1e-6); }, in, out, n, Gelu{});
}
