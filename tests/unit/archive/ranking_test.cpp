#include "archive/queries.hpp"
#include "archive/statement.hpp"
#include "archive/verified.hpp"
#include "tests/unit/archive/fixture.hpp"

using namespace kevolve;
using namespace kevolve::archive;
using Catch::Matchers::ContainsSubstring;

TEST_CASE("best ranks verified kernels by speed-up and tells all about them") {
  ArchiveFixture fixture;
  const CandidateId slow = fixture.add("slow", {{"BLOCK", 1}}), fast = fixture.add("fast", {{"BLOCK", 2}});
  const CandidateId wrong = fixture.add("wrong"), untimed = fixture.add("untimed");
  fixture.record(slow, passed(2));
  const EvaluationId evaluation = fixture.record(fast, passed(4));
  fixture.record(wrong, stopped(Gate::correctness, Outcome::wrong_result));
  fixture.record(untimed, stopped(Gate::correctness, Outcome::passed));
  const auto best = fixture.best();
  REQUIRE(best.size() == 2);
  CHECK(best[0].candidate == fast);
  CHECK(best[0].rank == 1);
  CHECK(best[0].evaluation == evaluation);
  CHECK(best[0].figure == Figure::search);
  CHECK(best[0].speedup == 4);
  CHECK(best[0].speedup_low == Approx(3.8));
  CHECK(best[0].median_us == 250);
  CHECK(best[0].yardstick == "naive");
  CHECK(best[0].yardstick_us == 1000);
  CHECK(best[0].device_info.key() == make_device().key());
  CHECK(best[0].idea_text == "Split each row.");
  CHECK(best[0].idea_key == "split_rows");
  CHECK(best[0].round_number == 1);
  CHECK(best[0].job == "night");
  CHECK(best[0].tunables == Bindings{{"BLOCK", 2}});
  CHECK(best[1].rank == 2);
  CHECK(best[1].candidate == slow);
  CHECK(fixture.best(1).size() == 1);

  RankingQuery query;
  query.operator_name = "layernorm";
  const auto survivors = must(fixture.archive.survivors(query));
  REQUIRE(survivors.size() == 1);
  CHECK(survivors[0].source == "fast");
  query.operator_name = "nothing";
  CHECK(must(fixture.archive.best(query)).empty());
}

TEST_CASE("what cannot be compared is ranked apart and can be asked for") {
  ArchiveFixture fixture;
  Archive& archive = fixture.archive;
  const CandidateId a = fixture.add("a"), b = fixture.add("b");
  fixture.record(a, passed(2));
  fixture.record(a, passed(3), Purpose::manual, "benchmark");
  fixture.record(b, passed(9, make_device("cuda:0")));
  auto tf32 = fixture.make_record(b, passed(5));
  tf32.precision = PrecisionClass::tf32;
  must(archive.record_evaluation(tf32));
  auto eager = fixture.make_record(b, passed(1.5));
  eager.yardstick = "eager";
  must(archive.record_evaluation(eager));
  CHECK(fixture.best().size() == 5);

  const auto only = [&](auto change) {
    RankingQuery query;
    query.operator_name = "layernorm";
    change(query);
    std::vector<double> speedups;
    for (const auto& kernel : must(archive.best(query))) speedups.push_back(kernel.speedup);
    return speedups;
  };
  using Speedups = std::vector<double>;
  CHECK(only([](RankingQuery& q) { q.workload = "benchmark"; }) == Speedups{3});
  CHECK(only([](RankingQuery& q) { q.device = "cuda:0"; }) == Speedups{9});
  CHECK(only([](RankingQuery& q) { q.device = make_device("cuda:0").model; }) == Speedups{9});
  CHECK(only([](RankingQuery& q) { q.device = make_device("cuda:0").key(); }) == Speedups{9});
  CHECK(only([](RankingQuery& q) { q.precision = PrecisionClass::tf32; }) == Speedups{5});
  CHECK(only([](RankingQuery& q) { q.yardstick = "eager"; }) == Speedups{1.5});
  CHECK(only([](RankingQuery& q) { q.op = OperatorId{99}; }).empty());
  CHECK(only([&](RankingQuery& q) { q.op = fixture.op; }).size() == 5);
}

TEST_CASE("a retimed figure replaces that of the search, not the other way round") {
  ArchiveFixture fixture;
  const CandidateId a = fixture.add("a");
  fixture.record(a, passed(4));
  fixture.record(a, passed(3), Purpose::retime);
  fixture.record(a, passed(9), Purpose::manual);
  REQUIRE(fixture.best().size() == 1);
  CHECK(fixture.best()[0].figure == Figure::retimed);
  CHECK(fixture.best()[0].speedup == 3);
  CHECK(fixture.best()[0].median_us == Approx(1000.0 / 3));
  fixture.record(a, passed(2.5), Purpose::verify);
  CHECK(fixture.best()[0].speedup == 2.5);
}

TEST_CASE("a figure that was taken again goes before a faster one of the search, near the top") {
  ArchiveFixture fixture;
  fixture.record(fixture.add("slow"), passed(2), Purpose::retime);
  fixture.record(fixture.add("retimed"), passed(3), Purpose::retime);
  fixture.record(fixture.add("lucky"), passed(4));
  fixture.record(fixture.add("luckier"), passed(5));
  const auto speedups = [&](int top, int among) {
    RankingQuery query;
    query.operator_name = "layernorm";
    query.top = top;
    query.retimed_first_among = among;
    std::vector<double> found;
    for (const RankedKernel& kernel : must(fixture.archive.best(query))) {
      found.push_back(kernel.speedup);
      CHECK(kernel.rank == static_cast<int>(found.size()));
    }
    return found;
  };
  using Speedups = std::vector<double>;
  CHECK(speedups(1, 0) == Speedups{5});
  CHECK(speedups(4, 0) == Speedups{5, 4, 3, 2});
  CHECK(speedups(1, 256) == Speedups{3});
  CHECK(speedups(4, 256) == Speedups{3, 2, 5, 4});
  CHECK(speedups(2, 3) == Speedups{3, 5});
  CHECK(speedups(1, 2) == Speedups{5});
  CHECK(speedups(4, 1) == Speedups{3, 2, 5, 4});
}

TEST_CASE("identical candidates count once, as the first of them") {
  ArchiveFixture fixture;
  const CandidateId first = fixture.add("a"), twin = fixture.add("a");
  fixture.record(first, passed(2));
  fixture.record(twin, passed(3));
  REQUIRE(fixture.best().size() == 1);
  CHECK(fixture.best()[0].candidate == first);
  CHECK(fixture.best()[0].speedup == 3);
}

TEST_CASE("a refuted kernel leaves the ranking until it is timed again in a fresh process") {
  ArchiveFixture fixture;
  const CandidateId a = fixture.add("a");
  fixture.record(a, passed(4));
  const auto failure = GENERATE(std::pair(Gate::correctness, Outcome::race),
                                std::pair(Gate::policy, Outcome::policy_violation),
                                std::pair(Gate::timing, Outcome::quarantined));
  fixture.record(a, stopped(failure.first, failure.second), Purpose::verify);
  CHECK(fixture.best().empty());
  fixture.record(a, passed(4), Purpose::manual);
  CHECK(fixture.best().empty());
  fixture.record(a, passed(3.5), Purpose::retime);
  REQUIRE(fixture.best().size() == 1);
  CHECK(fixture.best()[0].speedup == 3.5);
  must(fixture.archive.check());
}

TEST_CASE("one that was wrong first does not become right by being tried again") {
  ArchiveFixture fixture;
  const CandidateId a = fixture.add("a");
  fixture.record(a, stopped(Gate::correctness, Outcome::race));
  fixture.record(a, passed(4));
  CHECK(fixture.best().empty());
}

TEST_CASE("outcomes that say nothing about the kernel change no ranking") {
  ArchiveFixture fixture;
  const CandidateId a = fixture.add("a");
  fixture.record(a, passed(4));
  for (const Outcome outcome : {Outcome::inconclusive, Outcome::unsupported, Outcome::not_applicable}) {
    fixture.record(a, stopped(Gate::timing, outcome), Purpose::retime);
  }
  fixture.record(a, stopped(Gate::compile, Outcome::passed), Purpose::manual);
  fixture.record(a, stopped(Gate::correctness, Outcome::race), Purpose::search, "benchmark");
  fixture.record(a, stopped(Gate::correctness, Outcome::race, make_device("cuda:0")));
  CHECK(fixture.best().size() == 1);
}

TEST_CASE("questions go through indexes on an archive of 20 000 evaluations") {
  ArchiveFixture fixture;
  {
    auto transaction = must(fixture.archive.begin());
    for (int i = 0; i < 20'000; ++i) {
      const CandidateId id = fixture.add(numbered("k", i % 100), {{"BLOCK", i}});
      fixture.record(id, i % 2 == 0 ? passed(1 + i * 1e-4) : stopped(Gate::compile, Outcome::compile_error));
    }
    must(transaction.commit());
  }
  const auto best = fixture.best(3);
  REQUIRE(best.size() == 3);
  CHECK(best[0].speedup == Approx(1 + 19'998 * 1e-4));
  CHECK(best[2].speedup == Approx(1 + 19'994 * 1e-4));

  Connection raw(fixture.folder / "a.db", Connection::Access::read_only, std::chrono::seconds(1));
  define_verified(raw);
  const auto plan = [&](std::string_view sql) {
    Statement query(raw, "EXPLAIN QUERY PLAN " + std::string(sql));
    std::string steps;
    while (query.step()) {
      std::int64_t id = 0, parent = 0, unused = 0;
      std::string detail;
      query.read(id, parent, unused, detail);
      steps += detail + "\n";
    }
    return steps;
  };
  // Every table is entered through the index that narrows it most; only subqueries' results may be scanned.
  const auto goes_through = [&](std::string_view sql, std::initializer_list<std::string_view> searches) {
    const std::string steps = plan(sql);
    INFO(steps);
    for (const std::string_view search : searches) CHECK_THAT(steps, ContainsSubstring(std::string(search)));
    for (const char* table :
         {"candidates", "c", "evaluations", "e", "standings", "measurements", "m", "y", "ideas", "i",
          "rankings", "rk", "operators", "o", "c2", "e2", "rounds", "r", "r2"}) {
      const std::string scan = std::string("SCAN ").append(table);
      CHECK_THAT(steps, !ContainsSubstring(scan + "\n") && !ContainsSubstring(scan + " "));
    }
  };
  using namespace queries;
  goes_through(kProfilesOfHash,
               {"candidates_by_hash (candidate_hash=?)", "SEARCH e USING COVERING INDEX evaluations_by_place",
                "SEARCH p USING INTEGER PRIMARY KEY (rowid=?)"});
  goes_through(kRankings, {"SEARCH o USING INDEX operators_by_name (name=?)"});
  goes_through(kTopOfRanking, {"SEARCH standings USING COVERING INDEX standings_by_speedup (ranking=?)",
                               "SEARCH s USING PRIMARY KEY (ranking=? AND candidate_hash=?)",
                               "SEARCH m USING PRIMARY KEY (evaluation=?)"});
  goes_through(kByHashPrefix, {"candidates_by_hash (candidate_hash>? AND candidate_hash<?)"});
  goes_through(kEvaluationsOfHash,
               {"candidates_by_hash (candidate_hash=?)", "evaluations_by_candidate (candidate=?)"});
  goes_through(kJudgedBefore,
               {"SEARCH c USING COVERING INDEX candidates_by_hash (candidate_hash=?)", "candidate=?"});
  goes_through(kTried, {"COVERING INDEX evaluations_by_place (operator=? AND workload=? AND device=?)"});
  goes_through(kSeedCandidate, {"ideas_by_operator (operator=?)", "candidates_by_idea (idea=?)"});
  goes_through(kStandingsOfHash, {"SEARCH s USING PRIMARY KEY (ranking=? AND candidate_hash=?)"});
  goes_through(kCountAncestors,
               {"SEARCH lineage USING PRIMARY KEY (child=?)", "SEARCH l USING PRIMARY KEY (child=?)"});
  goes_through(kExchangesOfJob,
               {"runs_by_job (job=?)", "SEARCH x2 USING COVERING INDEX exchanges_by_run (run=?)"});
  goes_through(kFoundIdea, {"SEARCH i USING INTEGER PRIMARY KEY", "candidates_by_idea (idea=?)"});
  goes_through(kUnfinished, {"candidates_by_round (round=? AND state=?)"});
  goes_through(kLedger, {"ideas_by_operator (operator=?)", "candidates_by_idea (idea=?)"});
  goes_through(kFunnelOfJob, {"COVERING INDEX candidates_by_round (round=?)"});
  goes_through(kFunnelOfRound, {"candidates_by_round (round=?)"});
  goes_through(kRoundBests, {"COVERING INDEX candidates_by_round (round=?)"});
  // The k best are read off the index; nothing else of the ranking is sorted.
  const std::string top = plan(
      "SELECT * FROM standings WHERE ranking = 1 AND state = 'verified' "
      "ORDER BY speedup DESC, candidate_hash LIMIT 3");
  CHECK_THAT(top, !ContainsSubstring("TEMP B-TREE"));
}
