// How long the judge's hands take on a tensor of 67 million elements. The bounds are wide: they catch a
// kernel that has lost its bandwidth, not a slow day.

#include <chrono>

#include "core/gates/draw_plan.hpp"
#include "tests/unit/core/devices/cuda/kernels/memories.hpp"

namespace kevolve {
using namespace gates;
namespace {

template <class Work>
double best_ms(Work work) {
  double best = 1e9;
  for (int run = 0; run < 5; ++run) {
    const auto begun = std::chrono::steady_clock::now();
    work();
    best = std::min(
        best, std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begun).count());
  }
  return best;
}

}  // namespace

TEST_CASE("a tensor of 67 million elements is judged within milliseconds") {
  Memories m;
  const std::int64_t columns = GENERATE(8, 64, 8192);
  const std::size_t count = std::size_t{1} << 26;
  const auto oracle = *m.cuda.allocate(8 * count);
  const auto torch = *m.cuda.allocate(4 * count), answer = *m.cuda.allocate(4 * count);
  const auto plan = plan_draw({"mixture", {}}, DType::f32, count, Seed{{1, 2}}, 0);
  REQUIRE(plan);
  m.cuda.draw(*plan, DType::f64, oracle.get(), count);
  m.cuda.draw(*plan, DType::f32, answer.get(), count);
  const double draw_ms = best_ms([&] { m.cuda.draw(*plan, DType::f32, torch.get(), count); });
  const Expectation expected{"y",
                             "mixture",
                             {static_cast<std::int64_t>(count) / columns, columns},
                             {DType::f32, torch.get(), count},
                             {reinterpret_cast<const double*>(oracle.get()), count},
                             {}};
  const Elements elements{DType::f32, answer.get(), count};
  const auto compare = [&] {
    return m.cuda.compare(expected, elements, PrecisionClass::strict_fp32, std::uint8_t{0xFB});
  };
  const double first_ms = best_ms([&] {
    expected.noise = {};
    REQUIRE(compare().right());
  });
  const double compare_ms = best_ms([&] { REQUIRE(compare().right()); });
  const double equal_ms = best_ms([&] { REQUIRE(m.cuda.equal(answer.get(), torch.get(), 4 * count)); });
  const double poison_ms = best_ms([&] { m.cuda.poison(answer.get(), 4 * count, 0xFB); });
  const double failing_ms = best_ms([&] { REQUIRE(compare().unwritten == count); });
  WARN("columns=" << columns << " draw_ms=" << draw_ms << " first_compare_ms=" << first_ms
                  << " compare_ms=" << compare_ms << " equal_ms=" << equal_ms << " poison_ms=" << poison_ms
                  << " failing_ms=" << failing_ms);
  CHECK(compare_ms < 4);
  CHECK(equal_ms < 2);
  CHECK(draw_ms < 20);
}

}  // namespace kevolve
