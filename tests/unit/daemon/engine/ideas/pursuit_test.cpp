#include "daemon/engine/ideas/pursuit.hpp"

#include "daemon/engine/ideas/model_source.hpp"
#include "tests/unit/daemon/engine/fixture.hpp"

namespace kevolve::testing {
using namespace archive;
using namespace engine;
using namespace llm;
using namespace search;
namespace {

using Catch::Matchers::ContainsSubstring;

JobPolicy model_policy() {
  JobPolicy policy;
  policy.implementations_per_idea = 1;
  policy.repair_turns = 2;
  policy.improve_turns = 1;
  policy.tunings = 0;
  return policy;
}

/// A model that proposed one idea.
struct PursuitFixture : SearchFixture {
  explicit PursuitFixture(const JobPolicy& policy = model_policy(), int number = 1) : SearchFixture(policy) {
    auto owned = std::make_unique<FakeBackend>();
    backend = owned.get();
    source = std::make_unique<ModelSource>(Correspondent{"llm", std::move(owned)}, 1, number,
                                           std::make_shared<const PromptSet>(must(load_prompts({}))));
    known.op = &op;
    known.workload = "small";
    known.device = device;
    known.seed = 3;
  }
  std::vector<Proposal> propose(int count, std::vector<std::string> siblings = {}) {
    return must(finish(io, source->propose(scope, count, siblings)));
  }
  std::vector<Judged> carry_out() {
    if (ideas.empty()) {
      must(archive.add_idea({search.problem.op_id, round.id, "playbook", "wide", "Not a model's."}));
      NewIdea idea{search.problem.op_id, round.id, "llm", "warps", "Use warps."};
      NewExchange exchange;
      exchange.run = run;
      exchange.round = round.id;
      exchange.slot = "ideas";
      exchange.source = "llm";
      idea.exchange = must(archive.record_exchange(exchange));
      must(archive.add_idea(idea));
      ideas = must(archive.ideas(round.id));
    }
    return must(finish(io, source->carry_out(scope, ideas.back(), ideas)));
  }
  /// A right file; its kernel has that name.
  std::string code(const std::string& kernel) const { return entry(op, kernel).source; }
  std::string last_prompt() const { return backend->questions.back().messages.back().text; }

  RoundRecord round = begin_round();
  RoundContext known;
  std::map<std::string, CandidateId> known_ids;
  RoundScope scope{search, round, known, known_ids, exchanges, desk};
  FakeBackend* backend = nullptr;
  std::unique_ptr<ModelSource> source;
  std::vector<IdeaRecord> ideas;
};

TEST_CASE("a pursuit asks for code, has it judged, and asks for a faster version") {
  PursuitFixture f;
  f.backend->replies["idea-1/way-1"] = fenced(f.code("a"));
  f.backend->replies["idea-1/way-1/improve-1"] = fenced(f.code("b"));
  const auto judged = f.carry_out();
  REQUIRE(judged.size() == 2);
  CHECK(f.backend->slots() == std::vector<std::string>{"idea-1/way-1", "idea-1/way-1/improve-1"});
  const auto rows = must(f.archive.candidates(f.round.id));
  REQUIRE(rows.size() == 2);
  CHECK(rows[0].parents.empty());
  REQUIRE(rows[1].parents.size() == 1);
  CHECK(rows[1].parents[0].candidate == rows[0].id);
  CHECK(rows[1].parents[0].relation == Relation::improves);
  CHECK(rows[0].exchange.has_value());
}

TEST_CASE("wrong code is corrected as often as the policy allows") {
  PursuitFixture f;
  f.desk.first = [](const auto&) { return stopped(Gate::correctness, Outcome::wrong_result); };
  f.backend->replies["idea-1/way-1"] = fenced(f.code("a"));
  f.backend->replies["idea-1/way-1/repair-1"] = fenced(f.code("b"));
  f.backend->replies["idea-1/way-1/repair-2"] = fenced(f.code("c"));
  CHECK(f.carry_out().size() == 3);
  CHECK(f.backend->slots().back() == "idea-1/way-1/repair-2");
  CHECK_THAT(f.last_prompt(), ContainsSubstring("Element [3,17] is 0.0, expected 0.71."));
  const auto rows = must(f.archive.candidates(f.round.id));
  REQUIRE(rows.size() == 3);
  CHECK(rows[2].parents.at(0).relation == Relation::repairs);
}

TEST_CASE("what no correction can mend ends a pursuit") {
  PursuitFixture f;
  f.desk.first = [](const auto&) { return stopped(Gate::timing, Outcome::quarantined); };
  f.backend->replies["idea-1/way-1"] = fenced(f.code("a"));
  CHECK(f.carry_out().size() == 1);
  CHECK(f.backend->questions.size() == 1);
}

TEST_CASE("a reply without code, or with a bad header, is complained of in the next turn") {
  PursuitFixture f;
  f.backend->replies["idea-1/way-1"] = "I cannot do that.";
  f.backend->replies["idea-1/way-1/repair-1"] =
      fenced("/*kevolve { \"idea\": 7 } */\n__global__ void k() {}\n");
  f.backend->replies["idea-1/way-1/repair-2"] = fenced(f.code("a"));
  CHECK(f.carry_out().size() == 1);
  CHECK_THAT(f.backend->questions[2].messages.back().text, ContainsSubstring("idea"));
  const auto rows = must(f.archive.candidates(f.round.id));
  REQUIRE(rows.size() == 1);
  CHECK(rows[0].parents.empty());  // it corrects no candidate: there was none
}

TEST_CASE("a version that is no faster ends the improvements") {
  JobPolicy policy = model_policy();
  policy.improve_turns = 3;
  PursuitFixture f(policy);
  f.desk.first = [&](const CandidateRecord& row) { return passed(row.source == f.code("a") ? 2 : 1.5); };
  f.backend->replies["idea-1/way-1"] = fenced(f.code("a"));
  f.backend->replies["idea-1/way-1/improve-1"] = fenced(f.code("b"));
  CHECK(f.carry_out().size() == 2);
  CHECK(f.backend->questions.size() == 2);
}

TEST_CASE("a sampling policy takes the first answer") {
  JobPolicy policy = model_policy();
  policy.kind = PolicyKind::sample;
  PursuitFixture f(policy);
  f.backend->replies["idea-1/way-1"] = fenced(f.code("a"));
  CHECK(f.carry_out().size() == 1);
  CHECK(f.backend->questions.size() == 1);
}

TEST_CASE("tunables of a right candidate are swept without the model") {
  JobPolicy policy = model_policy();
  policy.tunings = 3;
  policy.improve_turns = 0;
  PursuitFixture f(policy);
  f.backend->replies["idea-1/way-1"] = fenced(f.code("a"));
  const auto judged = f.carry_out();
  CHECK(judged.size() == 4);
  CHECK(f.backend->questions.size() == 1);
  std::set<std::string> hashes;
  for (const Judged& one : judged) hashes.insert(one.candidate.hash);
  CHECK(hashes.size() == 4);
  const auto rows = must(f.archive.candidates(f.round.id));
  REQUIRE(rows.size() == 4);
  CHECK(rows[3].parents.at(0).relation == Relation::mutates_tunables_of);
  CHECK(rows[3].parents.at(0).candidate == rows[0].id);
}

TEST_CASE("a pursuit that comes by again asks and judges nothing twice") {
  PursuitFixture f;
  f.backend->replies["idea-1/way-1"] = fenced(f.code("a"));
  f.backend->replies["idea-1/way-1/improve-1"] = fenced(f.code("b"));
  CHECK(f.carry_out().size() == 2);
  CHECK(f.carry_out().size() == 2);
  CHECK(f.backend->questions.size() == 2);
  CHECK(must(f.archive.candidates(f.round.id)).size() == 2);
}

TEST_CASE("a pursuit ends with the budget") {
  PursuitFixture f;
  f.backend->replies["idea-1/way-1"] = fenced(f.code("a"));
  f.open = false;
  CHECK(f.carry_out().empty());
  CHECK(f.backend->questions.size() == 1);
}

TEST_CASE("all files of a reply are judged, and the first is followed") {
  PursuitFixture f;
  f.backend->replies["idea-1/way-1"] = fenced(f.code("a")) + "\nOr:\n" + fenced(f.code("b"));
  const auto judged = f.carry_out();
  REQUIRE(judged.size() == 2);
  CHECK(judged[1].candidate.source.find("void a(") != std::string::npos);
  CHECK_THAT(f.last_prompt(), ContainsSubstring("void a("));
}

// ------------------------------------------------------------------------------------------- ideas

TEST_CASE("near-duplicates of tried ideas are left out, and asked for once more") {
  PursuitFixture f;
  LedgerEntry entry = tried("split", 1);
  entry.idea_text = "Split each row over several warps and combine their sums.";
  f.known.ledger.push_back(entry);
  f.backend->replies["ideas"] =
      ideas_reply({entry.idea_text, "Stage tiles of the input in shared memory before use."});
  f.backend->replies["ideas-2"] = ideas_reply({"Prefetch the next vector while this one is computed."});
  const auto proposals = f.propose(2);
  REQUIRE(proposals.size() == 2);
  CHECK(f.backend->slots() == std::vector<std::string>{"ideas", "ideas-2"});
  CHECK(proposals[0].idea.text.starts_with("Stage tiles"));
  CHECK(proposals[0].idea.bottleneck == "memory");
  CHECK(proposals[0].idea.source == "llm");
  CHECK(proposals[0].idea.exchange.has_value());
  CHECK(proposals[0].candidates.empty());
}

TEST_CASE("ideas of other sources count as tried") {
  PursuitFixture f;
  f.backend->replies["ideas"] = ideas_reply({"Stage tiles of the input in shared memory before use."});
  CHECK(f.propose(1, {"Stage tiles of the input in shared memory before use."}).empty());
}

TEST_CASE("a second model has slots of its own") {
  PursuitFixture f(model_policy(), 2);
  CHECK(f.propose(1).empty());
  CHECK(f.backend->slots() == std::vector<std::string>{"source-2/ideas"});
}

TEST_CASE("a reply without ideas is warned of, and asked for once more") {
  PursuitFixture f;
  f.backend->replies["ideas"] = "No.";
  f.backend->replies["ideas-2"] = ideas_reply({"Stage tiles of the input in shared memory before use."});
  CHECK(f.propose(1).size() == 1);
  REQUIRE(f.heard.warnings.size() == 1);
  CHECK_THAT(f.heard.warnings[0], ContainsSubstring("doubling round 1: a reply of llm held no ideas"));
}

TEST_CASE("an idea without a name is named by its words") {
  CHECK(idea_key("Split each row over 4 warps.").starts_with("split-each-row-over-"));
  CHECK(idea_key("Split each row over 4 warps.") != idea_key("Split each row over 8 warps."));
}

TEST_CASE("a gentle stop waits for replies that are paid for") {
  PursuitFixture f;
  f.backend->paid = true;
  f.source->stop(IdeaSource::Stop::gently);
  CHECK_FALSE(f.backend->stopped);
  f.source->stop(IdeaSource::Stop::now);
  CHECK(f.backend->stopped);
  PursuitFixture person;
  person.source->stop(IdeaSource::Stop::gently);
  CHECK(person.backend->stopped);
}

}  // namespace
}  // namespace kevolve::testing
