#include "llm_client/http/circuit_breaker.hpp"

#include "tests/catch.hpp"

namespace kevolve {
using namespace llm;
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

const CircuitBreaker::Time kStart{std::chrono::hours(1)};

TEST_CASE("a breaker opens after failures in a row, not after as many apart") {
  CircuitBreaker breaker;
  for (int i = 0; i < 20; ++i) {
    for (int failures = 0; failures < 4; ++failures) CHECK_FALSE(breaker.failed(kStart, false));
    CHECK_FALSE(breaker.succeeded(kStart));
  }
  for (int failures = 0; failures < 4; ++failures) CHECK_FALSE(breaker.failed(kStart, false));
  CHECK(breaker.failed(kStart, false));
  CHECK(breaker.open());
  CHECK_FALSE(breaker.failed(kStart, false));  // told once
}

TEST_CASE("an open breaker admits one probe at a time, at intervals that grow to a minute") {
  CircuitBreaker breaker;
  CHECK(breaker.trip(kStart));
  CHECK_FALSE(breaker.trip(kStart));
  auto now = kStart;
  const int expected[] = {1, 2, 4, 8, 16, 32, 60, 60};
  for (const int interval : expected) {
    CHECK(breaker.next_probe() == now + seconds(interval));
    CHECK_FALSE(breaker.admits(now + seconds(interval) - milliseconds(1)));
    now += seconds(interval);
    REQUIRE(breaker.admits(now));
    breaker.sent();
    CHECK_FALSE(breaker.admits(now + seconds(500)));
    CHECK_FALSE(breaker.next_probe());
    breaker.failed(now, false);  // one that was under way before it opened
    CHECK_FALSE(breaker.admits(now + seconds(500)));
    breaker.failed(now, true);
  }
}

TEST_CASE("a success closes a breaker and tells how long it was open") {
  CircuitBreaker breaker;
  breaker.trip(kStart);
  breaker.sent();
  CHECK(breaker.succeeded(kStart + seconds(90)) == milliseconds(90'000));
  CHECK_FALSE(breaker.open());
  CHECK(breaker.admits(kStart));
  CHECK_FALSE(breaker.failed(kStart, false));  // the count begins anew
}

TEST_CASE("a probe without a verdict makes room for the next") {
  CircuitBreaker breaker;
  breaker.trip(kStart);
  breaker.sent();
  breaker.abandoned(true);
  CHECK(breaker.admits(kStart + seconds(1)));
}

}  // namespace
}  // namespace kevolve
