#include "core/devices/cuda/activity.hpp"

#include "tests/catch.hpp"

namespace kevolve {
using namespace cuda;

TEST_CASE("a run's first kernel is the flush, and what follows is the plan's") {
  const std::vector<TracedWork> run{{true, 0, 90'000}, {false, 91'000, 93'000}, {true, 94'000, 104'000}};
  const Witness witness = witness_of({run}, 1);
  CHECK(witness.launches == 1);
  CHECK(witness.busy_us == Approx(12));  // the fill and the kernel
  CHECK(witness.span_us == Approx(13));
}

TEST_CASE("kernels that overlap are busy once") {
  const std::vector<TracedWork> run{
      {true, 0, 1'000}, {true, 2'000, 12'000}, {true, 4'000, 8'000}, {true, 10'000, 15'000}};
  const Witness witness = witness_of({run}, 3);
  CHECK(witness.launches == 3);
  CHECK(witness.busy_us == Approx(13));
  CHECK(witness.span_us == Approx(13));
}

TEST_CASE("times are medians of the runs, and one run with a kernel too many is told") {
  const auto run = [](std::uint64_t ns, int kernels) {
    std::vector<TracedWork> work{{true, 0, 1'000}};
    for (int i = 0; i < kernels; ++i) work.push_back({true, 2'000, 2'000 + ns});
    return work;
  };
  const Witness witness = witness_of({run(5'000, 1), run(6'000, 1), run(90'000, 1)}, 1);
  CHECK(witness.busy_us == Approx(6));
  CHECK(witness.launches == 1);
  CHECK(witness_of({run(5'000, 1), run(5'000, 2), run(5'000, 1)}, 1).launches == 2);
  CHECK(witness_of({run(5'000, 1), run(5'000, 0), run(5'000, 1)}, 1).launches == 0);
}

TEST_CASE("without CUPTI a trace says what is missing") {
  const auto trace = ActivityTrace::begin("/nonexistent/libcupti.so.13");
  REQUIRE_FALSE(trace);
  CHECK_THAT(trace.error().message, Catch::Matchers::ContainsSubstring("/nonexistent/libcupti.so.13"));
}

}  // namespace kevolve
