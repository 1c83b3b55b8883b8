#include "daemon/engine/job/budget_clock.hpp"

#include "tests/catch.hpp"

namespace kevolve {
using namespace engine;
using namespace search;
namespace {

using Catch::Matchers::WithinAbs;
using std::chrono::seconds;

TEST_CASE("a budget counts earlier runs and this one, but no pauses") {
  const BudgetClock::Clock::time_point start{};
  BudgetClock clock(start);
  clock.carry_over({.evaluations = 100, .requests = 7, .tokens = 1'000, .usd = 0.5, .wall_seconds = 60});
  clock.pause(4);
  clock.pause(1);
  const Usage models{.requests = 9, .tokens = 1'500, .usd = 0.75};
  const Usage used = clock.used(models, 20, start + seconds(30));
  CHECK(used.evaluations == 120);
  CHECK(used.requests == 9);
  CHECK(used.tokens == 1'500);
  CHECK_THAT(used.usd, WithinAbs(0.75, 1e-12));
  CHECK_THAT(used.wall_seconds, WithinAbs(60 + 30 - 5, 1e-9));
  CHECK_THAT(clock.elapsed_seconds(start + seconds(30)), WithinAbs(30, 1e-9));
}

}  // namespace
}  // namespace kevolve
