#include "tests/unit/archive/fixture.hpp"

using namespace kevolve;
using namespace kevolve::archive;
using Catch::Matchers::ContainsSubstring;

TEST_CASE("the champion is the last promoted, the earlier ones stay on record") {
  ArchiveFixture fixture;
  Archive& archive = fixture.archive;
  CHECK_FALSE(must(archive.champion(fixture.key())));
  const CandidateId a = fixture.add("a"), b = fixture.add("b");
  must(archive.promote(fixture.key(), a, fixture.record(a, passed(2)), fixture.round.id));
  must(archive.promote(fixture.key(), b, fixture.record(b, passed(3), Purpose::retime), fixture.round.id));
  const auto champion = must(archive.champion(fixture.key()));
  CHECK(champion->candidate == b);
  CHECK(champion->speedup == 3);
  CHECK(champion->round == fixture.round.id);
  CHECK(must(archive.champions(fixture.key())).size() == 2);

  ResultKey elsewhere = fixture.key();
  elsewhere.workload = "benchmark";
  CHECK_FALSE(must(archive.champion(elsewhere)));
  elsewhere = fixture.key();
  elsewhere.precision = PrecisionClass::tf32;
  CHECK_FALSE(must(archive.champion(elsewhere)));
}

TEST_CASE("nothing becomes champion that did not pass timing at that very key") {
  ArchiveFixture fixture;
  const CandidateId a = fixture.add("a"), b = fixture.add("b");
  const EvaluationId failed = fixture.record(a, stopped(Gate::correctness, Outcome::unwritten));
  const auto promote = [&](ResultKey key, EvaluationId evaluation, CandidateId candidate) {
    return error_of(fixture.archive.promote(key, candidate, evaluation, std::nullopt));
  };
  CHECK_THAT(promote(fixture.key(), failed, a), ContainsSubstring("did not pass timing"));
  const EvaluationId untimed = fixture.record(b, stopped(Gate::correctness, Outcome::passed));
  CHECK_THAT(promote(fixture.key(), untimed, b), ContainsSubstring("did not pass timing"));
  const EvaluationId good = fixture.record(b, passed(2));
  CHECK_THAT(promote(fixture.key(), good, a), ContainsSubstring("another candidate"));
  for (int i = 0; i < 4; ++i) {
    ResultKey key = fixture.key();
    if (i == 0) key.workload = "benchmark";
    if (i == 1) key.precision = PrecisionClass::tf32;
    if (i == 2) key.device = must(fixture.archive.enter_device(make_device("cuda:0")));
    if (i == 3) key.op = must(fixture.archive.enter_operator(make_operator("layernorm", 2)));
    CHECK_THAT(promote(key, good, b),
               ContainsSubstring("another operator version, workload, device or precision"));
  }
  CHECK(must(fixture.archive.champions(fixture.key())).empty());
}

TEST_CASE("a champion that is refuted gives way to its predecessor") {
  ArchiveFixture fixture;
  const CandidateId a = fixture.add("a"), b = fixture.add("b");
  must(fixture.archive.promote(fixture.key(), a, fixture.record(a, passed(2)), fixture.round.id));
  const EvaluationId passing = fixture.record(b, passed(3));
  must(fixture.archive.promote(fixture.key(), b, passing, fixture.round.id));
  fixture.record(b, stopped(Gate::correctness, Outcome::race), Purpose::verify);
  CHECK(must(fixture.archive.champion(fixture.key()))->candidate == a);
  CHECK_THAT(error_of(fixture.archive.promote(fixture.key(), b, passing, fixture.round.id)),
             ContainsSubstring("refuted"));
  CHECK(must(fixture.archive.champions(fixture.key())).size() == 2);
}
