#include "tests/unit/archive/fixture.hpp"

using namespace kevolve;
using namespace kevolve::archive;
using Catch::Matchers::ContainsSubstring;

TEST_CASE("show finds a candidate by number, hash or prefix, and tells its whole story") {
  ArchiveFixture fixture;
  const CandidateId parent = fixture.add("p");
  const CandidateId a = fixture.add("a", {{"BLOCK", 64}}, {{parent, Relation::same_idea}});
  const CandidateId twin = fixture.add("a", {{"BLOCK", 64}});
  const EvaluationId first = fixture.record(a, passed(2)),
                     again = fixture.record(twin, passed(3), Purpose::manual);
  const std::string hash = fixture.hash(a);
  std::string upper = hash.substr(0, 12);
  for (char& c : upper) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  for (const std::string& id : {numbered("#", a.value), hash, hash.substr(0, 8), upper}) {
    const CandidateDetail detail = must(fixture.archive.show(id));
    CHECK(detail.candidate.id == a);
    CHECK(detail.candidate.source == "a");
    CHECK(detail.operator_name == "layernorm");
    CHECK(detail.idea.text == "Split each row.");
    REQUIRE(detail.evaluations.size() == 2);
    CHECK(detail.evaluations[0].id == first);
    CHECK(detail.evaluations[1].id == again);
    CHECK(detail.evaluations[0].evaluation.measurements.size() == 2);
  }
  const Json json = to_json(must(fixture.archive.show(hash)));
  CHECK(json.at("tunables").at("BLOCK") == 64);
  CHECK(json.at("parents").at(0).at("relation") == "same idea");
  CHECK(json.at("evaluations").at(0).at("result").is_object());
  CHECK_THAT(json.at("created_at").get<std::string>(), ContainsSubstring("T") && ContainsSubstring("Z"));
}

TEST_CASE("show says what is wrong with an id") {
  ArchiveFixture fixture;
  fixture.add("a");
  CHECK_THAT(error_of(fixture.archive.show("#99")), ContainsSubstring("no candidate #99"));
  CHECK_THAT(error_of(fixture.archive.show("#1x")), ContainsSubstring("expected a number"));
  CHECK_THAT(error_of(fixture.archive.show("abc")), ContainsSubstring("at least 4"));
  CHECK_THAT(error_of(fixture.archive.show("zzzz")), ContainsSubstring("hexadecimal"));
  CHECK_THAT(error_of(fixture.archive.show("")), ContainsSubstring("at least 4"));
  const std::string hash = fixture.hash(CandidateId{1});
  std::string other = hash;
  other[10] = other[10] == '0' ? '1' : '0';
  CHECK_THAT(error_of(fixture.archive.show(other)), ContainsSubstring("no candidate's hash starts with"));
}

TEST_CASE("an ambiguous prefix lists the candidates it may mean") {
  ArchiveFixture fixture;
  std::map<std::string, std::string>
      seen;  // by the first 4 digits, of which two agree soon among random hashes
  std::string prefix;
  auto transaction = must(fixture.archive.begin());
  for (int i = 0; prefix.empty(); ++i) {
    const std::string hash = fixture.hash(fixture.add(numbered("k", i)));
    const auto [found, fresh] = seen.emplace(hash.substr(0, 4), hash);
    if (fresh) continue;
    prefix = hash.substr(0, 4);
    const std::string error = error_of(fixture.archive.show(prefix));
    CHECK_THAT(error, ContainsSubstring("ambiguous") && ContainsSubstring(hash.substr(0, 16)) &&
                          ContainsSubstring(found->second.substr(0, 16)));
  }
}

TEST_CASE("the ledger tells how each idea fared") {
  ArchiveFixture fixture;
  const CandidateId good = fixture.add("a"), better = fixture.add("b"), wrong = fixture.add("c");
  fixture.add("waiting");
  fixture.record(good, passed(2));
  fixture.record(better, passed(3));
  fixture.record(wrong, stopped(Gate::correctness, Outcome::wrong_result));
  const IdeaId untried = must(fixture.archive.add_idea({fixture.op, std::nullopt, "manual", "", "By hand."}));
  const auto ledger = must(fixture.archive.ledger(fixture.op));
  REQUIRE(ledger.size() == 2);
  CHECK(ledger[0].idea == fixture.idea);
  CHECK(ledger[0].key == "split_rows");
  CHECK(ledger[0].workload == "small");
  CHECK(ledger[0].round_number == 1);
  CHECK(ledger[0].attempts == 4);
  CHECK(ledger[0].evaluated == 3);
  CHECK(ledger[0].passed == 2);
  CHECK(ledger[0].best_speedup == 3);
  CHECK(ledger[0].outcomes == std::map<std::string, int>{{"passed", 2}, {"wrong_result", 1}});
  CHECK(ledger[1].idea == untried);
  CHECK(ledger[1].attempts == 0);
  CHECK(ledger[1].outcomes.empty());
  CHECK(must(fixture.archive.ledger(fixture.op, fixture.job.id)).size() == 1);
  CHECK(must(fixture.archive.ledger(OperatorId{99})).empty());

  fixture.record(better, stopped(Gate::correctness, Outcome::race), Purpose::retime);
  CHECK(must(fixture.archive.ledger(fixture.op))[0].best_speedup == 2);
}

TEST_CASE("the funnel counts where candidates stopped") {
  ArchiveFixture fixture;
  for (const char* source : {"a", "b"}) {
    fixture.record(fixture.add(source), stopped(Gate::compile, Outcome::compile_error));
  }
  fixture.record(fixture.add("c"), stopped(Gate::correctness, Outcome::race));
  fixture.record(fixture.add("d"), stopped(Gate::correctness, Outcome::wrong_result));
  fixture.record(fixture.add("e"), passed(2));
  fixture.add("f");
  must(fixture.archive.mark_evaluating(fixture.add("g")));
  for (const Funnel& funnel :
       {must(fixture.archive.funnel(fixture.job.id)), must(fixture.archive.funnel(fixture.round.id))}) {
    CHECK(funnel.proposed == 1);
    CHECK(funnel.evaluating == 1);
    CHECK(funnel.evaluated == 5);
    REQUIRE(funnel.stops.size() == 4);
    CHECK(funnel.stops[0].gate == Gate::compile);
    CHECK(funnel.stops[0].candidates == 2);
    CHECK(funnel.stopped_at(Gate::correctness) == 2);
    CHECK(funnel.stopped_at(Gate::timing) == 0);
    CHECK(funnel.passed() == 1);
  }
  const RoundRecord other = must(fixture.archive.begin_round(fixture.job.id, fixture.op, "benchmark"));
  CHECK(must(fixture.archive.funnel(other.id)).evaluated == 0);
}

TEST_CASE("the best of each round, and none where none passed") {
  ArchiveFixture fixture;
  fixture.record(fixture.add("a"), passed(2));
  const CandidateId best = fixture.add("b");
  fixture.record(best, passed(4));
  fixture.record(fixture.add("c"), stopped(Gate::timing, Outcome::quarantined));
  must(fixture.archive.finish_round(fixture.round.id));
  const RoundRecord second = must(fixture.archive.begin_round(fixture.job.id, fixture.op, "small"));
  const IdeaId idea = must(fixture.archive.add_idea({fixture.op, second.id, "playbook", "x", "X."}));
  const CandidateId wrong = must(fixture.archive.add_candidates(idea, {{"d", {}, {}}})).at(0);
  fixture.record(wrong, stopped(Gate::correctness, Outcome::crash));

  const auto bests = must(fixture.archive.round_bests(fixture.job.id));
  REQUIRE(bests.size() == 2);
  CHECK(bests[0].candidate == best);
  CHECK(bests[0].speedup == 4);
  CHECK(bests[0].median_us == 250);
  CHECK(bests[0].operator_name == "layernorm");
  CHECK(bests[0].round.state == RoundState::finished);
  CHECK(bests[1].round.number == 2);
  CHECK(bests[1].candidate == CandidateId{});
  CHECK(bests[1].speedup == 0);
}

TEST_CASE("times read as ISO 8601") {
  CHECK(to_iso8601(Timestamp(std::chrono::milliseconds(1'767'225'599'007))) == "2025-12-31T23:59:59.007Z");
}
