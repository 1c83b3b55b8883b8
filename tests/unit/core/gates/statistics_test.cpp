#include "core/gates/statistics.hpp"

#include <cmath>
#include <random>

#include "tests/catch.hpp"

namespace kevolve {
using namespace gates;
namespace {

std::vector<double> noisy(double median_us, double spread, int count, std::mt19937_64& random) {
  std::lognormal_distribution<double> noise(0, spread);
  std::vector<double> samples(static_cast<std::size_t>(count));
  for (double& sample : samples) sample = median_us * noise(random);
  return samples;
}

}  // namespace

TEST_CASE("the median of odd and even counts") {
  CHECK(median(std::vector<double>{5, 1, 3}) == 3);
  CHECK(median(std::vector<double>{5, 1, 3, 100}) == 4);
  CHECK(median(std::vector<double>{7}) == 7);
}

TEST_CASE("an interval holds its median, repeats for a seed and narrows with samples") {
  std::mt19937_64 random(1);
  const auto few = noisy(100, 0.05, 10, random), many = noisy(100, 0.05, 400, random);
  const Interval a = median_interval(few, 7), b = median_interval(few, 7), c = median_interval(many, 7);
  CHECK(a.low == b.low);
  CHECK(a.high == b.high);
  CHECK(a.low <= median(few));
  CHECK(median(few) <= a.high);
  CHECK(c.high - c.low < a.high - a.low);
}

TEST_CASE("the interval covers the true median in about 95 % of trials") {
  std::mt19937_64 random(2);
  int covered = 0;
  for (int trial = 0; trial < 400; ++trial) {
    const Interval interval = median_interval(noisy(100, 0.1, 25, random), trial);
    covered += interval.low <= 100 && 100 <= interval.high ? 1 : 0;
  }
  CHECK(covered >= 360);  // 90 %
}

TEST_CASE("a paired ratio cancels drift that both sides share") {
  std::vector<double> slow, fast;
  for (int i = 0; i < 20; ++i) {
    const double drift = 1 + 0.5 * i;
    slow.push_back(200 * drift);
    fast.push_back(100 * drift);
  }
  const Ratio ratio = paired_ratio(slow, fast, 3);
  CHECK(ratio.median == Approx(2));
  CHECK(ratio.interval.low == Approx(2));
  CHECK(promotes(ratio));
  CHECK_FALSE(promotes(paired_ratio(fast, slow, 3)));
}

TEST_CASE("the same kernel against itself is called a win in fewer than 1 % of trials") {
  std::mt19937_64 random(4);
  for (const double spread : {0.005, 0.02, 0.1}) {
    int wins = 0;
    for (int trial = 0; trial < 500; ++trial) {
      const auto a = noisy(50, spread, 20, random), b = noisy(50, spread, 20, random);
      wins += promotes(paired_ratio(a, b, trial)) ? 1 : 0;
    }
    CAPTURE(spread, wins);
    // At 10 % noise and 20 pairs a single evaluation is not proof; promotion there takes repeated runners.
    CHECK(wins < (spread < 0.05 ? 5 : 20));
  }
}

TEST_CASE("a real win of 3 % is seen at 1 % noise") {
  std::mt19937_64 random(5);
  int wins = 0;
  for (int trial = 0; trial < 100; ++trial) {
    wins += promotes(paired_ratio(noisy(103, 0.01, 30, random), noisy(100, 0.01, 30, random), trial)) ? 1 : 0;
  }
  CHECK(wins > 90);
}

TEST_CASE("sampling stops for each of its reasons") {
  const StoppingSettings settings{.min_samples = 10, .max_samples = 40, .max_seconds = 2};
  const auto stop = [&](std::vector<double> yardstick, std::vector<double> candidate, double seconds) {
    return should_stop(yardstick, candidate, seconds, settings, 1);
  };
  std::mt19937_64 random(6);
  CHECK_FALSE(stop({1, 1}, {9, 9}, 100));                    // two pairs decide nothing
  CHECK(stop({1, 1, 1}, {9, 9, 9}, 0) == Stop::cannot_win);  // hopeless
  CHECK_FALSE(stop({1, 1, 1}, {9, 1, 9}, 0));                // perhaps not
  CHECK(stop({1, 1, 1}, {1, 1, 1}, 2.5) == Stop::max_seconds);
  CHECK(stop(std::vector<double>(40, 1), noisy(1, 0.2, 40, random), 0) == Stop::max_samples);
  CHECK(stop(std::vector<double>(10, 2), std::vector<double>(10, 1), 0) == Stop::narrow_enough);
  CHECK(stop(std::vector<double>(10, 1), noisy(1.3, 0.01, 10, random), 0) == Stop::cannot_win);
  CHECK_FALSE(stop(std::vector<double>(10, 1), noisy(0.9, 0.2, 10, random), 0));  // still wide
}

TEST_CASE("a promotion needs all samples together and the median of each fresh pair of runners") {
  const auto ratio = [](double median, double low) { return Ratio{median, {low, median * median / low}}; };
  const std::vector<Ratio> won{ratio(1.03, 1.0), ratio(1.02, 1.0), ratio(1.04, 1.0)};
  CHECK(promotes(ratio(1.03, 1.02), won));
  CHECK_FALSE(promotes(ratio(1.03, 1.005), won));  // together not sure enough
  // One process that is slow for reasons of its own makes two wins; the third pair knows better.
  const std::vector<Ratio> unlucky{ratio(1.04, 1.03), ratio(1.04, 1.03), ratio(1.0, 0.99)};
  CHECK_FALSE(promotes(ratio(1.03, 1.02), unlucky));
}

TEST_CASE("a ratio is carried over to something of known speed") {
  const Ratio half = scaled({1.2, {1.1, 1.3}}, 0.5);
  CHECK(half.median == Approx(0.6));
  CHECK(half.interval.low == Approx(0.55));
  CHECK(half.interval.high == Approx(0.65));
}

TEST_CASE("one pair is enough where nothing can be won") {
  const StoppingSettings settings{.min_samples = 10, .max_samples = 40, .max_seconds = 10};
  const std::vector<double> rival{1.0};
  CHECK(should_stop(rival, std::vector<double>{31.0}, 0.1, settings, 1) == Stop::cannot_win);
  CHECK_FALSE(should_stop(rival, std::vector<double>{29.0}, 0.1, settings, 1));
}

}  // namespace kevolve
