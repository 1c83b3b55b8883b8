#include <sqlite3.h>

#include <deque>

#include "archive/connection.hpp"
#include "archive/schema.hpp"
#include "tests/unit/archive/fixture.hpp"

using namespace kevolve;
using namespace kevolve::archive;
using Catch::Matchers::ContainsSubstring;
namespace fs = std::filesystem;

namespace {

const std::string kLong =
    std::string(200, 'x') + std::string(400, 'y') + " a long source that is worth packing";

std::vector<std::string> exported(Archive& archive) {
  std::vector<std::string> lines;
  must(archive.export_lines([&](std::string_view line) {
    lines.emplace_back(line.substr(0, line.size() - 1));
    return true;
  }));
  return lines;
}

Result<std::int64_t> import(Archive& archive, const std::vector<std::string>& lines) {
  std::size_t at = 0;
  return archive.import_lines([&](std::string& line) {
    if (at == lines.size()) return false;
    line = lines[at++];
    return true;
  });
}

void alter(const fs::path& path, const std::string& sql) {
  Connection connection(path, Connection::Access::read_write_create, std::chrono::seconds(1));
  connection.execute(sql);
}

/// A champion with a losing ancestor, and a loser that nothing came from.
struct Pruned : ArchiveFixture {
  CandidateId ancestor = add("ancestor"), loser = add("loser"), champion;
  Pruned() {
    record(ancestor, stopped(Gate::correctness, Outcome::wrong_result));
    record(loser, stopped(Gate::compile, Outcome::compile_error));
    champion = add(kLong, {}, {{ancestor, Relation::repairs}});
    must(archive.promote(key(), champion, record(champion, passed(4)), round.id));
    record(add("verified"), passed(2));
  }
};

}  // namespace

TEST_CASE("long texts are packed and read back as they were") {
  ArchiveFixture fixture;
  const CandidateId candidate = fixture.add(kLong);
  CHECK(must(fixture.archive.candidate(candidate)).source == kLong);
  const SqlTable row = must(fixture.archive.select("SELECT text, length(packed) FROM sources", {}));
  CHECK(row.rows[0][0] == "");
  CHECK(row.rows[0][1].get<int>() < 200);
}

TEST_CASE("info counts rows by table and operator") {
  Pruned fixture;
  const ArchiveInfo info = must(fixture.archive.info());
  CHECK(info.schema == static_cast<int>(migrations().size()));
  CHECK(info.rows("evaluations") == 4);
  REQUIRE(info.operators.size() == 1);
  CHECK(info.operators[0].verified == 2);
  CHECK(info.operators[0].candidates == 4);
  CHECK(info.bytes_per_evaluation() > 0);
  CHECK(info.newest);
}

TEST_CASE("the check names what is broken") {
  Pruned fixture;
  CHECK(must(fixture.archive.problems()).empty());
  alter(fixture.archive.path(), "UPDATE evaluations SET outcome = 'crash' WHERE speedup = 2");
  CHECK_THAT(error_of(fixture.archive.check()),
             ContainsSubstring("without an evaluation that passed timing: 1"));
  alter(fixture.archive.path(), "PRAGMA foreign_keys = OFF; DELETE FROM sources WHERE id = 1");
  CHECK_THAT(error_of(fixture.archive.check()), ContainsSubstring("'candidates' refer to rows of 'sources'"));
}

TEST_CASE("a backup is whole, also beside an open transaction, and overwrites nothing") {
  Pruned fixture;
  auto reader = must(Archive::open(fixture.archive.path(), OpenMode::read_only));
  auto transaction = must(fixture.archive.begin());
  fixture.add("not committed");
  must(reader.backup(fixture.folder / "b.db"));
  auto copy = must(Archive::open(fixture.folder / "b.db", OpenMode::read_only));
  CHECK(must(copy.problems()).empty());
  CHECK(must(copy.info()).rows("candidates") == 4);
  CHECK_THAT(error_of(reader.backup(fixture.folder / "b.db")), ContainsSubstring("not overwritten"));
  CHECK_THAT(error_of(reader.backup(fixture.folder / "no/b.db")), ContainsSubstring("does not exist"));
}

TEST_CASE("an export is imported as an equal archive") {
  Pruned fixture;
  fixture.add("not utf-8: \xff\xfe");
  const auto lines = exported(fixture.archive);
  auto copy = must(Archive::open(fixture.folder / "copy.db", OpenMode::read_write));
  CHECK(must(import(copy, lines)) == static_cast<std::int64_t>(lines.size()) - 2);
  CHECK(exported(copy) == lines);
  CHECK(must(copy.problems()).empty());
  CHECK(must(copy.candidate(fixture.champion)).source == kLong);
  CHECK_THAT(error_of(import(copy, lines)), ContainsSubstring("has rows already"));
}

TEST_CASE("an export that is cut, altered or foreign is refused whole") {
  Pruned fixture;
  const auto lines = exported(fixture.archive);
  const auto refused = [&](const std::vector<std::string>& changed) {
    fs::remove(fixture.folder / "copy.db");
    auto copy = must(Archive::open(fixture.folder / "copy.db", OpenMode::read_write));
    const std::string message = error_of(import(copy, changed));
    CHECK(must(copy.info()).rows("operators") == 0);
    return message;
  };
  CHECK_THAT(refused({lines.begin(), lines.end() - 1}), ContainsSubstring("cut short"));
  auto fewer = lines;
  fewer.erase(fewer.end() - 2);
  CHECK_THAT(refused(fewer), ContainsSubstring("lines are missing"));
  auto foreign = lines;
  foreign[0] = "{}";
  CHECK_THAT(refused(foreign), ContainsSubstring("line 1 is not the beginning"));
  auto column = lines;
  column[2] = R"({"table":"operators","row":{"id); DROP TABLE jobs; --":1}})";
  CHECK_THAT(refused(column), ContainsSubstring("line 3") && ContainsSubstring("no column"));
  auto text = lines;
  text[2] = "not json";
  CHECK_THAT(refused(text), ContainsSubstring("line 3: it is not JSON"));
}

TEST_CASE("pruning losers keeps champions, their ancestors and verified kernels") {
  Pruned fixture;
  PruneOptions options;
  options.losers = true;
  options.dry_run = true;
  CHECK(must(fixture.archive.prune(options)).candidates == 1);
  CHECK(must(fixture.archive.info()).rows("candidates") == 4);
  options.dry_run = false;
  const PruneReport report = must(fixture.archive.prune(options));
  CHECK(report.candidates == 1);
  CHECK(report.evaluations == 1);
  CHECK(report.sources == 1);
  CHECK(must(fixture.archive.problems()).empty());
  CHECK_FALSE(fixture.archive.candidate(fixture.loser));
  CHECK(must(fixture.archive.lineage(fixture.champion)).parents.size() == 1);
  CHECK(fixture.best().size() == 2);
  must(fixture.archive.end_job(fixture.job.id, JobState::finished));  // still open for writing
}

TEST_CASE("pruning samples and prompts keeps a champion's samples, figures and replies") {
  Pruned fixture;
  NewExchange x;
  x.run = fixture.run;
  x.round = fixture.round.id;
  x.slot = "ideas";
  x.messages = {{"user", kLong}};
  x.reply = "the reply";
  must(fixture.archive.record_exchange(x));
  PruneOptions options;
  options.samples = options.prompts = true;
  const PruneReport report = must(fixture.archive.prune(options));
  CHECK(report.sample_rows == 2);
  CHECK(report.prompt_texts == 1);
  const auto exchanges = must(fixture.archive.exchanges(fixture.job.id));
  CHECK(exchanges[0].reply == "the reply");
  CHECK(exchanges[0].messages[0].text.empty());
  const auto best = fixture.best();
  CHECK_FALSE(
      must(fixture.archive.evaluation(best[0].evaluation)).evaluation.measurements[0].samples_us.empty());
  CHECK(must(fixture.archive.evaluation(best[1].evaluation)).evaluation.measurements[0].samples_us.empty());
  CHECK(best[1].median_us == 500);
  options.before = Timestamp{};  // nothing is older
  CHECK(must(fixture.archive.prune(options)).sample_rows == 0);
}

TEST_CASE("autotuning results follow the T4 format") {
  Pruned fixture;
  std::string text;
  RankingQuery query;
  query.operator_name = "layernorm";
  query.workload = "small";
  const auto write = [&](std::string_view part) {
    text += part;
    return true;
  };
  CHECK(must(fixture.archive.export_tuning_results(query, write)) == 4);
  const Json json = Json::parse(text);
  CHECK(json.at("schema_version") == "1.0.0");
  REQUIRE(json.at("results").size() == 4);
  CHECK(json["results"][0]["invalidity"] == "correctness");
  CHECK(json["results"][1]["invalidity"] == "compile");
  CHECK(json["results"][2]["invalidity"] == "correct");
  CHECK(json["results"][2]["measurements"][0]["value"] == 0.25);
  for (const Json& result : json["results"]) {
    for (const char* required : {"configuration", "times", "invalidity", "correctness"})
      CHECK(result.contains(required));
  }
}

TEST_CASE("rows are counted as they come and go") {
  ArchiveFixture f;
  const CandidateId right = f.add("right"), wrong = f.add("wrong");
  f.record(right, passed(2));
  f.record(right, stopped(Gate::correctness, Outcome::race), Purpose::retime);
  f.record(wrong, stopped(Gate::correctness, Outcome::wrong_result));
  const auto counted = [&] { return must(f.archive.info()); };
  CHECK(counted().rows("evaluations") == 3);
  CHECK(counted().rows("measurements") == 2);
  CHECK(counted().operators.at(0).verified == 0);  // refuted: moved from one tally to the other
  CHECK(must(f.archive.failures({"layernorm", {}, 1})).size() == 2);
  PruneOptions losers;
  losers.losers = true;
  CHECK(must(f.archive.prune(losers)).candidates == 1);
  CHECK(counted().rows("candidates") == 1);
  CHECK(counted().rows("sources") == 1);
  CHECK(must(f.archive.failures({"layernorm", {}, 1})).size() == 1);
  must(f.archive.check());

  Connection raw(f.folder / "a.db", Connection::Access::read_write_create, std::chrono::seconds(1));
  raw.execute("UPDATE tallies SET n = n + 1 WHERE what = 'evaluations'");
  CHECK_THAT(error_of(f.archive.check()), ContainsSubstring("tallies of evaluations"));
}
