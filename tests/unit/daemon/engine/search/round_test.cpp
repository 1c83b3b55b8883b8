#include "daemon/engine/search/round.hpp"

#include "daemon/engine/ideas/model_source.hpp"
#include "daemon/engine/ideas/playbook_source.hpp"
#include "daemon/engine/search/round_context.hpp"
#include "tests/unit/daemon/engine/fixture.hpp"

namespace kevolve::testing {
using namespace archive;
using namespace engine;
using namespace llm;
using namespace search;
namespace {

JobPolicy round_policy() {
  JobPolicy policy;
  policy.ideas_per_round = 2;
  policy.implementations_per_idea = 2;
  policy.repair_turns = policy.improve_turns = policy.tunings = 0;
  return policy;
}

/// Plays rounds with the playbook and, where asked for, a model.
struct RoundFixture : SearchFixture {
  RoundFixture() : SearchFixture(round_policy()) {
    sources.list.push_back(std::make_unique<PlaybookSource>(1));
  }
  FakeBackend& add_model(double weight) {
    auto owned = std::make_unique<FakeBackend>();
    FakeBackend& backend = *owned;
    sources.list.push_back(
        std::make_unique<ModelSource>(Correspondent{"llm", std::move(owned)}, weight, 1,
                                      std::make_shared<const PromptSet>(must(load_prompts({})))));
    return backend;
  }
  Round::End play() {
    const RoundRecord row = begin_round();
    RoundContextBuilder builder(search, [](const std::string&) { return failure("none"); });
    RoundKnowledge known = must(builder.build(row));
    Promoter promoter(search, desk);
    Round round({search, row, known.context, known.ids, exchanges, desk}, sources, promoter);
    const Round::End end = must(finish(io, round.play()));
    if (end != Round::End::open) must(archive.finish_round(row.id));
    last = row;
    return end;
  }

  IdeaSources sources;
  RoundRecord last;
};

TEST_CASE("a round writes the playbook's ideas, judges their candidates, and promotes the best") {
  RoundFixture f;
  CHECK(f.play() == Round::End::over);
  const auto ideas = must(f.archive.ideas(f.last.id));
  REQUIRE(ideas.size() == 1);
  CHECK(ideas[0].key == "wide");
  CHECK(ideas[0].source == "playbook");
  CHECK(f.heard.ideas == std::vector<std::string>{"idea of wide"});
  const auto candidates = must(f.archive.candidates(f.last.id));
  REQUIRE(candidates.size() == 2);
  CHECK(f.desk.judged.size() == 2);
  for (const CandidateRecord& candidate : candidates) CHECK(candidate.evaluation.has_value());
  CHECK_FALSE(f.search.standing.naive_leads());
}

TEST_CASE("the playbook fills up what a model left of a round's ideas") {
  RoundFixture f;
  f.write("narrow", entry(f.op, "narrow").source);
  FakeBackend& model = f.add_model(1000);  // its share is the whole round
  model.replies["ideas"] = ideas_reply({"Let each warp copy a contiguous stretch."});
  model.replies["ideas-2"] = ideas_reply({"Let each warp copy a contiguous stretch."});
  model.replies["idea-1/way-1"] = fenced(entry(f.op, "warp").source);
  CHECK(f.play() == Round::End::over);
  const auto ideas = must(f.archive.ideas(f.last.id));
  REQUIRE(ideas.size() == 2);
  CHECK(ideas[0].source == "playbook");  // its rows come first, whoever was asked first
  CHECK(ideas[1].source == "llm");
  CHECK(model.slots() == std::vector<std::string>{"ideas", "ideas-2", "idea-1/way-1", "idea-1/way-2"});
  CHECK(must(f.archive.candidates(f.last.id)).size() == 3);
}

TEST_CASE("an interrupted round is continued from its rows") {
  RoundFixture f;
  f.limit = f.allowance.taken() + 1;
  CHECK(f.play() == Round::End::open);
  CHECK(f.desk.judged.size() == 1);
  const RoundRecord first = f.last;
  f.limit = 1000;
  f.restart();
  CHECK(f.play() == Round::End::over);
  CHECK(f.last.id == first.id);
  CHECK(f.last.resumed);
  CHECK(must(f.archive.ideas(first.id)).size() == 1);
  CHECK(must(f.archive.candidates(first.id)).size() == 2);
}

TEST_CASE("a round without ideas says so") {
  RoundFixture f;
  f.sources.list.clear();
  CHECK(f.play() == Round::End::nothing_left);
  CHECK(must(f.archive.ideas(f.last.id)).empty());
}

TEST_CASE("nothing is proposed once the budget is spent") {
  RoundFixture f;
  f.open = false;
  CHECK(f.play() == Round::End::open);
  CHECK(must(f.archive.ideas(f.last.id)).empty());
  CHECK(f.heard.ideas.empty());
}

TEST_CASE("candidates that workers did not judge are tried again before the round ends") {
  RoundFixture f;
  f.desk.broken = true;
  CHECK(f.play() == Round::End::over);
  CHECK(must(f.archive.unfinished_candidates(f.last.id)).size() == 2);
  CHECK(f.search.standing.naive_leads());
}

TEST_CASE("ideas of a source that the job no longer has are left alone") {
  RoundFixture f;
  FakeBackend& model = f.add_model(1000);
  model.replies["ideas"] =
      ideas_reply({"Let each warp copy a contiguous stretch.", "Stage tiles in shared memory."});
  f.limit = f.allowance.taken();
  f.open = true;
  CHECK(f.play() == Round::End::open);  // the budget ends before rows are written
  f.limit = 1000;
  f.sources.list.pop_back();
  CHECK(f.play() == Round::End::over);
  CHECK(must(f.archive.ideas(f.last.id)).front().source == "playbook");
}

// ------------------------------------------------------------------------------------- what it knows

TEST_CASE("a round that is resumed knows what it knew the first time") {
  RoundFixture f;
  CHECK(f.play() == Round::End::over);
  RoundContextBuilder builder(f.search, [](const std::string&) { return failure("none"); });
  const RoundRecord next = f.begin_round();
  const RoundContext before = must(builder.build(next)).context;
  REQUIRE(before.survivors.size() == 3);
  CHECK(before.survivors[2].candidate_hash == f.search.standing.naive.hash);
  CHECK(before.ledger.size() == 1);
  CHECK(before.ledger.front().passed == 2);
  CHECK(before.champion_us == Approx(1000 / 1.2));
  CHECK(before.naive_us == 1000);
  f.open = true;
  CHECK(f.play() == Round::End::over);  // its own candidates are no part of what it knows
  const RoundContext after = must(builder.build(next)).context;
  CHECK(after.survivors.size() == 3);
  CHECK(after.tried.size() == before.tried.size());
  CHECK(after.seed == before.seed);
}

TEST_CASE("a deterministic job ranks survivors by drawn scores and tells no measurements") {
  JobPolicy policy = round_policy();
  policy.deterministic = true;
  RoundFixture f;
  f.job.policy = policy;
  f.restart();
  CHECK(f.play() == Round::End::over);
  RoundContextBuilder builder(f.search, [](const std::string&) { return failure("none"); });
  const RoundContext context = must(builder.build(f.begin_round())).context;
  CHECK(context.naive_us == 1000);
  CHECK(context.floor_us == 0);
  REQUIRE(context.survivors.size() == 3);
  CHECK(context.survivors[0].speedup > context.survivors[1].speedup);
  CHECK(context.survivors[0].speedup ==
        f.search.standing.scale.score(context.survivors[0].candidate_hash, 1));
  CHECK(context.survivors[0].us == Approx(1000 / context.survivors[0].speedup));
}

TEST_CASE("fast kernels of other operators inspire") {
  RoundFixture f;
  const OperatorId other = must(f.archive.enter_operator(make_operator("tripling")));
  const RoundRecord row = must(f.archive.begin_round(f.job_id, other, "small"));
  const IdeaId idea = must(f.archive.add_idea({other, row.id, "playbook", "split", "Split each row."}));
  const CandidateId id = must(f.archive.add_candidates(idea, {{"their source", {{"B", 1}}, {}}})).front();
  NewEvaluation evaluation;
  evaluation.candidate = id;
  evaluation.workload = "small";
  evaluation.yardstick = "naive";
  evaluation.evaluation = passed(1.4, f.device);
  must(f.archive.record_evaluation(evaluation));
  const RoundRecord next = f.begin_round();
  RoundContextBuilder builder(f.search, [&](const std::string&) -> Result<Operator> { return f.op; });
  CHECK(must(builder.build(next)).context.inspirations.empty());  // 1.4 x inspires nobody
  evaluation.evaluation = passed(2, f.device);
  must(f.archive.record_evaluation(evaluation));
  const auto found = must(builder.build(next)).context.inspirations;
  REQUIRE(found.size() == 1);
  CHECK(found[0].operator_name == "tripling");
  CHECK(found[0].source == "their source");
  CHECK(found[0].operations_per_byte == Approx(0.125));
}

TEST_CASE("the ledger has one entry an idea, without the present round") {
  LedgerRecord first;
  first.key = "split";
  first.workload = "small";
  first.round = RoundId{1};
  first.attempts = 2;
  first.last_failure = "It races.";
  first.outcomes = {{"race", 2}};
  LedgerRecord second = first;
  second.round = RoundId{2};
  second.passed = 1;
  second.best_speedup = 1.5;
  second.last_failure = "";
  LedgerRecord present = first, elsewhere = first;
  present.round = RoundId{3};
  elsewhere.workload = "benchmark";
  const auto ledger = by_idea({first, second, present, elsewhere}, "small", RoundId{3});
  REQUIRE(ledger.size() == 1);
  CHECK(ledger[0].attempts == 4);
  CHECK(ledger[0].passed == 1);
  CHECK(ledger[0].best_speedup == 1.5);
  CHECK(ledger[0].evidence.empty());  // it passed in the end
  CHECK(ledger[0].outcomes.at("race") == 4);
  CHECK(by_idea({first}, "small", RoundId{3})[0].evidence == "It races.");
}

// -------------------------------------------------------------------------------- how a search stands

TEST_CASE("a standing is rebuilt from rows") {
  RoundFixture f;
  CHECK(f.play() == Round::End::over);
  add_round(f.search.standing, f.last.number);
  const Standing before = f.search.standing;
  f.restart();
  CHECK(f.search.standing.champion.id == before.champion.id);
  CHECK(f.search.standing.champion.round == 1);
  CHECK(f.search.standing.champion.idea == "idea of wide");
  CHECK(f.search.standing.best_us == before.best_us);
  CHECK(f.search.standing.rounds_done == 1);
  CHECK(f.search.standing.last_round == 1);
  CHECK(f.search.standing.stop_reason.empty());
  f.sources.list.clear();
  CHECK(f.play() == Round::End::nothing_left);
  f.restart();
  CHECK(f.search.standing.stop_reason == kNothingLeft);
  CHECK(f.search.standing.best_us.size() == 3);
}

TEST_CASE("a summary says why nothing was won") {
  RoundFixture f;
  f.search.standing.counts.add({Outcome::race, Gate::correctness, "It races."});
  f.search.standing.stop_reason = "plateau";
  CHECK(f.search.summary().note ==
        "nothing beat the naive kernel: 0 of 1 candidates were verified (1 race); plateau");
  CHECK(f.search.summary().label == "doubling");
}

}  // namespace
}  // namespace kevolve::testing
