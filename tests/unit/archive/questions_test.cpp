#include "archive/questions.hpp"

#include <cmath>

#include "archive/queries.hpp"
#include "archive/statement.hpp"
#include "tests/unit/archive/fixture.hpp"

using namespace kevolve;
using namespace kevolve::archive;
using Catch::Matchers::ContainsSubstring;

TEST_CASE("failures are grouped by gate and outcome, with the newest evidence") {
  ArchiveFixture fixture;
  for (const char* source : {"a", "b", "c"})
    fixture.record(fixture.add(source), stopped(Gate::correctness, Outcome::wrong_result));
  fixture.record(fixture.add("d"), stopped(Gate::compile, Outcome::compile_error));
  fixture.record(fixture.add("e"), passed(2));
  const auto groups = must(fixture.archive.failures({"layernorm", {}, 2}));
  REQUIRE(groups.size() == 2);
  CHECK(groups[0].gate == Gate::compile);
  CHECK(groups[1].count == 3);
  REQUIRE(groups[1].examples.size() == 2);
  CHECK(groups[1].examples[0].candidate_hash == fixture.hash(CandidateId{3}));
  CHECK_THAT(groups[1].examples[0].evidence, ContainsSubstring("[3,17]"));
  CHECK(must(fixture.archive.failures({"", Gate::compile, 1})).size() == 1);
  CHECK(must(fixture.archive.failures({"softmax", {}, 1})).empty());
}

TEST_CASE("ideas are found by their words, also after changes") {
  ArchiveFixture fixture;
  must(fixture.archive.add_idea(
      {fixture.op, std::nullopt, "llm", "", "Vectorised loads: read \"float4\" at a time."}));
  const auto find = [&](const std::vector<std::string>& words) {
    return must(fixture.archive.find_ideas(words, "", 10));
  };
  REQUIRE(find({"splitting"}).size() == 1);  // by its stem
  CHECK(find({"splitting"})[0].text == "Split each row.");
  CHECK(find({"splitting"})[0].job == "night");
  CHECK(find({"float4", "load"}).size() == 1);
  CHECK(find({"float4", "row"}).empty());
  CHECK(find({"\"", "AND", "NEAR("}).empty());  // words, not syntax
  CHECK(must(fixture.archive.find_ideas({"row"}, "softmax", 10)).empty());
  Connection connection(fixture.archive.path(), Connection::Access::read_write_create,
                        std::chrono::seconds(1));
  connection.execute("UPDATE ideas SET text = 'Fuse the epilogue.' WHERE id = 1");
  CHECK(find({"each"}).empty());
  CHECK(find({"epilogue"}).size() == 1);
}

TEST_CASE("ideas come best match first, and newest first where thousands hold one of the words") {
  ArchiveFixture fixture;
  const auto add = [&](const std::string& text) {
    return must(fixture.archive.add_idea({fixture.op, std::nullopt, "llm", "", text}));
  };
  auto transaction = must(fixture.archive.begin());
  const IdeaId telling = add("Persist warps: persist, persist.");
  for (int i = 0; i < 1998; ++i)
    add(numbered("Persist a warp for as long as it has rows to work on, way ", i));
  const auto first = [&](const std::string& op = "") {
    return must(fixture.archive.find_ideas({"persist"}, op, 3)).at(0);
  };
  CHECK(first().idea == telling);
  add("Persist one more.");
  CHECK(first("layernorm").idea == telling);
  const IdeaId newest = add("Persist blocks and loop over rows.");  // the 2001st
  CHECK(first().idea == newest);
  CHECK_THAT(first().excerpt, ContainsSubstring("«Persist»"));
  CHECK(first("layernorm").idea == newest);
  CHECK(must(fixture.archive.find_ideas({"persist"}, "softmax", 3)).empty());
  CHECK(must(fixture.archive.find_ideas({"persist", "loop"}, "", 3)).size() == 1);
  must(transaction.commit());
}

TEST_CASE("only one SELECT that reads the archive is run") {
  ArchiveFixture fixture;
  fixture.add("a");
  Archive& archive = fixture.archive;
  const SqlTable table = must(archive.select("SELECT id, state, NULL AS void FROM candidates;", {}));
  CHECK(table.columns == std::vector<std::string>{"id", "state", "void"});
  CHECK(table.rows == std::vector<std::vector<Json>>{{1, "proposed", nullptr}});
  for (const char* sql : {"DELETE FROM candidates", "ATTACH 'x.db' AS x", "PRAGMA journal_mode = DELETE",
                          "SELECT load_extension('x')", "BEGIN"})
    CHECK_THAT(error_of(archive.select(sql, {})), ContainsSubstring("SELECT"));
  CHECK_THAT(error_of(archive.select("SELECT 1; SELECT 2", {})), ContainsSubstring("one statement"));
  CHECK_THAT(error_of(archive.select("SELECT speed FROM candidates", {})),
             ContainsSubstring("no such column: speed"));
  CHECK_THAT(error_of(archive.select("", {})), ContainsSubstring("empty"));
  SqlLimits limits;
  limits.rows = 3;
  const std::string endless = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT ";
  const SqlTable cut = must(archive.select(endless + "i FROM n", limits));
  CHECK(cut.rows.size() == 3);
  CHECK(cut.more);
  limits.time = std::chrono::milliseconds(50);
  CHECK_THAT(error_of(archive.select(endless + "count(*) FROM n", limits)),
             ContainsSubstring("stopped after 0.05 s"));
  fixture.add("b");  // the guards are gone
}

TEST_CASE("workloads are as far apart as their sizes' ratios") {
  CHECK(workload_distance({{"N", 1024}}, {{"N", 1024}}) == 0);
  CHECK(workload_distance({{"N", 1024}}, {{"N", 2048}}) == Approx(std::log(2.0)));
  CHECK(workload_distance({{"N", 8}, {"M", 4}}, {{"N", 2}, {"M", 16}}) == Approx(2 * std::log(4.0)));
  CHECK(workload_distance({{"N", 8}}, {{"N", 8}, {"M", 3}}) == Approx(std::log(2.0)));
  CHECK(workload_distance({{"N", 0}}, {{"N", 5}}) == Approx(std::log(2.0)));
}

TEST_CASE("a job's champions are its last of each key") {
  ArchiveFixture fixture;
  const CandidateId a = fixture.add("a"), b = fixture.add("b");
  must(fixture.archive.promote(fixture.key(), a, fixture.record(a, passed(2)), fixture.round.id));
  must(fixture.archive.promote(fixture.key(), b, fixture.record(b, passed(4)), fixture.round.id));
  auto champions = must(fixture.archive.job_champions(fixture.job.id));
  REQUIRE(champions.size() == 1);
  CHECK(champions[0].candidate == b);
  CHECK(champions[0].changes == 2);
  CHECK_FALSE(champions[0].refuted);
  fixture.record(b, stopped(Gate::correctness, Outcome::race), Purpose::verify);
  CHECK(must(fixture.archive.job_champions(fixture.job.id))[0].refuted);
}

TEST_CASE("failures and their examples go through an index") {
  ArchiveFixture fixture;
  Connection connection(fixture.archive.path(), Connection::Access::read_only, std::chrono::seconds(1));
  for (const std::string_view sql : {queries::kFailures, queries::kFailureExamples, queries::kJobChampions}) {
    Statement plan(connection, "EXPLAIN QUERY PLAN " + std::string(sql));
    std::string steps;
    while (plan.step()) {
      int id = 0, parent = 0, unused = 0;
      std::string step;
      plan.read(id, parent, unused, step);
      steps += step + "\n";
    }
    INFO(steps);
    CHECK(steps.find("SCAN e") == std::string::npos);
    CHECK(steps.find("SCAN h") == std::string::npos);
    CHECK(steps.find("SCAN c") == std::string::npos);
  }
}
