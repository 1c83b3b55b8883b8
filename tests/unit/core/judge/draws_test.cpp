#include "core/judge/draws.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <map>
#include <set>

#include "tests/catch.hpp"

namespace kevolve {
using namespace gates;
using namespace judge;
namespace {

using Catch::Matchers::ContainsSubstring;

std::vector<float> drawn(const InputDraw& draw, std::size_t count, Seed seed = {{1, 2}},
                         std::uint64_t stream = 0) {
  std::vector<float> values(count);
  const auto filled = draw_tensor(draw, DType::f32, std::as_writable_bytes(std::span(values)), seed, stream);
  if (!filled) FAIL(filled.error().message);
  return values;
}

double mean(const std::vector<float>& values) {
  double sum = 0;
  for (const float v : values) sum += v;
  return sum / static_cast<double>(values.size());
}

double deviation(const std::vector<float>& values) {
  const double centre = mean(values);
  double sum = 0;
  for (const float v : values) sum += (v - centre) * (v - centre);
  return std::sqrt(sum / static_cast<double>(values.size()));
}

}  // namespace

TEST_CASE("Philox gives the published words") {
  // The known answers that Random123 ships for philox4x32-10.
  const RandomStream zero({{0, 0}}, 0);
  CHECK(zero.block(0) == std::array<std::uint32_t, 4>{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8});
  const RandomStream ones({{~0ull, 0}}, ~0ull);
  CHECK(ones.block(~0ull) == std::array<std::uint32_t, 4>{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd});
}

TEST_CASE("fresh seeds differ, and print as 32 hexadecimal digits") {
  CHECK(Seed::fresh().hex() != Seed::fresh().hex());
  CHECK(Seed{{1, 0xabc}}.hex() == "00000000000000010000000000000abc");
}

TEST_CASE("the same seed and stream draw the same, another seed or stream does not") {
  const InputDraw normal{"normal", {}};
  CHECK(drawn(normal, 100) == drawn(normal, 100));
  CHECK(drawn(normal, 100) != drawn(normal, 100, {{1, 3}}));
  CHECK(drawn(normal, 100) != drawn(normal, 100, {{1, 2}}, 1));
}

TEST_CASE("normal and uniform have their moments") {
  const auto normal = drawn({"normal", {{"mean", 1000}, {"std", 0.1}}}, 40001);
  CHECK(mean(normal) == Approx(1000).margin(0.01));
  CHECK(deviation(normal) == Approx(0.1).epsilon(0.03));
  const auto uniform = drawn({"uniform", {{"low", -1}, {"high", 3}}}, 40001);
  CHECK(mean(uniform) == Approx(1).margin(0.03));
  CHECK(*std::min_element(uniform.begin(), uniform.end()) >= -1);
  CHECK(*std::max_element(uniform.begin(), uniform.end()) <= 3);
}

TEST_CASE("constant, ramp, impulse and integers are what they say") {
  CHECK(drawn({"constant", {{"value", 2.5}}}, 5) == std::vector<float>(5, 2.5f));
  CHECK(drawn({"ramp", {{"low", -1}, {"high", 1}}}, 5) == std::vector<float>{-1, -0.5, 0, 0.5, 1});
  const auto impulse = drawn({"impulse", {{"value", 100}, {"count", 7}}}, 10000);
  const auto large = std::count(impulse.begin(), impulse.end(), 100.f);
  CHECK(large >= 5);
  CHECK(large <= 7);
  CHECK(std::count(impulse.begin(), impulse.end(), 0.f) == 10000 - large);
  const auto whole = drawn({"integers", {{"low", -8}, {"high", 8}}}, 5000);
  CHECK(std::set<float>(whole.begin(), whole.end()).size() == 17);
  CHECK(std::all_of(whole.begin(), whole.end(),
                    [](float v) { return v == std::floor(v) && v >= -8 && v <= 8; }));
}

TEST_CASE("mixed magnitudes cover their exponents with both signs") {
  const auto values = drawn({"mixed_magnitude", {{"low_exponent", -6}, {"high_exponent", 6}}}, 4000);
  CHECK(std::all_of(values.begin(), values.end(),
                    [](float v) { return std::abs(v) >= 0x1p-6f && std::abs(v) <= 64; }));
  CHECK(std::count_if(values.begin(), values.end(), [](float v) { return std::abs(v) < 0x1p-3f; }) > 700);
  CHECK(std::count_if(values.begin(), values.end(), [](float v) { return v < 0; }) > 1800);
}

TEST_CASE("special values hold each special class") {
  const auto values = drawn({"special_values", {{"count", 5}}}, 10000);
  const auto count = [&](auto is) { return std::count_if(values.begin(), values.end(), is); };
  CHECK(count([](float v) { return std::isnan(v); }) >= 3);
  CHECK(count([](float v) { return std::isinf(v) && v > 0; }) >= 3);
  CHECK(count([](float v) { return std::isinf(v) && v < 0; }) >= 3);
  CHECK(count([](float v) { return std::fpclassify(v) == FP_SUBNORMAL; }) >= 6);
  CHECK(count([](float v) { return v == 0 && std::signbit(v); }) >= 3);
}

TEST_CASE("clusters gather about few centres") {
  const auto values = drawn({"clustered", {{"clusters", 3}, {"spread", 0.001}}}, 3000);
  std::set<int> places;
  for (const float v : values) places.insert(static_cast<int>(std::lround(v * 20)));
  CHECK(places.size() <= 9);
  CHECK(places.size() >= 3);
}

TEST_CASE("a mixture holds every regime within one tensor") {
  const auto values = drawn({"mixture", {}}, 100000);
  const auto count = [&](auto is) { return std::count_if(values.begin(), values.end(), is); };
  CHECK(count([](float v) { return std::abs(v) > 19.9f && std::abs(v) < 20.1f; }) > 2000);
  CHECK(count([](float v) { return std::abs(v) < 1e-5f && v != 0; }) > 2000);
  CHECK(count([](float v) { return v > 0.1f && v < 0.9f; }) > 5000);
}

TEST_CASE("integer and half tensors are drawn in their own type") {
  std::vector<std::int32_t> whole(100);
  REQUIRE(draw_tensor({"integers", {{"low", 3}, {"high", 5}}}, DType::i32,
                      std::as_writable_bytes(std::span(whole)), {{1, 2}}, 0));
  CHECK(std::all_of(whole.begin(), whole.end(), [](int v) { return v >= 3 && v <= 5; }));
  std::vector<std::uint16_t> half(2);
  REQUIRE(draw_tensor({"constant", {{"value", 1}}}, DType::f16, std::as_writable_bytes(std::span(half)),
                      {{1, 2}}, 0));
  CHECK(half == std::vector<std::uint16_t>{0x3C00, 0x3C00});
}

TEST_CASE("unknown kinds and parameters are refused with the known ones") {
  std::byte bytes[8];
  const auto error = [&](const InputDraw& draw, DType dtype = DType::f32) {
    const auto filled = draw_tensor(draw, dtype, bytes, {{1, 2}}, 0);
    return filled ? std::string() : filled.error().message;
  };
  CHECK_THAT(error({"gauss", {}}), ContainsSubstring("unknown draw kind 'gauss'; known are normal, uniform"));
  CHECK_THAT(error({"normal", {{"sigma", 1}}}), ContainsSubstring("no parameter 'sigma'; it has mean, std"));
  CHECK_THAT(error({"constant", {}}), ContainsSubstring("needs the parameter 'value'"));
  CHECK_THAT(error({"special_values", {}}, DType::i32),
             ContainsSubstring("needs a floating-point tensor, not i32"));
}

}  // namespace kevolve
