#include "archive/difference.hpp"

#include "tests/unit/archive/fixture.hpp"

using namespace kevolve;
using namespace kevolve::archive;

namespace {

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

TEST_CASE("two kernels differ in tunables, plan, times and source") {
  ArchiveFixture f;
  const std::string other = std::string(kSource).replace(std::string(kSource).find("ROWS"), 4, "COLS");
  const CandidateId a = f.add(kSource, {{"BLOCK", 64}});
  const CandidateId b = f.add(other, {{"BLOCK", 128}}, {{a, Relation::improves}});
  f.record(a, passed(2));
  f.record(b, passed(4));
  f.record(b, passed(3), Purpose::search, "large");
  const auto detail = [&](CandidateId id) { return must(f.archive.show("#" + std::to_string(id.value))); };
  const KernelDifference found = difference(detail(a), detail(b), must(f.archive.kinship(a, b)));
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
