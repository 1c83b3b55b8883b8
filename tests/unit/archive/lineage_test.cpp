#include "archive/kinship.hpp"
#include "tests/unit/archive/fixture.hpp"

using namespace kevolve;
using namespace kevolve::archive;
using Catch::Matchers::ContainsSubstring;

namespace {

/// Parents by child.
using Family = std::map<std::int64_t, std::vector<std::int64_t>>;

Kinship kin(const Family& family, std::int64_t a, std::int64_t b,
            std::vector<std::int64_t>* asked = nullptr) {
  return nearest_kinship(CandidateId{a}, CandidateId{b}, [&](CandidateId child) {
    if (asked != nullptr) asked->push_back(child.value);
    std::vector<ParentRecord> parents;
    if (const auto found = family.find(child.value); found != family.end()) {
      for (const std::int64_t parent : found->second)
        parents.push_back({CandidateId{parent}, parent == 2 ? Relation::combines : Relation::improves});
    }
    return parents;
  });
}

using Kind = Kinship::Kind;

}  // namespace

TEST_CASE("lineage is a tree of ancestors in which a shared one is expanded once") {
  ArchiveFixture fixture;
  const CandidateId seed = fixture.add("seed");
  const CandidateId left = fixture.add("left", {}, {{seed, Relation::seeded_by}});
  const CandidateId right = fixture.add("right", {}, {{seed, Relation::mutates_tunables_of}});
  const CandidateId child =
      fixture.add("child", {{"V", 4}}, {{left, Relation::combines}, {right, Relation::combines}});
  fixture.record(seed, passed(1.5));
  fixture.record(left, stopped(Gate::compile, Outcome::compile_error));
  const LineageNode root = must(fixture.archive.lineage(child));
  CHECK(root.candidate == child);
  CHECK_FALSE(root.relation);
  CHECK_FALSE(root.verdict);
  CHECK(root.tunables == Bindings{{"V", 4}});
  REQUIRE(root.parents.size() == 2);
  CHECK(root.parents[0].candidate == left);
  CHECK(root.parents[0].relation == Relation::combines);
  CHECK(root.parents[0].verdict->outcome == Outcome::compile_error);
  CHECK(root.parents[0].speedup == 0);
  REQUIRE(root.parents[0].parents.size() == 1);
  CHECK(root.parents[0].parents[0].candidate == seed);
  CHECK(root.parents[0].parents[0].speedup == 1.5);
  CHECK_FALSE(root.parents[0].parents[0].repeated);
  CHECK(root.parents[1].parents[0].repeated);
  CHECK(root.parents[1].parents[0].relation == Relation::mutates_tunables_of);
  CHECK(to_json(root).at("parents").at(1).at("parents").at(0).at("repeated") == true);
  CHECK_THAT(error_of(fixture.archive.lineage(CandidateId{99})), ContainsSubstring("no candidate #99"));
}

TEST_CASE("a lineage goes so many generations back, and says where it was cut") {
  ArchiveFixture fixture;
  std::vector<CandidateId> chain = {fixture.add("seed")};
  for (int i = 1; i < 6; ++i)
    chain.push_back(fixture.add(numbered("k", i), {}, {{chain.back(), Relation::improves}}));
  const LineageNode root = must(fixture.archive.lineage(chain[5], 2));
  const LineageNode& parent = root.parents.at(0);
  const LineageNode& grandparent = parent.parents.at(0);
  CHECK_FALSE(parent.cut);
  CHECK(grandparent.candidate == chain[3]);
  CHECK(grandparent.cut);
  CHECK(grandparent.parents.empty());
  CHECK(to_json(grandparent).at("cut") == true);
  CHECK_FALSE(must(fixture.archive.lineage(chain[1], 1)).parents.at(0).cut);  // the seed has no parents
  CHECK(must(fixture.archive.count_ancestors(chain[5], 100)) == 5);
  CHECK(must(fixture.archive.count_ancestors(chain[5], 3)) == 3);
  CHECK(must(fixture.archive.count_ancestors(chain[0], 100)) == 0);
}

TEST_CASE("a lineage that is cut holds ancestors that are near by any way") {
  ArchiveFixture fixture;
  const CandidateId seed = fixture.add("seed"), old = fixture.add("old", {}, {{seed, Relation::improves}});
  const CandidateId middle = fixture.add("middle", {}, {{old, Relation::improves}});
  const CandidateId child =
      fixture.add("child", {}, {{middle, Relation::improves}, {old, Relation::combines}});
  // `old` is two generations away by `middle`, which comes first, but its parent is two away by the other.
  const LineageNode root = must(fixture.archive.lineage(child, 2));
  REQUIRE(root.parents.size() == 2);
  const LineageNode& by_middle = root.parents[0].parents.at(0);
  CHECK(by_middle.candidate == old);
  CHECK_FALSE(by_middle.cut);
  CHECK(by_middle.parents.at(0).candidate == seed);
  CHECK(root.parents[1].repeated);
}

TEST_CASE("kinship names the way up, or the nearest common ancestor") {
  const Family family = {{2, {1}}, {3, {2}}, {5, {2}}, {6, {5, 1}}};
  CHECK(kin(family, 3, 3).kind == Kind::same);
  CHECK(kin(family, 3, 1).kind == Kind::a_from_b);
  CHECK(kin(family, 3, 1).steps == std::vector<std::string>{"combines", "improves"});
  CHECK(kin(family, 1, 3).kind == Kind::b_from_a);
  CHECK(kin(family, 1, 3).steps.size() == 2);
  CHECK(kin(family, 3, 4).kind == Kind::none);
  const Kinship common = kin(family, 3, 6);
  CHECK(common.kind == Kind::common);
  CHECK(common.ancestor == CandidateId{1});  // 2 + 1 steps; by #2 it would be 1 + 2, and the older is named
  CHECK(common.a_steps == 2);
  CHECK(common.b_steps == 1);
}

TEST_CASE("the nearest common ancestor need not be the youngest") {
  // #20 and #21 meet in #7, four steps away from #20, and in #1, one step away from each.
  const Family family = {{10, {7}}, {11, {10}}, {12, {11}}, {20, {12, 1}}, {21, {7, 1}}};
  const Kinship common = kin(family, 20, 21);
  CHECK(common.ancestor == CandidateId{1});
  CHECK(common.a_steps + common.b_steps == 2);
}

TEST_CASE("one that comes from the other is said to, however near a common ancestor is") {
  const Family family = {{3, {1}}, {4, {3}}, {5, {4}}, {6, {5, 1}}};
  CHECK(kin(family, 6, 3).kind == Kind::a_from_b);
  CHECK(kin(family, 6, 3).steps.size() == 3);
}

TEST_CASE("kinship looks no further back than it must") {
  Family family;
  for (std::int64_t i = 2; i <= 1000; ++i) family[i] = {i - 1};
  family[1001] = {900};
  std::vector<std::int64_t> asked;
  CHECK(kin(family, 1000, 1001, &asked).ancestor == CandidateId{900});
  CHECK(asked.size() < 110);
  asked.clear();
  CHECK(kin(family, 1000, 990, &asked).kind == Kind::a_from_b);
  CHECK(asked.size() == 10);
}

TEST_CASE("kinship of archived candidates names the ancestor") {
  ArchiveFixture f;
  const CandidateId seed = f.add("seed");
  const CandidateId a = f.add("a", {}, {{seed, Relation::improves}});
  const CandidateId b = f.add("b", {}, {{seed, Relation::repairs}});
  const Kinship found = must(f.archive.kinship(a, b));
  CHECK(found.kind == Kind::common);
  CHECK(found.ancestor_hash == f.hash(seed));
  CHECK(must(f.archive.kinship(b, seed)).steps == std::vector<std::string>{"repairs"});
}
