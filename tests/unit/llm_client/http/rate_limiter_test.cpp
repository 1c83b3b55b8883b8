#include "llm_client/http/rate_limiter.hpp"

#include <vector>

#include "tests/catch.hpp"

namespace kevolve {
using namespace llm;
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

const RateLimiter::Time kLimiterStart{std::chrono::hours(1)};

TEST_CASE("without limits everything may be sent at once") {
  RateLimiter limiter;
  for (int i = 0; i < 1000; ++i) limiter.sent(kLimiterStart, 1'000'000);
  CHECK(limiter.ready(kLimiterStart, 1'000'000) == kLimiterStart);
}

TEST_CASE("no 60 seconds hold more requests than the limit") {
  RateLimiter limiter(3, std::nullopt);
  std::vector<RateLimiter::Time> sent;
  auto now = kLimiterStart;
  for (int i = 0; i < 12; ++i) {
    now = limiter.ready(now + seconds(7), 1);
    limiter.sent(now, 1);
    sent.push_back(now);
    if (i >= 3) CHECK(sent[i] - sent[i - 3] >= seconds(60));
  }
  CHECK(sent[3] - sent[0] == seconds(60));  // and no fewer than it
}

TEST_CASE("tokens are counted as expected, then as they were") {
  RateLimiter limiter(std::nullopt, 1000);
  const auto first = limiter.sent(kLimiterStart, 900);
  CHECK(limiter.ready(kLimiterStart, 200) == kLimiterStart + seconds(60));
  limiter.settled(first, 300);
  CHECK(limiter.ready(kLimiterStart, 200) == kLimiterStart);
  limiter.sent(kLimiterStart + seconds(10), 700);
  CHECK(limiter.ready(kLimiterStart + seconds(20), 300) == kLimiterStart + seconds(60));
  CHECK(limiter.ready(kLimiterStart + seconds(20), 301) == kLimiterStart + seconds(70));
  limiter.sent(kLimiterStart + seconds(500), 1);  // forgets the first
  limiter.settled(first, 5000);
  CHECK(limiter.ready(kLimiterStart + seconds(500), 900) == kLimiterStart + seconds(500));
}

TEST_CASE("a request above the limit is sent when nothing else was for a minute") {
  RateLimiter limiter(std::nullopt, 1000);
  CHECK(limiter.ready(kLimiterStart, 5000) == kLimiterStart);
  limiter.sent(kLimiterStart, 10);
  CHECK(limiter.ready(kLimiterStart, 5000) == kLimiterStart + seconds(60));
}

TEST_CASE("a pause holds everything back, and the longest counts") {
  RateLimiter limiter;
  limiter.pause(kLimiterStart + seconds(5));
  limiter.pause(kLimiterStart + seconds(2));
  CHECK(limiter.ready(kLimiterStart, 1) == kLimiterStart + seconds(5));
  CHECK(limiter.ready(kLimiterStart + seconds(6), 1) == kLimiterStart + seconds(6));
}

}  // namespace
}  // namespace kevolve
