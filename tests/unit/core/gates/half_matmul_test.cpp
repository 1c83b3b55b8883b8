// Matrix products in fp16 over 4096 terms: fp32 arithmetic, rounded once, is right on every draw, also where
// the sum cancels and the output's own rounding covers nothing; anything coarser is not.

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <random>

#include "core/gates/comparison.hpp"
#include "core/gates/draw_plan.hpp"
#include "tests/catch.hpp"
#include "tests/unit/core/gates/narrow_values.hpp"

namespace kevolve {
using namespace gates;
namespace {

constexpr std::size_t kMatmulRows = 8, kMatmulColumns = 64, kTerms = 4096;
constexpr std::size_t kCount = kMatmulRows * kMatmulColumns;

/// Added up in T, of terms [begin, end); `rounded` takes every partial sum.
template <class T, class Round>
std::vector<T> sums(const Numbers& a, const Numbers& b, std::size_t begin, std::size_t end, Round rounded) {
  std::vector<T> c(kCount);
  for (std::size_t i = 0; i < kMatmulRows; ++i) {
    T* row = c.data() + i * kMatmulColumns;
    for (std::size_t k = begin; k < end; ++k) {
      const T factor = static_cast<T>(a[i * kTerms + k]);
      const double* from = b.data() + k * kMatmulColumns;
      for (std::size_t j = 0; j < kMatmulColumns; ++j)
        row[j] = rounded(row[j] + factor * static_cast<T>(from[j]));
    }
  }
  return c;
}
constexpr auto kAsItIs = [](auto value) { return value; };

/// One term after the other.
Numbers serial(const Numbers& a, const Numbers& b, std::size_t terms = kTerms) {
  const auto c = sums<float>(a, b, 0, terms, kAsItIs);
  return {c.begin(), c.end()};
}

/// As PyTorch: stretches, each added up by itself.
Numbers in_stretches(const Numbers& a, const Numbers& b) {
  std::vector<float> c(kCount);
  for (std::size_t k = 0; k < kTerms; k += 64) {
    const auto part = sums<float>(a, b, k, k + 64, kAsItIs);
    for (std::size_t i = 0; i < kCount; ++i) c[i] += part[i];
  }
  return {c.begin(), c.end()};
}

/// Elements of one kind of draw, many times as many as a product needs.
Numbers pool_of(const InputDraw& draw) {
  constexpr std::size_t kPool = std::size_t{1} << 20;
  const auto plan = plan_draw(draw, DType::f16, kPool, Seed{{7, 9}}, 1);
  REQUIRE(plan);
  std::vector<std::byte> bytes(2 * kPool);
  fill(*plan, DType::f16, bytes);
  Numbers values(kPool);
  Elements{DType::f16, bytes.data(), kPool}.read(0, values);
  return values;
}

/// A product of two random stretches of a pool, and what it must be, as the judge finds it.
struct Product {
  Numbers a, b, oracle, response;
  std::vector<std::byte> torch;

  Product(const Numbers& pool, bool special, std::mt19937_64& random) {
    const auto stretch = [&](std::size_t count) {
      const auto from = pool.begin() + static_cast<std::ptrdiff_t>(random() % (pool.size() - count));
      return Numbers(from, from + static_cast<std::ptrdiff_t>(count));
    };
    a = stretch(kMatmulRows * kTerms), b = stretch(kTerms * kMatmulColumns);
    constexpr double kInfinity = std::numeric_limits<double>::infinity();
    if (special) {
      for (const double value : {std::nan(""), kInfinity, -kInfinity, 0.0, 0x1p-24})
        a[random() % a.size()] = value;
    }
    oracle = sums<double>(a, b, 0, kTerms, kAsItIs);
    torch = stored(in_stretches(a, b));
    generator = random;
  }

  [[nodiscard]] Comparison check(const Numbers& answer) {
    Expectation expected{
        "c", "a draw", {kMatmulRows, kMatmulColumns}, {DType::f16, torch.data(), kCount}, oracle, {}, {}};
    expected.observe_response = [this]() -> Result<std::span<const double>> { return respond(), response; };
    const auto bytes = stored(answer);
    return compare(expected, {DType::f16, bytes.data(), kCount}, PrecisionClass::fp16);
  }

 private:
  std::mt19937_64 generator;

  void respond() {
    if (!response.empty()) return;
    response.assign(kCount, 0);
    for (const std::size_t run : {1, 1, 1, 1024}) {
      const auto nudged = [&](Numbers values) {
        std::uint64_t signs = 0;
        for (std::size_t i = 0; i < values.size(); ++i) {
          if (i % (64 * run) == 0) signs = generator();
          values[i] *= (signs >> (i / run % 64) & 1) != 0 ? 1 + 0x1p-24 : 1 - 0x1p-24;
        }
        return values;
      };
      const Numbers moved = sums<double>(nudged(a), nudged(b), 0, kTerms, kAsItIs);
      for (std::size_t i = 0; i < kCount; ++i)
        response[i] = std::fmax(response[i], std::abs(moved[i] - oracle[i]));
    }
  }
};

double rms(const Numbers& values) {
  double squares = 0, count = 0;
  for (const double value : values) {
    if (std::isfinite(value)) squares += value * value, count += 1;
  }
  return std::sqrt(squares / count);
}

const std::vector<std::pair<std::string, InputDraw>> kDraws{
    {"normal", {"normal", {}}},
    {"mixed magnitude", {"mixed_magnitude", {{"low_exponent", -8}, {"high_exponent", 4}}}},
    {"special", {"normal", {}}}};

}  // namespace

TEST_CASE("a product in fp16, added up in fp32, is right on every draw") {
  std::mt19937_64 random(101);
  for (const auto& [name, draw] : kDraws) {
    const Numbers pool = pool_of(draw);
    CAPTURE(name);
    for (int repetition = 0; repetition < 200; ++repetition) {
      Product product(pool, name == "special", random);
      for (const Numbers& answer : {serial(product.a, product.b), in_stretches(product.a, product.b)}) {
        const Comparison result = product.check(answer);
        CAPTURE(repetition, result.needed_allowance, result.evidence);
        REQUIRE(result.right());
        REQUIRE(result.needed_allowance <= 2);  // not on the room that the class has for more roundings
      }
    }
  }
}

TEST_CASE("a product in fp16 that takes less care is wrong on every draw") {
  std::mt19937_64 random(102);
  for (const auto& [name, draw] : kDraws) {
    const Numbers pool = pool_of(draw);
    for (int repetition = 0; repetition < 6; ++repetition) {
      Product product(pool, name == "special", random);
      const Numbers& a = product.a;
      const auto wrong = [&, &name = name](const char* what, const Numbers& answer) {
        CAPTURE(name, repetition, what);
        CHECK_FALSE(product.check(answer).right());
      };
      wrong("partial sums in fp16", sums<double>(a, product.b, 0, kTerms, half));
      Numbers coarse = a;
      for (double& value : coarse) value = bfloat(value);
      wrong("a rounded to bf16", serial(coarse, product.b));
      wrong("the last 32 terms left out", serial(a, product.b, kTerms - 32));
      const double by = 0.02 * rms(product.oracle);
      for (int trial = 0; trial < 50; ++trial) {
        Numbers answer = serial(a, product.b);
        double& element = answer[random() % kCount];
        if (!(std::abs(element) < 2 * rms(product.oracle))) continue;
        element += random() % 2 == 0 ? by : -by;
        wrong("one element off by 2 % of the rms", answer);
      }
    }
  }
}

TEST_CASE("what fp32 arithmetic may add to a 16-bit output is no licence where nothing cancels") {
  // Sums of positive terms: every element is near the others, and only its own rounding is allowed.
  std::mt19937_64 random(103);
  const Numbers pool = pool_of({"uniform", {}});
  Product product(pool, false, random);
  Numbers answer = serial(product.a, product.b);
  CHECK(product.check(answer).right());
  answer[77] *= 1.01;
  CHECK_FALSE(product.check(answer).right());
}

}  // namespace kevolve
