#include "core/process/supervision.hpp"

#include "tests/catch.hpp"

namespace kevolve {
using namespace process;
namespace {

using std::chrono::milliseconds;

TEST_CASE("a worker that had answered something starts again at once") {
  BackOff back_off(milliseconds(500), milliseconds(60'000));
  CHECK(back_off.wait() == milliseconds(0));
  back_off.ended(true);
  CHECK(back_off.wait() == milliseconds(0));
  CHECK(back_off.failures() == 0);
}

TEST_CASE("the wait doubles with each end without an answer, up to the longest, and an answer resets it") {
  BackOff back_off(milliseconds(500), milliseconds(3'000));
  std::vector<long> waits;
  for (int i = 0; i < 6; ++i) {
    back_off.ended(false);
    waits.push_back(back_off.wait().count());
  }
  CHECK(waits == std::vector<long>{500, 1'000, 2'000, 3'000, 3'000, 3'000});
  CHECK(back_off.failures() == 6);
  back_off.ended(true);
  CHECK(back_off.wait() == milliseconds(0));
  back_off.ended(false);
  CHECK(back_off.wait() == milliseconds(500));
}

TEST_CASE("the first wait is never longer than the longest") {
  BackOff back_off(milliseconds(500), milliseconds(40));
  back_off.ended(false);
  CHECK(back_off.wait() == milliseconds(40));
}

TEST_CASE("a request is proven guilty at its second death when others were answered in between") {
  Suspicion suspicion;
  CHECK_FALSE(suspicion.proven(0, 5));
  suspicion.death(10);
  CHECK_FALSE(suspicion.proven(12, 5));  // one worker may die of anything
  suspicion.death(12);
  CHECK(suspicion.proven(12, 5));
  CHECK(suspicion.deaths() == 2);
}

TEST_CASE("while nothing is answered at all, the machine may be at fault: a request has `most` deaths") {
  Suspicion suspicion;
  for (int deaths = 1; deaths < 5; ++deaths) {
    suspicion.death(7);
    CHECK_FALSE(suspicion.proven(7, 5));
  }
  CHECK(suspicion.proven(7, 4));
  suspicion.death(7);
  CHECK(suspicion.proven(7, 5));
}

}  // namespace
}  // namespace kevolve
