#include "core/gates/reassessment.hpp"

#include "tests/catch.hpp"

namespace kevolve {
using namespace gates;
namespace {

using Finding = Reassessment::Finding;

Evaluation timed(double speedup, double spread = 0.01) {
  Evaluation e;
  e.verdict = {Outcome::passed, Gate::timing, ""};
  e.device.name = "cpu";
  Measurement own{"candidate", "cold", {}, 1000 / speedup, 1, 2}, naive{"naive", "cold", {}, 1000, 1, 2};
  for (int i = 0; i < 21; ++i) {
    own.samples_us.push_back(1000 / speedup * (1 + spread * (i - 10) / 10));
    naive.samples_us.push_back(1000);
  }
  e.measurements = {own, naive};
  e.speedup = speedup;
  e.speedup_low = speedup * (1 - spread);
  return e;
}

Evaluation stopped(Outcome outcome) {
  Evaluation e;
  e.verdict = {outcome, Gate::correctness, "Element [3,17] is 0.0, expected 0.71."};
  e.device.name = "cpu";
  return e;
}

TEST_CASE("a kernel that is as fast as archived holds, also when it is faster") {
  CHECK(reassess(timed(2), timed(2), "naive").finding == Finding::holds);
  CHECK(reassess(timed(2), timed(3), "naive").finding == Finding::holds);
  CHECK(reassess(timed(2), timed(1.97), "naive").finding == Finding::holds);  // less than says anything
}

TEST_CASE("slower is what is slower over the whole interval") {
  const Reassessment slow = reassess(timed(2), timed(1.5), "naive");
  CHECK(slow.finding == Finding::slower);
  REQUIRE(slow.slowdown);
  CHECK(slow.slowdown->median == Approx(4.0 / 3));
  CHECK(slow.slowdown->interval.low > kNoticeable);
  CHECK(slow.slowdown->interval.high > slow.slowdown->median);
  CHECK(reassess(timed(2), timed(1.8, 0.9), "naive").finding == Finding::holds);  // too wide to tell
}

TEST_CASE("a verdict against it makes it no longer right, a silent one decides nothing") {
  CHECK(reassess(timed(2), stopped(Outcome::wrong_result), "naive").finding == Finding::not_right);
  CHECK(reassess(timed(2), stopped(Outcome::race), "naive").finding == Finding::not_right);
  CHECK(reassess(timed(2), stopped(Outcome::unsupported), "naive").finding == Finding::undecided);
  CHECK(reassess(timed(2), stopped(Outcome::inconclusive), "naive").finding == Finding::undecided);
}

TEST_CASE("times of another device, and of no yardstick, are not compared") {
  Evaluation elsewhere = timed(1);
  elsewhere.device.model = "another";
  const Reassessment other = reassess(timed(2), elsewhere, "naive");
  CHECK(other.finding == Finding::holds);
  CHECK_FALSE(other.slowdown);
  CHECK_FALSE(reassess(timed(2), timed(1), "").slowdown);
  CHECK_FALSE(reassess(timed(2), timed(1), "eager").slowdown);
}

TEST_CASE("a figure whose samples were pruned is compared by its bounds") {
  Evaluation pruned = timed(2, 0.02);
  for (Measurement& m : pruned.measurements) m.samples_us.clear();
  const Reassessment slow = reassess(pruned, timed(1.5), "naive");
  CHECK(slow.finding == Finding::slower);
  CHECK(slow.slowdown->median == Approx(4.0 / 3));
}

}  // namespace
}  // namespace kevolve
