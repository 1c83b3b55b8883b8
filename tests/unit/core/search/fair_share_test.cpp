#include "core/search/fair_share.hpp"

#include "tests/catch.hpp"

namespace kevolve {
using namespace search;
namespace {

/// Turns of each member of `waiting` in `count` turns that cost what `cost` says.
template <class Cost>
std::map<int, int> serve(FairShare& share, const std::vector<int>& waiting, int count, Cost cost) {
  std::map<int, int> turns;
  for (int i = 0; i < count; ++i) {
    const auto member = share.next(waiting);
    REQUIRE(member);
    ++turns[*member];
    share.charge(*member, cost(*member));
  }
  return turns;
}

const auto one = [](int) { return 1.0; };

TEST_CASE("members are served in proportion to their weights") {
  FairShare share;
  const int low = share.enter(weight_of_priority(0)), high = share.enter(weight_of_priority(2));
  const auto turns = serve(share, {low, high}, 500, one);
  CHECK(turns.at(low) == 100);
  CHECK(turns.at(high) == 400);
}

TEST_CASE("equal members share by cost, not by turns") {
  FairShare share;
  const int cheap = share.enter(1), dear = share.enter(1);
  const auto turns = serve(share, {cheap, dear}, 400, [&](int member) { return member == dear ? 3.0 : 1.0; });
  CHECK(turns.at(cheap) == 300);
  CHECK(turns.at(dear) == 100);
}

TEST_CASE("a member that was away neither owes nor has saved up") {
  FairShare share;
  const int a = share.enter(1), b = share.enter(1);
  serve(share, {a}, 1000, one);
  const auto after = serve(share, {a, b}, 100, one);
  CHECK(after.at(b) >= 49);
  CHECK(after.at(b) <= 51);
  const int late = share.enter(1);
  const auto turns = serve(share, {a, b, late}, 300, one);
  CHECK(turns.at(late) >= 99);
  CHECK(turns.at(late) <= 101);
}

TEST_CASE("a new weight counts from then on, and nobody starves") {
  FairShare share;
  const int a = share.enter(1), b = share.enter(1);
  serve(share, {a, b}, 100, one);
  share.reweigh(a, weight_of_priority(kHighestPriority));
  share.reweigh(b, weight_of_priority(kLowestPriority));
  const auto turns = serve(share, {a, b}, 10'000, one);
  CHECK(turns.at(b) >= 9);  // 1 of 1025
  share.leave(a);
  CHECK(share.next({a, b}) == b);
  CHECK_FALSE(share.next({a}));
  share.charge(a, 1);  // an answer that comes after it left
}

TEST_CASE("priorities beyond the ends are the ends") {
  CHECK(weight_of_priority(0) == 1);
  CHECK(weight_of_priority(1) == 2);
  CHECK(weight_of_priority(99) == weight_of_priority(kHighestPriority));
  CHECK(weight_of_priority(-99) == weight_of_priority(kLowestPriority));
}

}  // namespace
}  // namespace kevolve
