#include "tests/unit/archive/fixture.hpp"

using namespace kevolve;
using namespace kevolve::archive;

namespace {

NewExchange make_exchange(const ArchiveFixture& fixture, const std::string& slot, double usd = 0.25) {
  NewExchange x;
  x.run = fixture.run;
  x.round = fixture.round.id;
  x.slot = slot;
  x.source = "llm";
  x.model = "big";
  x.served_by = "big-2026";
  x.messages = {{"system", "You write kernels."}, {"user", "Layernorm, please."}};
  x.reply = "Split each row.";
  x.finish = "stop";
  x.input_tokens = 1000;
  x.cached_tokens = 600;
  x.output_tokens = 200;
  x.reasoning_tokens = 50;
  x.cost_usd = usd;
  x.latency_ms = 1500;
  x.attempts = 2;
  return x;
}

}  // namespace

TEST_CASE("a reply comes back by round and slot with all that was asked") {
  ArchiveFixture fixture;
  CHECK_FALSE(must(fixture.archive.find_exchange(fixture.round.id, "ideas")));
  const ExchangeId id = must(fixture.archive.record_exchange(make_exchange(fixture, "ideas")));
  const auto found = must(fixture.archive.find_exchange(fixture.round.id, "ideas"));
  REQUIRE(found);
  CHECK(found->id == id);
  CHECK(found->reply == "Split each row.");
  REQUIRE(found->messages.size() == 2);
  CHECK(found->messages[1].role == "user");
  CHECK(found->messages[1].text == "Layernorm, please.");
  CHECK(found->cached_tokens == 600);
  CHECK(found->reasoning_tokens == 50);
  CHECK(found->attempts == 2);
  CHECK_FALSE(must(fixture.archive.find_exchange(fixture.round.id, "idea-1/way-1")));
}

TEST_CASE("exchanges of a job come oldest first, all or the newest, with their place") {
  ArchiveFixture fixture;
  const JobRecord other = must(fixture.archive.begin_job("other", {}));
  const RunId elsewhere = must(fixture.archive.begin_run({other.id, make_device(), "seed-2", {}}));
  NewExchange foreign = make_exchange(fixture, "ideas");
  foreign.run = elsewhere;
  foreign.round = must(fixture.archive.begin_round(other.id, fixture.op, "large")).id;
  std::vector<ExchangeId> ids;
  for (const char* slot : {"ideas", "idea-1", "idea-2"})
    ids.push_back(must(fixture.archive.record_exchange(make_exchange(fixture, slot))));
  const ExchangeId not_ours = must(fixture.archive.record_exchange(foreign));
  CHECK(must(fixture.archive.exchanges(fixture.job.id)).size() == 3);
  const auto newest = must(fixture.archive.exchanges(fixture.job.id, 2));
  REQUIRE(newest.size() == 2);
  CHECK(newest[0].id == ids[1]);
  CHECK(newest[1].id == ids[2]);
  CHECK(newest[0].operator_name == "layernorm");
  CHECK(newest[0].workload == "small");
  CHECK(newest[0].round_number == 1);
  CHECK(newest[0].messages.size() == 2);
  const auto one = must(fixture.archive.exchange(fixture.job.id, ids[0]));
  REQUIRE(one);
  CHECK(one->slot == "ideas");
  CHECK_FALSE(must(fixture.archive.exchange(fixture.job.id, not_ours)));
}

TEST_CASE("no slot of a round is answered twice, but may fail before it is answered") {
  ArchiveFixture fixture;
  NewExchange failed = make_exchange(fixture, "ideas");
  failed.outcome = "exhausted";
  failed.error = "503, five times";
  failed.cost_usd.reset();
  must(fixture.archive.record_exchange(failed));
  must(fixture.archive.record_exchange(failed));
  CHECK_FALSE(must(fixture.archive.find_exchange(fixture.round.id, "ideas")));
  must(fixture.archive.record_exchange(make_exchange(fixture, "ideas")));
  CHECK_FALSE(fixture.archive.record_exchange(make_exchange(fixture, "ideas")));
}

TEST_CASE("spending counts since the job last finished, interruptions included") {
  ArchiveFixture fixture;
  must(fixture.archive.record_exchange(make_exchange(fixture, "ideas", 0.25)));
  fixture.record(fixture.add("a"), passed(2));
  must(fixture.archive.end_run(fixture.run, RunState::interrupted));
  fixture.run = must(fixture.archive.begin_run({fixture.job.id, make_device(), "seed-1", Json::object()}));
  NewExchange unpriced = make_exchange(fixture, "idea-1/way-1");
  unpriced.cost_usd.reset();
  must(fixture.archive.record_exchange(unpriced));
  const Spending spent = must(fixture.archive.spending(fixture.job.id));
  CHECK(spent.requests == 4);
  CHECK(spent.evaluations == 1);
  CHECK(spent.input_tokens == 2000);
  CHECK(spent.output_tokens == 400);
  CHECK(spent.usd == 0.25);
  CHECK(spent.unpriced == 1);
  must(fixture.archive.end_run(fixture.run, RunState::finished));
  CHECK(must(fixture.archive.spending(fixture.job.id)).requests == 0);
}

TEST_CASE("a killed run lasted until it was last heard of") {
  TemporaryFolder folder;
  Timestamp now{std::chrono::seconds(1000)};
  ArchiveOptions options;
  options.clock = [&] { return now; };
  auto archive = must(Archive::open(folder / "a.db", OpenMode::read_write, options));
  const OperatorId op = must(archive.enter_operator(make_operator("sum")));
  const JobRecord job = must(archive.begin_job("night", Json::object()));
  const RunId run = must(archive.begin_run({job.id, make_device(), "1", Json::object()}));
  const RoundRecord round = must(archive.begin_round(job.id, op, "small"));
  now += std::chrono::seconds(30);
  NewExchange x;
  x.run = run;
  x.round = round.id;
  x.slot = "ideas";
  must(archive.record_exchange(x));
  now += std::chrono::hours(8);  // the machine was off
  must(archive.begin_run({job.id, make_device(), "1", Json::object()}));
  CHECK(must(archive.spending(job.id)).wall_seconds == 30);
}

TEST_CASE("costs show what came of each model's exchanges") {
  ArchiveFixture fixture;
  const ExchangeId ideas = must(fixture.archive.record_exchange(make_exchange(fixture, "ideas", 0.5)));
  const ExchangeId code = must(fixture.archive.record_exchange(make_exchange(fixture, "idea-1/way-1", 0.25)));
  const IdeaId idea = must(fixture.archive.add_idea(
      {fixture.op, fixture.round.id, "llm", "idea-1", "Vectorise.", {}, "loads", 10.0, ideas}));
  const auto ids = must(fixture.archive.add_candidates(idea, {{"a", {}, {}, code}, {"b", {}, {}, code}}));
  const EvaluationId good = fixture.record(ids[0], passed(2));
  fixture.record(ids[1], stopped(Gate::correctness, Outcome::wrong_result));
  must(fixture.archive.promote(fixture.key(), ids[0], good, fixture.round.id));
  const auto costs = must(fixture.archive.costs(std::nullopt));
  REQUIRE(costs.size() == 1);
  CHECK(costs[0].job == "night");
  CHECK(costs[0].model == "big");
  CHECK(costs[0].exchanges == 2);
  CHECK(costs[0].spent.requests == 4);
  CHECK(costs[0].spent.usd == 0.75);
  CHECK(costs[0].ideas == 1);
  CHECK(costs[0].candidates == 2);
  CHECK(costs[0].verified == 1);
  CHECK(costs[0].wins == 1);
  const auto ledger = must(fixture.archive.ledger(fixture.op));
  CHECK(ledger.back().predicted_us == 10.0);
  CHECK(ledger.back().best_us == 500);
  CHECK(ledger.back().last_failure == "Element [3,17] is 0.0, expected 0.71.");
}
