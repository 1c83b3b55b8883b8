#include "core/gates/comparison.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <random>

#include "core/gates/element_values.hpp"
#include "core/gates/evidence.hpp"
#include "tests/catch.hpp"

namespace kevolve {
using namespace gates;
namespace {

using Catch::Matchers::ContainsSubstring;
using Catch::Matchers::StartsWith;

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
constexpr float kInf = std::numeric_limits<float>::infinity();

Elements view(const std::vector<float>& values) {
  return {DType::f32, reinterpret_cast<const std::byte*>(values.data()), values.size()};
}

/// A tensor whose oracle is given, PyTorch's answer is the oracle rounded, and the honest noise is `noise`
/// rounding units of an element's own size plus `absolute`.
struct Case {
  std::vector<double> oracle, response;
  std::vector<float> torch;
  Expectation expected;

  Case(std::vector<std::int64_t> shape, std::vector<double> values, double absolute = 0)
      : oracle(std::move(values)), response(oracle.size(), absolute), torch(oracle.begin(), oracle.end()) {
    expected = {"y", "normal", std::move(shape), view(torch), oracle, response};
  }
  Case(const Case&) = delete;

  [[nodiscard]] Comparison check(const std::vector<float>& answer,
                                 PrecisionClass required = PrecisionClass::strict_fp32,
                                 std::optional<std::uint8_t> poison = {}) const {
    return compare(expected, view(answer), required, poison);
  }
};

std::vector<double> normals(std::size_t count, unsigned seed, double scale = 1) {
  std::mt19937 random(seed);
  std::normal_distribution<double> draw(0, scale);
  std::vector<double> values(count);
  for (double& value : values) value = draw(random);
  return values;
}

}  // namespace

TEST_CASE("a short row that PyTorch rounded well by luck refuses no honest 16-bit kernel") {
  constexpr std::size_t kRows = 64, kColumns = 128, kLucky = 5;
  const std::vector<double> oracle = normals(kRows * kColumns, 20, 0.02);
  const auto noisy = [&](unsigned seed, std::size_t exact_row, double factor) {
    const std::vector<double> noise = normals(oracle.size(), seed, 5e-6);
    std::vector<std::uint16_t> halves(oracle.size());
    for (std::size_t i = 0; i < halves.size(); ++i)
      halves[i] = half_from_double(oracle[i] + (i / kColumns == exact_row ? 0 : factor * noise[i]));
    return halves;
  };
  const auto elements = [](const std::vector<std::uint16_t>& halves) {
    return Elements{DType::f16, reinterpret_cast<const std::byte*>(halves.data()), halves.size()};
  };
  const auto torch = noisy(21, kLucky, 1), honest = noisy(22, kRows, 1), coarse = noisy(23, kRows, 40);
  const std::vector<double> response(oracle.size(), 0);
  const Expectation expected{"y", "normal", {kRows, kColumns}, elements(torch), oracle, response};
  const auto right = [&](const auto& answer) {
    return compare(expected, elements(answer), PrecisionClass::fp16, std::nullopt).right();
  };
  CHECK(right(honest));
  CHECK_FALSE(right(coarse));
}

TEST_CASE("a refusal says when the response, which might have allowed more, could not be observed") {
  Case c({8, 100}, normals(800, 1));
  c.expected.response = {};
  c.expected.observe_response = []() -> Result<std::span<const double>> {
    return failure("CUDA out of memory");
  };
  std::vector<float> answer = c.torch;
  answer[7] += 0.5F;
  CHECK_THAT(c.check(answer).evidence, ContainsSubstring("could not be observed: CUDA out of memory"));
  CHECK(c.check(c.torch).evidence.empty());
}

TEST_CASE("the oracle rounded once is exact") {
  const Case c({8, 100}, normals(800, 1));
  const Comparison result = c.check(c.torch);
  CHECK(result.right());
  CHECK(result.precision == PrecisionClass::exact);
  CHECK(result.accuracy.max_error < 1e-7);
}

TEST_CASE("flipping any one element is seen, wherever it is and whatever its size") {
  std::vector<double> values = normals(37 * 301, 2);
  for (std::size_t i = 0; i < values.size(); i += 3) values[i] *= 1e-6;  // small beside its neighbours
  for (std::size_t i = 0; i < 301; ++i) values[i + 301] *= 1e8;          // one huge row
  const Case c({37, 301}, values);
  std::mt19937 random(3);
  for (int trial = 0; trial < 400; ++trial) {
    const std::size_t at = trial < 2 ? trial * (values.size() - 1) : random() % values.size();
    const float by = static_cast<float>(std::pow(10.0, -4 + static_cast<double>(random() % 8)));
    std::vector<float> answer = c.torch;
    answer[at] *= random() % 2 == 0 ? 1 + by : 1 - by;
    const Comparison result = c.check(answer);
    CAPTURE(at, by, result.evidence);
    REQUIRE_FALSE(result.right());
    CHECK(result.wrong == 1);
    CHECK_THAT(result.evidence, StartsWith(element_name("y", c.expected.shape, at) + " is "));
  }
}

TEST_CASE("flipping any single bit above the last eight of the fraction is seen") {
  const Case c({999}, normals(999, 4));
  std::mt19937 random(5);
  for (int trial = 0; trial < 300; ++trial) {
    const std::size_t at = random() % 999;
    const auto bit = static_cast<unsigned>(8 + random() % 24);
    std::vector<float> answer = c.torch;
    std::uint32_t bits;
    std::memcpy(&bits, &answer[at], 4);
    bits ^= 1u << bit;
    std::memcpy(&answer[at], &bits, 4);
    CAPTURE(at, bit);
    REQUIRE_FALSE(c.check(answer).right());
  }
}

TEST_CASE("tiles leave out no element at their edges") {
  const std::int64_t row = GENERATE(1, 63, 64, 4095, 4096, 4097, 8193);
  const Case c({3, row}, normals(3 * static_cast<std::size_t>(row), 17));
  std::vector<std::size_t> places{0, c.torch.size() / 3 - 1, c.torch.size() / 3, c.torch.size() - 1};
  for (std::size_t edge = 4096; edge < c.torch.size(); edge += 4096)
    places.insert(places.end(), {edge - 1, edge});
  for (const std::size_t at : places) {
    std::vector<float> answer = c.torch;
    answer[at] *= 1.001f;
    CAPTURE(row, at);
    REQUIRE_FALSE(c.check(answer).right());
  }
}

TEST_CASE("with absolute noise a wrong element is seen at 1e-4 of its neighbourhood") {
  const Case c({16, 256}, normals(16 * 256, 6),
               0x1p-24);  // as after a sum: noise does not shrink with the element
  std::mt19937 random(7);
  for (int trial = 0; trial < 200; ++trial) {
    std::vector<float> answer = c.torch;
    answer[random() % answer.size()] += 1e-4f;
    REQUIRE_FALSE(c.check(answer).right());
  }
}

TEST_CASE("honest rounding noise passes as strict_fp32") {
  const Case c({64, 128}, normals(64 * 128, 8), 4 * 0x1p-24);
  std::mt19937 random(9);
  std::normal_distribution<float> noise(0, 4 * 0x1p-24f);
  std::vector<float> answer = c.torch;
  for (float& value : answer) value += noise(random);
  const Comparison result = c.check(answer);
  CHECK(result.right());
  CHECK(result.precision == PrecisionClass::strict_fp32);
}

TEST_CASE("NaN, infinities and numbers never stand for each other") {
  std::vector<double> values = normals(64, 10);
  values[3] = kNan, values[5] = kInf, values[7] = -kInf, values[9] = 1e300;  // the last overflows f32
  const Case c({64}, values);
  std::vector<float> right = c.torch;
  right[9] = kInf;
  CHECK(c.check(right).right());
  const float other = GENERATE(kNan, kInf, -kInf, 0.f, 1.f);
  for (const std::size_t at : {3, 5, 7, 9, 11}) {
    std::vector<float> answer = right;
    if (answer[at] == other || (std::isnan(answer[at]) && std::isnan(other))) continue;
    answer[at] = other;
    CAPTURE(at, other);
    const Comparison result = c.check(answer);
    CHECK_FALSE(result.right());
    CHECK(result.wrong == 1);
  }
}

TEST_CASE("each precision class is told from its neighbours") {
  struct Level {
    double unit;
    PrecisionClass expected;
  };
  const Level level =
      GENERATE(Level{0x1p-23, PrecisionClass::strict_fp32}, Level{0x1p-15, PrecisionClass::compensated},
               Level{0x1p-12, PrecisionClass::tf32}, Level{0x1p-9, PrecisionClass::bf16});
  const Case c({32, 200}, normals(6400, 11), 0x1p-24);
  std::mt19937 random(12);
  std::uniform_real_distribution<double> rounding(-1, 1);
  std::vector<float> answer = c.torch;
  for (float& value : answer) value = static_cast<float>(value * (1 + level.unit * rounding(random)));
  const Comparison result = c.check(answer, level.expected);
  CHECK(result.precision == level.expected);
  CHECK(result.right());
  const bool strict = c.check(answer, PrecisionClass::strict_fp32).right();
  CHECK(strict == (level.expected == PrecisionClass::strict_fp32));
}

TEST_CASE("wrong by far is in no class") {
  const Case c({32, 200}, normals(6400, 13));
  std::vector<float> answer = c.torch;
  for (float& value : answer) value *= 1.2f;
  CHECK_FALSE(c.check(answer, PrecisionClass::bf16).precision);
}

TEST_CASE("a small error everywhere is seen by the norm") {
  const Case c({32, 200}, normals(6400, 14));
  std::vector<float> answer = c.torch;
  for (float& value : answer) value *= 1 + 112 * 0x1p-24f;  // within the 128 units of a single element
  const Comparison result = c.check(answer);
  CHECK(result.wrong == 0);
  CHECK_FALSE(result.right());
  CHECK_THAT(result.evidence, ContainsSubstring("slightly wrong everywhere"));
}

TEST_CASE("a 16-bit output is held to its own rounding, not to a multiple of it") {
  CHECK(allowance(PrecisionClass::strict_fp32, DType::f16) == 2);
  CHECK(allowance(PrecisionClass::fp16, DType::f16) < 16);  // 16 units of fp16: six bits of mantissa
  CHECK(allowance(PrecisionClass::bf16, DType::bf16) < 16);
  CHECK(allowance(PrecisionClass::strict_fp32, DType::f32) < allowance(PrecisionClass::tf32, DType::f32));
}

TEST_CASE("integers and booleans are exact") {
  const std::vector<std::int32_t> right{5, -2, 7, 0};
  std::vector<std::int32_t> answer = right;
  const std::vector<double> oracle{5, -2, 7, 0}, none(4, 0);
  const auto elements = [](const std::vector<std::int32_t>& values) {
    return Elements{DType::i32, reinterpret_cast<const std::byte*>(values.data()), values.size()};
  };
  const Expectation expected{"index", "ties", {4}, elements(right), oracle, none};
  CHECK(compare(expected, elements(answer), PrecisionClass::exact).right());
  answer[2] = 8;
  const Comparison result = compare(expected, elements(answer), PrecisionClass::bf16);
  CHECK(result.evidence ==
        "index[2] is 8, expected 7 (draw 'ties'). 1 of 4 elements is wrong, all in column 2.");
}

TEST_CASE("evidence names the element, the share, the place and the pattern") {
  const Case c({100, 50}, normals(5000, 15));
  const auto evidence = [&](auto change, std::optional<std::uint8_t> poisoned = {}) {
    std::vector<float> answer = c.torch;
    change(answer);
    return c.check(answer, PrecisionClass::strict_fp32, poisoned).evidence;
  };
  using Answer = std::vector<float>&;
  const std::string unwritten = evidence([](Answer a) { std::memset(&a[96 * 50], 0xFB, 4 * 50 * 4); }, 0xFB);
  CHECK_THAT(unwritten, ContainsSubstring("is unwritten, expected") &&
                            ContainsSubstring("4.0 % of the elements are unwritten, all in rows 96 to 99."));
  CHECK_THAT(evidence([](Answer a) {
               for (std::size_t i = 49; i < a.size(); i += 50) a[i] = 0;
             }),
             ContainsSubstring("2.0 % of the elements are wrong, all in the tail, column 49. They are 0."));
  CHECK_THAT(evidence([](Answer a) {
               for (float& v : a) v *= 2;
             }),
             ContainsSubstring("Every element is wrong. They are wrong by the constant factor 2."));
  CHECK_THAT(evidence([](Answer a) { std::rotate(a.begin(), a.begin() + 1, a.end()); }),
             ContainsSubstring("Each holds what belongs one element later."));
  CHECK_THAT(evidence([](Answer a) { a[353] = 0.25f; }),
             StartsWith("y[7,3] is 0.25, expected ") &&
                 ContainsSubstring("(draw 'normal'). 1 of 5000 elements is wrong"));
  CHECK_THAT(evidence([](Answer a) {
               const std::vector<float> old = a;
               for (std::size_t i = 0; i < 5000; ++i) a[i] = old[(i % 100) * 50 + i / 100];
             }),
             ContainsSubstring("looks transposed"));
}

TEST_CASE("elements still poisoned are counted as unwritten") {
  const Case c({64}, normals(64, 16));
  std::vector<float> answer = c.torch;
  std::memset(&answer[60], 0x7B, 16);
  const Comparison result = c.check(answer, PrecisionClass::strict_fp32, std::uint8_t{0x7B});
  CHECK(result.wrong == 4);
  CHECK(result.unwritten == 4);
}

TEST_CASE("half and bfloat16 are read as they are written") {
  const std::uint16_t half[] = {0x3C00, 0xC000, 0x0001, 0x7C00, 0x7BFF}, bfloat[] = {0x3F80, 0xC000, 0x7F80};
  const Elements h{DType::f16, reinterpret_cast<const std::byte*>(half), 5};
  const Elements b{DType::bf16, reinterpret_cast<const std::byte*>(bfloat), 3};
  CHECK(h.at(0) == 1);
  CHECK(h.at(1) == -2);
  CHECK(h.at(2) == 0x1p-24);
  CHECK(std::isinf(h.at(3)));
  CHECK(h.at(4) == 65504);
  CHECK(b.at(0) == 1);
  CHECK(b.at(1) == -2);
  CHECK(std::isinf(b.at(2)));
}

TEST_CASE("what is stored is read back, rounded to nearest even") {
  const auto round_trip = [](DType dtype, double value) {
    std::byte bytes[16];
    store(dtype, bytes, 1, value);
    return Elements{dtype, bytes, 2}.at(1);
  };
  for (int bits = 0; bits < 0x7C00; ++bits) {
    const auto word = static_cast<std::uint16_t>(bits);
    const double value = Elements{DType::f16, reinterpret_cast<const std::byte*>(&word), 1}.at(0);
    if (round_trip(DType::f16, value) != value) FAIL(bits);
  }
  CHECK(round_trip(DType::f16, 2049) == 2048);
  CHECK(round_trip(DType::f16, 2051) == 2052);
  CHECK(round_trip(DType::f16, -65519) == -65504);
  CHECK(std::isinf(round_trip(DType::f16, 65520)));
  CHECK(round_trip(DType::bf16, 257) == 256);
  CHECK(round_trip(DType::bf16, 259) == 260);
  CHECK(std::isnan(round_trip(DType::bf16, kNan)));
  CHECK(round_trip(DType::i32, 1e12) == 2147483647);
  CHECK(round_trip(DType::u8, -3) == 0);
  CHECK(round_trip(DType::i64, -2.4) == -2);
  CHECK(round_trip(DType::boolean, 0.5) == 1);
}

TEST_CASE("a poisoned tensor differs from itself under another poison, and NaN equals NaN") {
  std::vector<float> a(4), b(4);
  poison(std::as_writable_bytes(std::span(a)), kPoisons[0]);
  poison(std::as_writable_bytes(std::span(b)), kPoisons[1]);
  CHECK(first_difference(view(a), view(b)) == 0);
  CHECK(holds_poison(view(a), 2, kPoisons[0]));
  a = {1, kNan, 2, 3}, b = {1, -kNan, 2, 4};
  CHECK(first_difference(view(a), view(b)) == 3);
}

}  // namespace kevolve
