#include "core/search/budget.hpp"

#include "tests/catch.hpp"

using namespace kevolve;
using namespace kevolve::search;

namespace {

JobBudget budget(std::optional<std::int64_t> requests, std::optional<std::int64_t> tokens,
                 std::optional<double> usd) {
  JobBudget limits;
  limits.requests = requests;
  limits.tokens = tokens;
  limits.usd = usd;
  return limits;
}

}  // namespace

TEST_CASE("the first limit that is spent is named") {
  JobBudget limits = budget(10, 1000, 2.0);
  CHECK(spent_limit(limits, {}).empty());
  CHECK(spent_limit({}, {1 << 30, 1 << 30, 1 << 30, 1e9, 1e9}).empty());
  CHECK(spent_limit(limits, {.requests = 10}) == "budget: 10 requests to models spent");
  CHECK(spent_limit(limits, {.tokens = 1200}) == "budget: 1200 tokens spent");
  CHECK(spent_limit(limits, {.usd = 2.004}) == "budget: 2.00 USD spent");
  limits.evaluations = 5;
  limits.wall_seconds = 60;
  CHECK(spent_limit(limits, {.evaluations = 5, .requests = 10}) == "budget: 5 evaluations spent");
  CHECK(spent_limit(limits, {.wall_seconds = 61}) == "budget: 61 s of wall time spent");
}

TEST_CASE("requests under way count") {
  ExchangeBudget exchanges(budget(3, {}, {}), {});
  for (int i = 0; i < 3; ++i) {
    REQUIRE(exchanges.may_ask(100));
    exchanges.asked(100);
  }
  CHECK_FALSE(exchanges.may_ask(100));
  exchanges.answered(100, 1, 500, 0);
  CHECK_FALSE(exchanges.may_ask(100));  // one answered, two under way
}

TEST_CASE("retries are requests") {
  ExchangeBudget exchanges(budget(3, {}, {}), {});
  exchanges.asked(100);
  exchanges.answered(100, 3, 500, 0);
  CHECK_FALSE(exchanges.may_ask(100));
}

TEST_CASE("what earlier runs spent counts") {
  CHECK_FALSE(ExchangeBudget(budget({}, {}, 1.0), {.usd = 1.0}).may_ask(100));
}

TEST_CASE("tokens and money under way are estimated from what came back") {
  ExchangeBudget exchanges(budget({}, {}, 1.0), {});
  exchanges.asked(1000);
  CHECK(exchanges.may_ask(1000));  // nothing is known of the price yet
  exchanges.answered(1000, 1, 2000, 0.3);
  exchanges.asked(1000);  // about 0.3: 0.6 in all
  CHECK(exchanges.may_ask(1000));
  exchanges.asked(1000);  // 0.9
  CHECK_FALSE(exchanges.may_ask(1000));
  exchanges.answered(1000, 1, 2000, 0.3);
  exchanges.answered(1000, 1, 2000, 0.3);
  CHECK(exchanges.may_ask(1000));  // nothing else is under way: the rest is used up
}
