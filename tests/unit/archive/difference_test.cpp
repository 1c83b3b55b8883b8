#include "archive/difference.hpp"

#include "tests/unit/archive/fixture.hpp"

using namespace kevolve;

namespace {

LineageNode node(std::int64_t id, std::vector<LineageNode> parents = {}) {
  LineageNode n;
  n.candidate = CandidateId{id};
  n.hash = numbered("h", static_cast<std::size_t>(id));
  for (LineageNode& parent : parents) parent.relation = Relation::improves;
  n.parents = std::move(parents);
  return n;
}

constexpr const char* kSource =
    "/*kevolve\n{ \"idea\": \"x\", \"launches\": [ { \"grid\": [\"ROWS\"] } ] }\n*/\n";

}  // namespace

TEST_CASE("fields are compared by their paths") {
  const auto found = compare_fields({{"BLOCK", 1}, {"list", {1, 2}}, {"same", true}},
                                    {{"BLOCK", 2}, {"list", {1}}, {"same", true}, {"new", "x"}});
  REQUIRE(found.size() == 3);
  CHECK(found[0].field == "BLOCK");
  CHECK(found[0].a == "1");
  CHECK(found[0].b == "2");
  CHECK(found[1].field == "list[1]");
  CHECK_FALSE(found[1].b);
  CHECK(found[2].field == "new");
  CHECK_FALSE(found[2].a);
}

TEST_CASE("kinship names the way up, or the nearest common ancestor") {
  using Kind = Kinship::Kind;
  const LineageNode root = node(1), child = node(2, {root}), grandchild = node(3, {child});
  CHECK(kinship(root, root).kind == Kind::same);
  CHECK(kinship(grandchild, root).kind == Kind::a_from_b);
  CHECK(kinship(grandchild, root).steps.size() == 2);
  CHECK(kinship(root, grandchild).kind == Kind::b_from_a);
  CHECK(kinship(root, node(9)).kind == Kind::none);
  const Kinship common = kinship(grandchild, node(4, {node(5, {child}), root}));
  CHECK(common.kind == Kind::common);
  CHECK(common.ancestor == CandidateId{1});  // 2 + 1 steps; over #2 it would be 1 + 2, and the older is named
  CHECK(common.a_steps + common.b_steps == 3);
}

TEST_CASE("an ancestor that a tree shows once is found by every way to it") {
  LineageNode again = node(2);
  again.repeated = true;
  const LineageNode a = node(6, {node(5, {node(2, {node(1)})}), again});
  CHECK(kinship(a, node(1)).steps.size() ==
        2);  // by the short way, whose parents stand elsewhere in the tree
}

TEST_CASE("two kernels differ in tunables, plan, times and source") {
  ArchiveFixture f;
  const std::string other = std::string(kSource).replace(std::string(kSource).find("ROWS"), 4, "COLS");
  const CandidateId a = f.add(kSource, {{"BLOCK", 64}});
  const CandidateId b = f.add(other, {{"BLOCK", 128}}, {{a, Relation::improves}});
  f.record(a, passed(2));
  f.record(b, passed(4));
  f.record(b, passed(3), Purpose::search, "large");
  const auto detail = [&](CandidateId id) { return must(f.archive.show("#" + std::to_string(id.value))); };
  const KernelDifference found =
      difference(detail(a), must(f.archive.lineage(a)), detail(b), must(f.archive.lineage(b)));
  CHECK(found.same_idea);
  CHECK(found.kinship.kind == Kinship::Kind::b_from_a);
  REQUIRE(found.tunables.size() == 1);
  CHECK(found.tunables[0].b == "128");
  REQUIRE(found.plan.size() == 1);
  CHECK(found.plan[0].field == "launches[0].grid[0]");
  CHECK(found.source_diff.find("+{ \"idea\": \"x\", \"launches\": [ { \"grid\": [\"COLS\"]") !=
        std::string::npos);
  REQUIRE(found.times.size() == 1);  // only `small` was timed for both
  CHECK(found.times[0].workload == "small");
  CHECK(found.times[0].a.median_us == 500);
  CHECK(found.times[0].b.speedup == 4);
  CHECK(to_json(found)["times"][0]["speedup_ratio"] == 0.5);
}

TEST_CASE("a kernel's detail says how it stands") {
  ArchiveFixture f;
  const CandidateId a = f.add("a");
  f.record(a, passed(2));
  auto detail = must(f.archive.show("#1"));
  REQUIRE(detail.standings.size() == 1);
  CHECK_FALSE(detail.standings[0].refuted);
  const EvaluationId wrong = f.record(a, stopped(Gate::correctness, Outcome::wrong_result), Purpose::verify);
  detail = must(f.archive.show("#1"));
  CHECK(detail.standings[0].refuted);
  CHECK(detail.standings[0].evaluation == wrong);
  CHECK(to_json(detail)["standings"][0]["state"] == "refuted");
}
