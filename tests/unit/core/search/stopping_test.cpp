#include "core/search/stopping.hpp"

#include "core/search/regime.hpp"
#include "tests/catch.hpp"

using namespace kevolve;
using namespace kevolve::search;

TEST_CASE("a plateau is several rounds in a row without gain") {
  const PlateauRule rule{2, 0.02};
  CHECK_FALSE(plateau({100}, rule));
  CHECK_FALSE(plateau({100, 100}, rule));
  CHECK(plateau({100, 100, 99}, rule));
  CHECK_FALSE(plateau({100, 100, 97}, rule));
  CHECK_FALSE(plateau({100, 50, 50}, rule));
  CHECK(plateau({100, 50, 50, 50}, rule));
  CHECK(plateau({100, 50, 50, 50}, rule)->find("2 rounds") != std::string::npos);
}

TEST_CASE("nothing is left to win within a few percent of the physical limit") {
  CHECK(at_physical_limit(104, 100));
  CHECK_FALSE(at_physical_limit(120, 100));
  CHECK_FALSE(at_physical_limit(104, 0));
  CHECK_FALSE(at_physical_limit(0, 100));
}

TEST_CASE("the regime follows from the distance to the physical limit") {
  CHECK(infer_regime(150, 100) == Regime::memory_bound);
  CHECK(infer_regime(300, 100) == Regime::not_memory_bound);
  CHECK(infer_regime(300, 0) == Regime::unknown);
  CHECK(suits("memory_bound", Regime::memory_bound));
  CHECK_FALSE(suits("memory_bound", Regime::not_memory_bound));
  CHECK(suits("latency_bound", Regime::not_memory_bound));
  CHECK(suits("compute_bound", Regime::unknown));
}

TEST_CASE(
    "the regime follows from main memory where its rate is known, for a cpu's limit is that of its caches") {
  RoundContext known;
  known.champion_us = 300;
  known.floor_us = 60;
  CHECK(infer_regime(known) == Regime::not_memory_bound);
  known.memory_us = 200;
  CHECK(infer_regime(known) == Regime::memory_bound);
  // Far from what its bytes take, however near the limit that its operations set.
  known.floor_us = 280;
  known.memory_us = 13;
  CHECK(infer_regime(known) == Regime::not_memory_bound);
}

TEST_CASE("a profile's regime goes before the inferred one") {
  const Profile latency{Regime::latency_bound, {}, {}, "counters"};
  CHECK(regime_of(latency, Regime::memory_bound) == Regime::latency_bound);
  CHECK(regime_of(std::nullopt, Regime::memory_bound) == Regime::memory_bound);
  // One that could not be taken, or told nothing, leaves it to the time.
  CHECK(regime_of(Profile{Regime::latency_bound, {}, {}, "no permission"}, Regime::memory_bound) ==
        Regime::memory_bound);
  CHECK(regime_of(Profile{Regime::unknown, {}, {}, "counters"}, Regime::not_memory_bound) ==
        Regime::not_memory_bound);
  CHECK(suits("latency_bound", Regime::latency_bound));
  CHECK_FALSE(suits("compute_bound", Regime::latency_bound));
  CHECK_FALSE(suits("latency_bound", Regime::compute_bound));
  CHECK(suits("compute_bound", Regime::not_memory_bound));
}
