// model_costs is kept by triggers, whatever the order in which rows come: it must say what the rows say.

#include "archive/connection.hpp"
#include "archive/schema.hpp"
#include "tests/unit/archive/fixture.hpp"

using namespace kevolve;
using namespace kevolve::archive;
using Catch::Matchers::ContainsSubstring;

namespace {

/// A job whose model wrote a champion, a failure and a candidate that nobody judged.
struct Modelled : ArchiveFixture {
  ExchangeId exchange;
  CandidateId champion, wrong;
  explicit Modelled(const std::string& slot = "idea-1") {
    NewExchange x;
    x.run = run;
    x.round = round.id;
    x.slot = slot;
    x.source = "llm";
    x.model = "big";
    x.reply = "code";
    x.input_tokens = 1000;
    x.output_tokens = 200;
    x.cost_usd = 0.25;
    exchange = must(archive.record_exchange(x));
    x.outcome = "exhausted";
    x.cost_usd.reset();
    must(archive.record_exchange(x));
    const IdeaId written =
        must(archive.add_idea({op, round.id, "llm", slot, "Vectorise.", {}, "loads", 10.0, exchange}));
    const auto ids = must(archive.add_candidates(
        written,
        {{slot + "a", {}, {}, exchange}, {slot + "b", {}, {}, exchange}, {slot + "c", {}, {}, exchange}}));
    champion = ids[0];
    wrong = ids[1];
    const EvaluationId good = record(champion, passed(2));
    record(wrong, stopped(Gate::correctness, Outcome::wrong_result));
    must(archive.promote(key(), champion, good, round.id));
    must(archive.promote(key(), champion, record(champion, passed(3), Purpose::retime), round.id));
  }
};

CostRecord cost(Archive& archive) {
  CHECK(must(archive.problems()).empty());
  const auto costs = must(archive.costs(std::nullopt));
  REQUIRE(costs.size() == 1);
  return costs[0];
}

void check_figures(const CostRecord& cost, int verified = 1) {
  CHECK(cost.exchanges == 2);
  CHECK(cost.spent.usd == 0.25);
  CHECK(cost.spent.unpriced == 0);  // the one without a price brought no reply
  CHECK(cost.spent.input_tokens == 2000);
  CHECK(cost.ideas == 1);
  CHECK(cost.candidates == 3);
  CHECK(cost.verified == verified);
  CHECK(cost.wins == 1);
}

}  // namespace

TEST_CASE("costs follow what is decided, and decided again") {
  Modelled fixture;
  check_figures(cost(fixture.archive));
  fixture.record(fixture.champion, stopped(Gate::correctness, Outcome::race), Purpose::verify);
  check_figures(cost(fixture.archive), 0);
}

TEST_CASE("costs come with a merge, and once only") {
  Modelled theirs;
  auto ours = must(Archive::open(theirs.folder / "ours.db", OpenMode::read_write));
  must(ours.merge(theirs.archive.path()));
  check_figures(cost(ours));
  must(ours.merge(theirs.archive.path()));
  check_figures(cost(ours));
}

TEST_CASE("costs come with an import") {
  Modelled fixture;
  std::vector<std::string> lines;
  must(fixture.archive.export_lines([&](std::string_view line) {
    lines.emplace_back(line.substr(0, line.size() - 1));
    return true;
  }));
  auto copy = must(Archive::open(fixture.folder / "copy.db", OpenMode::read_write));
  std::size_t at = 0;
  must(copy.import_lines([&](std::string& line) {
    if (at == lines.size()) return false;
    line = lines[at++];
    return true;
  }));
  check_figures(cost(copy));
}

TEST_CASE("pruned losers are no longer counted") {
  Modelled fixture;
  PruneOptions options;
  options.losers = true;
  CHECK(must(fixture.archive.prune(options)).candidates == 1);
  CHECK(cost(fixture.archive).candidates == 2);
  CHECK(cost(fixture.archive).verified == 1);
}

TEST_CASE("costs of an earlier schema are counted once") {
  Modelled fixture;
  const auto path = fixture.folder / "old.db";
  must(fixture.archive.backup(path));
  {
    Connection old(path, Connection::Access::read_write_create, std::chrono::seconds(1));
    old.execute(R"sql(
        DROP TRIGGER model_costs_of_exchanges; DROP TRIGGER model_costs_gain_ideas; DROP TRIGGER model_costs_lose_ideas;
        DROP TRIGGER model_costs_gain_candidates; DROP TRIGGER model_costs_lose_candidates;
        DROP TRIGGER model_costs_of_decisions; DROP TRIGGER model_costs_gain_evaluations;
        DROP TRIGGER model_costs_lose_evaluations; DROP TRIGGER model_costs_of_champions; DROP TABLE model_costs;
        PRAGMA user_version = 8)sql");
  }
  auto archive = must(Archive::open(path, OpenMode::read_write));
  check_figures(cost(archive));
}

TEST_CASE("the check tells of costs that are not those of the rows") {
  Modelled fixture;
  Connection connection(fixture.archive.path(), Connection::Access::read_write_create,
                        std::chrono::seconds(1));
  connection.execute("UPDATE model_costs SET candidates = candidates + 1");
  CHECK_THAT(error_of(fixture.archive.check()), ContainsSubstring("costs of models"));
}
