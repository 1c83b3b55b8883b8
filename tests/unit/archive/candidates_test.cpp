#include "archive/connection.hpp"
#include "core/model/candidate.hpp"
#include "core/text/sha256.hpp"
#include "tests/unit/archive/fixture.hpp"

using namespace kevolve;
using namespace kevolve::archive;
using Catch::Matchers::ContainsSubstring;

TEST_CASE("candidates come back with source, tunables and parents, in order") {
  ArchiveFixture fixture;
  const CandidateId parent = fixture.add("parent");
  const auto ids = must(fixture.archive.add_candidates(
      fixture.idea, {{"one\nline \xe2\x82\xac", {{"BLOCK", 256}}, {{parent, Relation::mutates_tunables_of}}},
                     {"two", {}, {{parent, Relation::combines}, {parent, Relation::seeded_by}}}}));
  const auto candidates = must(fixture.archive.candidates(fixture.round.id));
  REQUIRE(candidates.size() == 3);
  CHECK(candidates[1].id == ids[0]);
  CHECK(candidates[1].source == "one\nline \xe2\x82\xac");
  CHECK(candidates[1].tunables == Bindings{{"BLOCK", 256}});
  CHECK(candidates[1].hash == candidate_hash("one\nline \xe2\x82\xac", {{"BLOCK", 256}}));
  CHECK(candidates[1].source_hash == sha256_hex("one\nline \xe2\x82\xac"));
  CHECK(candidates[1].state == CandidateState::proposed);
  REQUIRE(candidates[2].parents.size() == 2);
  CHECK(candidates[2].parents[0].relation == Relation::combines);
  CHECK(candidates[2].parents[1].candidate == parent);
  CHECK(candidates[2].op == fixture.op);
  CHECK(candidates[2].round == fixture.round.id);
}

TEST_CASE("one bad candidate keeps all of its batch out") {
  ArchiveFixture fixture;
  const auto refused = fixture.archive.add_candidates(
      fixture.idea, {{"good", {}, {}}, {"bad", {}, {{CandidateId{999}, Relation::combines}}}});
  CHECK_FALSE(refused.has_value());
  CHECK(must(fixture.archive.candidates(fixture.round.id)).empty());
  CHECK_THAT(error_of(fixture.archive.add_candidates(IdeaId{999}, {{"a", {}, {}}})),
             ContainsSubstring("no idea 999"));
}

TEST_CASE("a source is kept once, however many candidates use it") {
  ArchiveFixture fixture;
  fixture.add("same", {{"BLOCK", 1}});
  fixture.add("same", {{"BLOCK", 2}});
  fixture.add("other");
  Connection raw(fixture.folder / "a.db", Connection::Access::read_only, std::chrono::seconds(1));
  CHECK(raw.integer("SELECT count(*) FROM sources") == 2);
  CHECK(raw.integer("SELECT count(DISTINCT candidate_hash) FROM candidates") == 3);
}

TEST_CASE("a round is resumed from the candidates that have no verdict yet") {
  ArchiveFixture fixture;
  const CandidateId proposed = fixture.add("a"), evaluating = fixture.add("b"), evaluated = fixture.add("c");
  must(fixture.archive.mark_evaluating(evaluating));
  must(fixture.archive.mark_evaluating(evaluated));
  fixture.record(evaluated, stopped(Gate::compile, Outcome::compile_error));
  must(fixture.archive.mark_evaluating(evaluated));  // changes nothing any more
  const auto unfinished = must(fixture.archive.unfinished_candidates(fixture.round.id));
  REQUIRE(unfinished.size() == 2);
  CHECK(unfinished[0].id == proposed);
  CHECK(unfinished[1].id == evaluating);
  CHECK(unfinished[1].state == CandidateState::evaluating);
}

TEST_CASE("ideas come back with what they were drawn from") {
  ArchiveFixture fixture;
  const CandidateId parent = fixture.add("a");
  const IdeaId id = must(fixture.archive.add_idea({fixture.op,
                                                   fixture.round.id,
                                                   "playbook",
                                                   "vectorise",
                                                   "Load float4.",
                                                   {parent},
                                                   "issue slots",
                                                   12.5}));
  const auto ideas = must(fixture.archive.ideas(fixture.round.id));
  REQUIRE(ideas.size() == 2);
  CHECK(ideas[1].id == id);
  CHECK(ideas[1].key == "vectorise");
  CHECK(ideas[1].bottleneck == "issue slots");
  CHECK(ideas[1].predicted_us == 12.5);
  CHECK(ideas[1].parents == std::vector<CandidateId>{parent});
  CHECK(ideas[1].created_at > Timestamp{});
}

TEST_CASE("a candidate is found by its idea and its hash") {
  ArchiveFixture fixture;
  const CandidateId first = fixture.add("a");
  fixture.add("b");
  const auto found = must(fixture.archive.find_candidate(fixture.idea, fixture.hash(first)));
  REQUIRE(found);
  CHECK(found->id == first);
  CHECK(found->source == "a");
  CHECK_FALSE(must(fixture.archive.find_candidate(fixture.idea, "ffff")));
  CHECK_FALSE(must(fixture.archive.find_candidate(IdeaId{999}, fixture.hash(first))));
}

TEST_CASE("the candidate that an operator was seeded with is found again") {
  ArchiveFixture f;
  CHECK_FALSE(must(f.archive.seed_candidate(f.op)));
  const IdeaId seed = must(f.archive.add_idea({f.op, std::nullopt, "seed", "naive", "Plainly."}));
  const CandidateId older = must(f.archive.add_candidates(seed, {{"older", {}, {}}})).at(0);
  const CandidateId newer = must(f.archive.add_candidates(seed, {{"newer", {}, {}}})).at(0);
  f.add("no seed");
  CHECK(must(f.archive.seed_candidate(f.op))->id == newer);
  CHECK(must(f.archive.seed_candidate(f.op, f.hash(older)))->id == older);
  CHECK_FALSE(must(f.archive.seed_candidate(f.op, "beef")));
}

TEST_CASE("what was tried before a round leaves out what the round itself tried") {
  ArchiveFixture f;
  const CandidateId own = f.add("own");
  const IdeaId by_hand = must(f.archive.add_idea({f.op, std::nullopt, "manual", "", ""}));
  const CandidateId other = must(f.archive.add_candidates(by_hand, {{"other", {}, {}}})).at(0);
  f.record(own, passed(2));
  f.record(other, passed(2));
  CHECK(must(f.archive.tried(f.op, "small", f.device)).size() == 2);
  CHECK(must(f.archive.tried(f.op, "small", f.device, f.round.id)).contains(f.hash(other)));
  CHECK(must(f.archive.tried(f.op, "small", f.device, f.round.id)).size() == 1);
}

TEST_CASE("a candidate's detail and its idea's key are found by its number") {
  ArchiveFixture f;
  const CandidateId candidate = f.add("a");
  f.record(candidate, passed(2));
  const CandidateDetail detail = must(f.archive.detail(candidate));
  CHECK(detail.candidate.id == candidate);
  CHECK(detail.operator_name == "layernorm");
  CHECK(detail.idea.id == f.idea);
  CHECK(detail.evaluations.size() == 1);
  CHECK(detail.standings.size() == 1);
  CHECK(must(f.archive.idea_key(candidate)) == "split_rows");
  CHECK_THAT(error_of(f.archive.detail(CandidateId{999})), ContainsSubstring("no candidate #999"));
  CHECK_THAT(error_of(f.archive.idea_key(CandidateId{999})), ContainsSubstring("no candidate #999"));
}
