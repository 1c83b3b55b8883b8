#include "core/model/common_scale.hpp"

#include "tests/catch.hpp"

using namespace kevolve;

TEST_CASE("on a common scale every time is the yardstick's divided by the speed-up") {
  // The quickstart's contradiction: naive took 2.301 ms in an earlier hour, the best kernel 2.532 ms at 1.55
  // x.
  const CommonScale scale = CommonScale::of(2532, 1.55);
  CHECK(scale.us(1.55) == Approx(2532));
  CHECK(scale.us(1) == Approx(3924.6));
  CHECK(scale.us(1) / scale.us(1.55) == Approx(1.55));
}

TEST_CASE("a time that was taken beside the yardstick keeps its ratio to it on a common scale") {
  const CommonScale scale = CommonScale::of(500, 2);
  CHECK(scale.us_beside(300, 600) == Approx(500));
  CHECK(scale.us_beside(600, 600) == Approx(scale.yardstick_us));
}

TEST_CASE("what was not measured stays unknown on a common scale") {
  CHECK(CommonScale::of(500, 2).us(0) == 0);
  CHECK(CommonScale::of(500, 2).us_beside(0, 600) == 0);
  CHECK(CommonScale::of(500, 2).us_beside(300, 0) == 0);
  CHECK(CommonScale::of(0, 2).us(1) == 0);
}

TEST_CASE("a search's times agree with its speed-up, whenever they were taken") {
  // naive, eager and compile in the first hour; the best kernel in a later, slower one.
  const ComparedTimes cpu = on_common_scale({2301, 1150.5, 4602, 2532}, "naive", 1.55, 1, 0.5);
  CHECK(cpu.best_us == 2532);
  CHECK(cpu.naive_us / cpu.best_us == Approx(1.55));
  CHECK(cpu.naive_us / cpu.eager_us == Approx(2));
  CHECK(cpu.naive_us / cpu.compile_us == Approx(0.5));
  const ComparedTimes gpu = on_common_scale({900, 40, 0, 21.5}, "eager", 1.9, 0.05, 0);
  CHECK(gpu.eager_us / gpu.best_us == Approx(1.9));
  CHECK(gpu.eager_us / gpu.naive_us == Approx(0.05));
  CHECK(gpu.compile_us == 0);
}

TEST_CASE("a search's times stay as measured where there is no speed-up") {
  const ComparedTimes times = on_common_scale({900, 40, 30, 900}, "eager", 0, 0, 0);
  CHECK(times.naive_us == 900);
  CHECK(times.eager_us == 40);
  CHECK(times.compile_us == 30);
}
