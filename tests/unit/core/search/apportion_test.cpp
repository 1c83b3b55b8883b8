#include "core/search/apportion.hpp"

#include "tests/catch.hpp"

using namespace kevolve;
using namespace kevolve::search;

TEST_CASE("a round's ideas are dealt by weight") {
  CHECK(apportion(4, {1, 3}, 1) == std::vector<int>{1, 3});
  CHECK(apportion(3, {1}, 1) == std::vector<int>{3});
  CHECK(apportion(2, {0.5, 0.5}, 1) == std::vector<int>{1, 1});
  CHECK(apportion(3, {}, 1).empty());
}

TEST_CASE("over many rounds the shares are the weights, though one round cannot show them") {
  std::vector<int> sum(2, 0);
  for (int round = 1; round <= 10; ++round) {
    const auto shares = apportion(1, {1, 4}, round);
    CHECK(shares[0] + shares[1] == 1);
    sum[0] += shares[0];
    sum[1] += shares[1];
  }
  CHECK(sum == std::vector<int>{2, 8});
}
