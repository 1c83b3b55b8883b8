#include "core/search/selection.hpp"

#include "tests/catch.hpp"

using namespace kevolve;
using namespace kevolve::search;

namespace {

Survivor kernel(const std::string& idea, double speedup) {
  return {"hash", idea, "", {}, speedup};
}

}  // namespace

TEST_CASE("survivors are the fastest, but near-copies do not fill the population") {
  const auto survivors = select_survivors(
      {kernel("a", 5), kernel("tune:a", 6), kernel("tune:a", 7), kernel("b", 2), kernel("c", 1)}, 4);
  REQUIRE(survivors.size() == 4);
  CHECK(survivors[0].speedup == 7);
  CHECK(survivors[1].speedup == 6);
  CHECK(survivors[2].idea_key == "b");
  CHECK(survivors[3].idea_key == "c");
}

TEST_CASE("a policy decides how much of the past the next round sees") {
  RoundContext context;
  context.survivors = {kernel("a", 3), kernel("b", 2)};
  context.ledger.resize(2);
  context.tried.insert("x");
  context.champion_us = 10;
  context.champion_profile = Profile{};

  CHECK(visible_to(PolicyKind::evolve, context).survivors.size() == 2);
  CHECK(visible_to(PolicyKind::evolve, context).champion_profile);
  const RoundContext refined = visible_to(PolicyKind::refine, context);
  REQUIRE(refined.survivors.size() == 1);
  CHECK(refined.survivors[0].idea_key == "a");
  const RoundContext sampled = visible_to(PolicyKind::sample, context);
  CHECK(sampled.survivors.empty());
  CHECK(sampled.ledger.empty());
  CHECK(sampled.champion_us == 0);
  CHECK_FALSE(sampled.champion_profile);
  CHECK(sampled.tried.size() == 1);
}
