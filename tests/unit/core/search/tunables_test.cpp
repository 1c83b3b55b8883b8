#include "core/search/tunables.hpp"

#include "tests/unit/core/search/fixture.hpp"

using namespace kevolve;
using namespace kevolve::search;
using namespace kevolve::testing;

TEST_CASE("neighbours move one tunable by one step of its sorted values") {
  const Operator op = doubling_operator();
  const PlaybookEntry e = entry(op, "a");
  const DeviceLimits limits;
  const TunableSpace space(e.header, op, op.workload("small")->axes, limits);
  const auto near = space.neighbours({{"BLOCK", 64}, {"ITEMS", 8}});
  CHECK(near == std::vector<Bindings>{{{"BLOCK", 128}, {"ITEMS", 8}}, {{"BLOCK", 64}, {"ITEMS", 4}}});
  // 256 x 8 breaks the constraint
  const auto at_edge = space.neighbours({{"BLOCK", 256}, {"ITEMS", 4}});
  CHECK(at_edge == std::vector<Bindings>{{{"BLOCK", 128}, {"ITEMS", 4}}, {{"BLOCK", 256}, {"ITEMS", 2}}});
}

TEST_CASE("crossovers take each tunable from one of two parents") {
  const Operator op = doubling_operator();
  const PlaybookEntry e = entry(op, "a");
  const DeviceLimits limits;
  const TunableSpace space(e.header, op, op.workload("small")->axes, limits);
  Random random(3);
  const Bindings a{{"BLOCK", 64}, {"ITEMS", 8}}, b{{"BLOCK", 128}, {"ITEMS", 1}};
  const auto children = space.crossovers(a, b, random);
  CHECK(children.size() == 2);
  for (const Bindings& child : children) {
    CHECK(child != a);
    CHECK(child != b);
  }
}

TEST_CASE("derived seeds depend on seed and label") {
  CHECK(derive_seed(1, "a") == derive_seed(1, "a"));
  CHECK(derive_seed(1, "a") != derive_seed(2, "a"));
  CHECK(derive_seed(1, "a") != derive_seed(1, "b"));
}
