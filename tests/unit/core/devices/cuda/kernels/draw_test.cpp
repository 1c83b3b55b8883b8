// Drawing by kernels, against filling on the host.

#include <cmath>

#include "core/gates/draw_plan.hpp"
#include "tests/unit/core/devices/cuda/kernels/memories.hpp"

namespace kevolve {
using namespace gates;
namespace {

const Seed kSeed{{0x123456789abcdef0, 0xfedcba9876543210}};

/// A fused multiply-add or another libm may move the last bits of an f32, and what follows from it.
bool alike(DType dtype, double a, double b) {
  if (std::isnan(a) || std::isnan(b) || std::isinf(a) || std::isinf(b) || a == 0 || b == 0)
    return same_class(a, b) || std::abs(a - b) < 1e-6;
  if (!is_floating(dtype)) return std::abs(a - b) <= 1;
  return std::abs(a - b) <= 32 * std::max(unit_roundoff(dtype), 0x1p-24) * (std::abs(a) + 1e-6);
}

void check_draw(Memories& m, const InputDraw& draw, DType dtype, std::size_t count) {
  const auto plan = plan_draw(draw, dtype, count, kSeed, 7);
  REQUIRE(plan);
  const std::size_t bytes = count * size_bytes(dtype);
  auto drawn = *m.cuda.allocate(bytes);
  m.cuda.poison(drawn.get(), bytes, 0xEE);
  m.cuda.draw(*plan, dtype, drawn.get(), count);
  std::vector<std::byte> expected(bytes);
  m.host.draw(*plan, dtype, expected.data(), count);
  const auto there = m.download(drawn, bytes);
  const Elements a{dtype, there.data(), count}, b{dtype, expected.data(), count};
  std::size_t different = 0;
  for (std::size_t i = 0; i < count; ++i) {
    CAPTURE(draw.kind, name(dtype), count, i, a.at(i), b.at(i));
    if (!alike(dtype, a.at(i), b.at(i))) FAIL("another value");
    different += same_element(a, b, i) ? 0 : 1;
  }
  CAPTURE(draw.kind, name(dtype), count);
  if (size_bytes(dtype) <= 2) CHECK(different <= count / 100 + 1);
}

const std::vector<InputDraw> kDraws{{"normal", {{"mean", 3}, {"std", 0.5}}},
                                    {"uniform", {{"low", -1}, {"high", 5}}},
                                    {"constant", {{"value", 2.5}}},
                                    {"impulse", {{"value", 9}, {"count", 20}}},
                                    {"mixed_magnitude", {}},
                                    {"integers", {{"low", -3}, {"high", 250}}},
                                    {"ramp", {{"low", -2}, {"high", 200}}},
                                    {"clustered", {{"clusters", 5}}},
                                    {"mixture", {}}};

}  // namespace

TEST_CASE("every kind is drawn as on the host, in every type, at odd sizes") {
  Memories m;
  for (const DType dtype : kAllTypes) {
    for (const InputDraw& draw : kDraws) {
      for (const std::size_t count : {1, 5, 255, 4096, 9001}) check_draw(m, draw, dtype, count);
    }
    for (const std::size_t count : {1, 4097}) {
      if (is_floating(dtype)) check_draw(m, {"special_values", {{"count", 9}}}, dtype, count);
    }
  }
}

TEST_CASE("a mixture of many segments is drawn as on the host, in any order of threads") {
  Memories m;
  for (const auto order : {simt::Order::forward, simt::Order::reverse, simt::Order::shuffled}) {
    m.queue->order = order;
    check_draw(m, {"mixture", {}}, DType::f32, 200001);
  }
}

TEST_CASE("nothing is drawn into an empty tensor") {
  Memories m;
  for (const InputDraw& draw : kDraws) check_draw(m, draw, DType::f32, 0);
  CHECK(m.queue->launches.empty());
}

}  // namespace kevolve
