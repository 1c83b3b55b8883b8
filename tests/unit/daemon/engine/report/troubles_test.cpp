#include "daemon/engine/report/troubles.hpp"

#include "tests/catch.hpp"

namespace kevolve {
using namespace engine;
namespace {

class Counter final : public Observer {
 public:
  void heard(const RunEvent& event) override { indices.push_back(event.index()); }
  std::vector<std::size_t> indices;
};

TEST_CASE("every event reaches the next observer, under its own name") {
  Counter next;
  TroubleCollector collector(next);
  collector.run_started({}, {});
  collector.seeded({});
  collector.round_started("gelu", 1, {});
  collector.evaluated("gelu", 1, "c", "i", {});
  collector.exchanged("gelu", 1, {});
  collector.promoted({});
  collector.operator_stopped({});
  collector.warned("w");
  collector.troubled("t");
  collector.noted("n");
  collector.run_ended({});
  std::vector<std::size_t> all(std::variant_size_v<RunEvent>);
  for (std::size_t i = 0; i < all.size(); ++i) all[i] = i;
  CHECK(next.indices == all);
}

TEST_CASE("warnings and troubles are kept once each, notes are not, and the first hundred are enough") {
  Observer silent;
  TroubleCollector collector(silent);
  collector.noted("a note");
  collector.warned("late");
  collector.troubled("away");
  collector.warned("late");
  CHECK(collector.troubles() == std::vector<std::string>{"late", "away"});
  for (int i = 0; i < 200; ++i) collector.note(std::to_string(i));
  CHECK(collector.troubles().size() == TroubleCollector::kMost);
  CHECK(collector.troubles().back() == "97");
}

}  // namespace
}  // namespace kevolve
