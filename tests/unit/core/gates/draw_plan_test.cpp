// Plans of draws, and that filling is value by value. What the kinds draw:
// tests/unit/core/judge/draws_test.cpp.

#include "core/gates/draw_plan.hpp"

#include <cmath>

#include "core/gates/elements.hpp"
#include "tests/catch.hpp"

namespace kevolve {
using namespace gates;
namespace {

using Catch::Matchers::ContainsSubstring;

const Seed kSeed{{5, 6}};

DrawPlan plan_of(const InputDraw& draw, std::size_t count, DType dtype = DType::f32) {
  auto plan = plan_draw(draw, dtype, count, kSeed, 3);
  if (!plan) FAIL(plan.error().message);
  return std::move(*plan);
}

}  // namespace

TEST_CASE("the segments of a mixture cover the tensor in order") {
  for (const std::size_t count : {1, 47, 1000, 123457}) {
    const DrawPlan plan = plan_of({"mixture", {}}, count);
    CAPTURE(count);
    REQUIRE(plan.segments.at(0).begin == 0);
    for (std::size_t s = 1; s < plan.segments.size(); ++s)
      REQUIRE(plan.segments[s].begin > plan.segments[s - 1].begin);
    CHECK(plan.segments.back().begin < count);
  }
}

TEST_CASE("the plan of a mixture of 268 million elements is small") {
  const DrawPlan plan = plan_of({"mixture", {}}, std::size_t{1} << 28);
  CHECK(plan.segments.size() > 50000);
  CHECK(plan.segments.size() < 80000);
}

TEST_CASE("the segment of an element is found at both of its ends") {
  const DrawPlan plan = plan_of({"mixture", {}}, 20000);
  const auto& all = plan.segments;
  for (std::size_t s = 0; s < all.size(); ++s) {
    REQUIRE(segment_of(all.data(), all.size(), all[s].begin) == s);
    const std::size_t last = (s + 1 < all.size() ? all[s + 1].begin : plan.count) - 1;
    REQUIRE(segment_of(all.data(), all.size(), last) == s);
  }
}

TEST_CASE("single values ascend, each place once, and the later of two stays") {
  const DrawPlan plan = plan_of({"special_values", {{"count", 4}}}, 6);  // 28 values at 6 places
  CHECK(plan.singles.size() <= 6);
  for (std::size_t s = 1; s < plan.singles.size(); ++s)
    CHECK(plan.singles[s].index > plan.singles[s - 1].index);
  std::vector<std::byte> expected(6 * 4), filled(6 * 4);
  DrawPlan without = plan;
  without.singles.clear();
  fill(without, DType::f32, expected);
  const double step = 0x1p-149;
  const double values[] = {std::nan(""), HUGE_VAL, -HUGE_VAL, 0.0, -0.0, 3 * step, -step};
  for (std::uint64_t n = 0; n < 28; ++n)
    store(DType::f32, expected.data(), plan.random.pick(kPlaceBlocks + n, 6), values[n / 4]);
  fill(plan, DType::f32, filled);
  CHECK(first_difference({DType::f32, filled.data(), 6}, {DType::f32, expected.data(), 6}) == 6);
}

TEST_CASE("every element of a plan is drawn by itself") {
  const InputDraw draws[] = {{"normal", {}}, {"mixture", {}}, {"clustered", {}}, {"ramp", {}}};
  for (const InputDraw& draw : draws) {
    const DrawPlan plan = plan_of(draw, 3001);
    std::vector<std::byte> bytes(3001 * 8);
    fill(plan, DType::f64, bytes);
    const Elements filled{DType::f64, bytes.data(), 3001};
    for (std::size_t i = 3001; i-- > 0;) {
      const auto s = segment_of(plan.segments.data(), plan.segments.size(), i);
      REQUIRE(filled.at(i) == drawn_value(plan.segments[s], i, plan.random));
    }
  }
}

TEST_CASE("an empty tensor has an empty plan") {
  for (const char* kind : {"normal", "impulse", "ramp", "mixture", "special_values"}) {
    const DrawPlan plan = plan_of({kind, {}}, 0);
    CHECK(plan.segments.empty());
    CHECK(plan.singles.empty());
  }
}

TEST_CASE("a plan is refused with the known kinds and parameters") {
  const auto error = [](const InputDraw& draw, DType dtype = DType::f32) {
    const auto plan = plan_draw(draw, dtype, 10, kSeed, 0);
    return plan ? std::string() : plan.error().message;
  };
  CHECK_THAT(error({"gauss", {}}), ContainsSubstring("unknown draw kind 'gauss'; known are normal, uniform"));
  CHECK_THAT(error({"mixture", {{"std", 1}}}), ContainsSubstring("no parameter 'std'; it has none"));
  CHECK_THAT(error({"integers", {{"low", 0}}}), ContainsSubstring("needs the parameter 'high'"));
  CHECK_THAT(error({"special_values", {}}, DType::u8), ContainsSubstring("not u8"));
}

}  // namespace kevolve
