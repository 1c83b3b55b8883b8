#include <algorithm>
#include <map>
#include <set>
#include <thread>

#include "archive/statement.hpp"
#include "tests/unit/archive/fixture.hpp"

using namespace kevolve;
using namespace kevolve::archive;
using Catch::Matchers::ContainsSubstring;
namespace fs = std::filesystem;

namespace {

std::int64_t rows(Archive& archive, const std::string& table) {
  return must(archive.select("SELECT count(*) FROM " + table, {})).rows.at(0).at(0).get<std::int64_t>();
}

std::map<std::string, std::int64_t> all_rows(Archive& archive) {
  std::map<std::string, std::int64_t> found;
  for (const char* table : {"operators", "devices", "jobs", "runs", "rounds", "ideas", "idea_parents",
                            "sources", "candidates", "lineage", "exchanges", "exchange_messages",
                            "evaluations", "measurements", "rankings", "standings", "champions"})
    found[table] = rows(archive, table);
  return found;
}

NewExchange exchange(const ArchiveFixture& fixture, const std::string& slot) {
  NewExchange x;
  x.run = fixture.run;
  x.round = fixture.round.id;
  x.slot = slot;
  x.source = "llm";
  x.messages = {{"user", "Write a kernel. " + slot}};
  x.reply = "the reply";
  return x;
}

/// At least one row in every table that an export holds.
void fill_tables(ArchiveFixture& f) {
  NewExchange asked = exchange(f, "ideas");
  asked.cost_usd = 0.25;
  const ExchangeId id = must(f.archive.record_exchange(asked));
  const CandidateId parent = f.add("parent");
  f.record(parent, passed(2));
  NewIdea idea{f.op, f.round.id, "llm", "k", "An idea."};
  idea.parents = {parent};
  idea.exchange = id;
  const IdeaId second = must(f.archive.add_idea(idea));
  const CandidateId child =
      must(f.archive.add_candidates(second, {{"child", {{"BLOCK", 64}}, {{parent, Relation::improves}}, id}}))
          .at(0);
  Evaluation judged = passed(5);
  judged.verdict.gate = Gate::profile;
  judged.profile = Profile{};
  const EvaluationId evaluation = f.record(child, judged);
  must(f.archive.promote(f.key(), child, evaluation, f.round.id));
  must(f.archive.finish_round(f.round.id));
  must(f.archive.end_run(f.run, RunState::finished));
}

/// Columns that say nothing yet (NULL, "", 0, no bytes) get a value, so that a merge has something to lose.
void fill_columns(const fs::path& file) {
  Connection raw(file, Connection::Access::read_write_create, std::chrono::seconds(5));
  Statement columns(raw, R"sql(
      SELECT t.name, c.name, c.type FROM pragma_table_list t JOIN pragma_table_info(t.name) c
       WHERE t.schema = 'main' AND t.type = 'table' AND t.name NOT LIKE 'sqlite_%' AND t.name NOT LIKE 'idea_words%'
         AND t.name NOT IN ('identity', 'tallies', 'model_costs', 'champions') AND c.pk = 0 AND c.name != 'packed'
         AND NOT EXISTS (SELECT 1 FROM pragma_foreign_key_list(t.name) k WHERE k."from" = c.name))sql");
  while (columns.step()) {
    std::string table, column, type;
    columns.read(table, column, type);
    const std::map<std::string, std::string> values = {
        {"TEXT", R"('{"filled":1}')"}, {"INTEGER", "7"}, {"REAL", "1.5"}, {"BLOB", "x'000000000000f03f'"}};
    raw.execute("UPDATE " + table + " SET " + column + " = " + values.at(type) + " WHERE coalesce(" + column +
                ", 0) IN (0, 0.0, '', '[]', x'')");
  }
}

/// Of each table the rows that an export holds.
std::map<std::string, std::vector<Json>> exported(Archive& archive) {
  std::map<std::string, std::vector<Json>> tables;
  must(archive.export_lines([&](std::string_view line) {
    const Json json = Json::parse(line);
    if (json.contains("table")) tables[json["table"]].push_back(json["row"]);
    return true;
  }));
  return tables;
}

}  // namespace

TEST_CASE("merging into an empty archive brings every column of every table") {
  TemporaryFolder folder;
  Archive ours = must(Archive::open(folder / "ours.db", OpenMode::read_write));
  ArchiveFixture theirs;
  fill_tables(theirs);
  fill_columns(theirs.archive.path());
  must(ours.merge(theirs.archive.path()));
  auto merged = exported(ours), original = exported(theirs.archive);
  // A job that comes in stands in no queue, a round tells what it was called at home, an archive keeps its
  // name.
  const std::map<std::string, std::set<std::string>> changed = {{"identity", {"uid", "created_at_ms"}},
                                                                {"jobs", {"priority", "submitted_at_ms"}},
                                                                {"rounds", {"made_as"}}};
  CHECK(original.size() >= 19);
  for (auto& [table, rows_of_table] : original) {
    INFO(table);
    REQUIRE(merged[table].size() == rows_of_table.size());
    for (std::size_t i = 0; i < rows_of_table.size(); ++i) {
      for (const auto& [column, value] : rows_of_table[i].items()) {
        INFO(column);
        if (const auto found = changed.find(table); found != changed.end() && found->second.contains(column))
          continue;
        CHECK(merged[table][i][column] == value);
      }
    }
  }
}

TEST_CASE("merging brings everything of another archive, with its lineage") {
  ArchiveFixture ours, theirs;
  ours.record(ours.add("a"), passed(2));
  const CandidateId parent = theirs.add("parent");
  theirs.record(parent, passed(3));
  const CandidateId child = theirs.add("child", {{"BLOCK", 64}}, {{parent, Relation::improves}});
  const EvaluationId evaluation = theirs.record(child, passed(5));
  must(theirs.archive.promote(theirs.key(), child, evaluation, theirs.round.id));
  must(theirs.archive.record_exchange(exchange(theirs, "ideas")));
  const std::string child_hash = theirs.hash(child), parent_hash = theirs.hash(parent);

  const MergeReport report = must(ours.archive.merge(theirs.archive.path()));
  CHECK(report.changed());
  CHECK(must(ours.archive.problems()).empty());
  CHECK(rows(ours.archive, "evaluations") == 3);
  CHECK(rows(ours.archive, "operators") == 1);
  CHECK(rows(ours.archive, "devices") == 1);
  CHECK(report.renamed_jobs.size() == 1);
  const auto best = ours.best();
  REQUIRE(best.size() == 3);
  CHECK(best[0].candidate_hash == child_hash);
  CHECK(best[0].job.starts_with("night@"));
  CHECK(best[0].tunables == Bindings{{"BLOCK", 64}});
  const LineageNode tree = must(ours.archive.lineage(best[0].candidate));
  REQUIRE(tree.parents.size() == 1);
  CHECK(tree.parents[0].hash == parent_hash);
  CHECK(tree.parents[0].relation == Relation::improves);
  CHECK(must(ours.archive.champion(ours.key()))->candidate == best[0].candidate);
  CHECK(must(ours.archive.candidate(best[0].candidate)).source == "child");
}

TEST_CASE("merging twice, or what came from here, changes nothing") {
  ArchiveFixture ours, theirs;
  ours.record(ours.add("a"), passed(2));
  const CandidateId b = theirs.add("b");
  must(theirs.archive.promote(theirs.key(), b, theirs.record(b, passed(4)), theirs.round.id));
  must(theirs.archive.record_exchange(exchange(theirs, "ideas")));
  must(ours.archive.merge(theirs.archive.path()));
  const auto once = all_rows(ours.archive);
  const MergeReport again = must(ours.archive.merge(theirs.archive.path()));
  CHECK_FALSE(again.changed());
  CHECK(all_rows(ours.archive) == once);
  // There and back.
  must(theirs.archive.merge(ours.archive.path()));
  CHECK_FALSE(must(ours.archive.merge(theirs.archive.path())).changed());
  CHECK(all_rows(ours.archive) == once);
  CHECK(all_rows(theirs.archive) == once);
  CHECK(must(theirs.archive.problems()).empty());
}

TEST_CASE("two copies of one archive that went on apart become one") {
  ArchiveFixture ours;
  const CandidateId common = ours.add("common");
  must(ours.archive.backup(ours.folder / "copy.db"));
  auto copy = must(Archive::open(ours.folder / "copy.db", OpenMode::read_write));
  // Both judge what was proposed; each then goes on alone.
  must(copy.record_evaluation(ours.make_record(common, passed(3))));
  must(copy.record_exchange(exchange(ours, "ideas")));
  std::this_thread::sleep_for(std::chrono::milliseconds(5));
  must(ours.archive.record_exchange(exchange(ours, "ideas")));
  must(copy.finish_round(ours.round.id));
  must(ours.archive.finish_round(ours.round.id));
  const RoundRecord here = must(ours.archive.begin_round(ours.job.id, ours.op, "small"));
  std::this_thread::sleep_for(std::chrono::milliseconds(5));
  const RoundRecord there = must(copy.begin_round(ours.job.id, ours.op, "small"));
  REQUIRE(here.number == there.number);

  const MergeReport report = must(ours.archive.merge(copy.path()));
  CHECK(report.renamed_jobs.empty());
  CHECK(must(ours.archive.problems()).empty());
  CHECK(rows(ours.archive, "jobs") == 1);
  CHECK(must(ours.archive.rounds(ours.job.id)).size() == 3);
  CHECK(must(ours.archive.candidate(common)).state == CandidateState::evaluated);
  CHECK(must(ours.archive.exchanges(ours.job.id)).size() == 2);
  REQUIRE(ours.best().size() == 1);
  CHECK(ours.best()[0].speedup == 3);
  const auto once = all_rows(ours.archive);
  CHECK_FALSE(must(ours.archive.merge(copy.path())).changed());
  CHECK(all_rows(ours.archive) == once);
}

TEST_CASE("what one archive refuted does not rank by what the other measured before") {
  ArchiveFixture ours, theirs;
  ours.record(ours.add("shared"), passed(4));
  std::this_thread::sleep_for(std::chrono::milliseconds(5));
  const CandidateId shared = theirs.add("shared");
  theirs.record(shared, passed(3));
  theirs.record(shared, stopped(Gate::correctness, Outcome::race), Purpose::retime);
  const MergeReport report = must(ours.archive.merge(theirs.archive.path()));
  CHECK(report.standings_rejudged == 1);
  CHECK(ours.best().empty());
  CHECK(must(ours.archive.problems()).empty());
}

TEST_CASE("the better champion stays champion, wherever it came from") {
  for (const double speedup : {2.0, 6.0}) {
    ArchiveFixture ours, theirs;
    const CandidateId a = ours.add("a"), b = theirs.add("b");
    must(ours.archive.promote(ours.key(), a, ours.record(a, passed(4)), ours.round.id));
    must(theirs.archive.promote(theirs.key(), b, theirs.record(b, passed(speedup)), theirs.round.id));
    const MergeReport report = must(ours.archive.merge(theirs.archive.path()));
    CHECK(report.champions_kept == (speedup < 4 ? 1 : 0));
    CHECK(must(ours.archive.champion(ours.key()))->speedup == std::max(speedup, 4.0));
  }
}

TEST_CASE("what cannot be merged is refused and leaves the archive as it was") {
  ArchiveFixture ours;
  CHECK_THAT(error_of(ours.archive.merge(ours.archive.path())), ContainsSubstring("itself"));
  CHECK_THAT(error_of(ours.archive.merge(ours.folder / "none.db")), ContainsSubstring("no such file"));
  CHECK_FALSE(fs::exists(ours.folder / "none.db"));
  auto reader = must(Archive::open(ours.archive.path(), OpenMode::read_only));
  ArchiveFixture theirs;
  CHECK_THAT(error_of(reader.merge(theirs.archive.path())), ContainsSubstring("reading only"));
}
