#include "core/search/standing.hpp"

#include "tests/catch.hpp"

namespace kevolve {
using namespace search;
namespace {

TEST_CASE("a measured scale goes by speed-ups") {
  const Scale scale = Scale::measured(600);
  CHECK(scale.is_measured());
  CHECK(scale.score("any", 1.5) == 1.5);
  CHECK(scale.us(1.5) == Approx(400));
  CHECK(scale.us(0) == 0);
  CHECK(scale.own_us(410, 1.5) == 410);
  CHECK(scale.told(12) == 12);
}

TEST_CASE("a drawn scale goes by seed and hash, and tells no measurement") {
  const Scale scale = Scale::drawn(7, "naive");
  CHECK_FALSE(scale.is_measured());
  CHECK(scale.score("naive", 0.2) == 1);
  CHECK(scale.score("other", 0.2) == scale.score("other", 3));
  CHECK(scale.score("other", 2) != Scale::drawn(8, "naive").score("other", 2));
  CHECK(scale.score("other", 0) == 0);  // it was not verified
  CHECK(scale.us(2) == 500);
  CHECK(scale.own_us(410, 2) == 500);
  CHECK(scale.told(12) == 0);
}

Standing at_start() {
  Standing standing;
  standing.scale = Scale::measured(1000);
  standing.naive.id = standing.champion.id = {1};
  standing.naive.median_us = standing.champion.median_us = 1000;
  standing.best_us = {1000};
  return standing;
}

TEST_CASE("a search goes on until a plateau") {
  Standing standing = at_start();
  const PlateauRule rule{2, 0.02};
  CHECK(reason_to_stop(standing, rule).empty());
  add_round(standing, 1);
  CHECK(standing.rounds_done == 1);
  CHECK(reason_to_stop(standing, rule).empty());
  standing.champion.median_us = 500;
  add_round(standing, 2);
  CHECK(standing.last_round == 2);
  add_round(standing, 3);
  CHECK(reason_to_stop(standing, rule).empty());
  add_round(standing, 4);
  CHECK(standing.best_us == std::vector<double>{1000, 1000, 500, 500, 500});
  CHECK(reason_to_stop(standing, rule) == "plateau: no gain above 2 % in 2 rounds");
}

TEST_CASE("a search ends at the physical limit, but not by drawn scores") {
  Standing standing = at_start();
  standing.times.floor_us = 980;
  CHECK(reason_to_stop(standing, {}).starts_with("at the physical limit"));
  standing.scale = Scale::drawn(1, "naive");
  CHECK(reason_to_stop(standing, {}).empty());
}

TEST_CASE("a reason that is known stays") {
  Standing standing = at_start();
  standing.stop_reason = kNothingLeft;
  standing.times.floor_us = 980;
  CHECK(reason_to_stop(standing, {}) == kNothingLeft);
}

TEST_CASE("verdicts are counted by outcome") {
  VerdictCounts counts;
  counts.add({Outcome::passed, Gate::timing, ""});
  counts.add({Outcome::race, Gate::correctness, "It races."});
  counts.add({Outcome::race, Gate::correctness, "It races."});
  CHECK(counts.judged == 3);
  CHECK(counts.passed == 1);
  CHECK(counts.outcomes == std::map<std::string, int>{{"passed", 1}, {"race", 2}});
}

}  // namespace
}  // namespace kevolve
