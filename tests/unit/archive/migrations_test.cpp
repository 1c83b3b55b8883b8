#include "archive/schema.hpp"
#include "archive/statement.hpp"
#include "tests/unit/archive/fixture.hpp"

using namespace kevolve;
using namespace kevolve::archive;

namespace {

/// What version 1 of kevolve's archive held of one evaluated candidate.
constexpr std::string_view kRowsOfVersion1 = R"sql(
INSERT INTO operators VALUES (1, 'layernorm', 'h', 'f32', 'strict_fp32', '{"name":"layernorm"}', 5);
INSERT INTO jobs VALUES (1, 'night', 1, 'finished', 5);
INSERT INTO job_documents VALUES (1, 1, '{}', 5);
INSERT INTO rounds VALUES (1, 1, 1, 'small', 1, 'finished', 5, 6);
INSERT INTO runs VALUES (1, 1, 1, 1, '1', '{}', 'p', 'finished', 5, 8);
INSERT INTO ideas VALUES (1, 1, 1, 'playbook', 'split_rows', 'Split each row.', '2 x', 5);
INSERT INTO sources VALUES (1, 's', replace(hex(zeroblob(300)), '0', 'the source '));
INSERT INTO candidates VALUES (1, 1, 1, 1, 1, 'abcd', '{"BLOCK":256}', 'proposed', NULL, 5);
INSERT INTO evaluations VALUES (1, 1, NULL, 1, 'small', 1, 'strict_fp32', 'strict_fp32', 'naive', 'search', 'timing',
                                'passed', '', 2.0, 1.9, NULL, 0.0, 'ff', NULL, NULL, '{}', 7);
INSERT INTO measurements VALUES (1, 0, 'candidate', 'cold', 12.5, 12.0, 13.0, x'');
UPDATE candidates SET state = 'evaluated', evaluation = 1;
)sql";

void make_version(const std::filesystem::path& path, std::size_t version) {
  Connection connection(path, Connection::Access::read_write_create, std::chrono::seconds(1));
  connection.configure_writer(0);
  migrate(connection, migrations().first(version));
  Statement(connection, "INSERT INTO devices VALUES (1, 'k', 'cpu', 'm', ?1, 5)")
      .bind(to_json(make_device()))
      .run();
  std::string rows(kRowsOfVersion1);
  if (version >= 3) {  // no `prediction`; `exchange` of candidates and ideas
    rows.replace(rows.find("'2 x', 5)"), 9, "5, '', NULL, NULL)");
    rows.replace(rows.find("'proposed', NULL, 5)"), 20, "'proposed', NULL, 5, NULL)");
  }
  if (version >= 4) {  // `packed` of sources, `uid` of jobs, `made_as` of rounds
    for (const auto& [was, is] : {std::pair("INSERT INTO jobs VALUES (1, 'night', 1, 'finished', 5)",
                                            "INSERT INTO jobs VALUES (1, 'night', 1, 'finished', 5, 'u')"),
                                  std::pair("'finished', 5, 6)", "'finished', 5, 6, NULL)"),
                                  std::pair("'the source '))", "'the source '), NULL)")})
      rows.replace(rows.find(was), std::string_view(was).size(), is);
  }
  if (version >= 5) {  // `witness` of evaluations, `sm_mhz` of measurements
    for (const auto& [was, is] :
         {std::pair("'{}', 7)", "'{}', 7, NULL)"), std::pair("13.0, x'')", "13.0, x'', x'')")})
      rows.replace(rows.find(was), std::string_view(was).size(), is);
  }
  if (version >= 6)  // `priority`, `submitted_at_ms`, `changed_at_ms`, `reason`, `series_began_at_ms` of jobs
    rows.replace(rows.find("5, 'u')"), 7, "5, 'u', 0, NULL, 8, '', 8)");
  if (version >= 8)  // `backend` of measurements
    rows.replace(rows.find("x'', x'')"), 9, "x'', x'', '')");
  connection.execute(rows);
}

}  // namespace

TEST_CASE("an archive of every earlier version is brought up to date with all its rows") {
  for (std::size_t version = 1; version < migrations().size(); ++version) {
    INFO("version " << version);
    TemporaryFolder folder;
    make_version(folder / "a.db", version);
    auto archive = must(Archive::open(folder / "a.db", OpenMode::read_write));
    must(archive.check());
    const auto ideas = must(archive.ideas(RoundId{1}));
    REQUIRE(ideas.size() == 1);
    CHECK(ideas[0].text == "Split each row.");
    CHECK_FALSE(ideas[0].exchange);
    const CandidateRecord candidate = must(archive.candidate(CandidateId{1}));
    CHECK(candidate.source.size() == 600 * 11);  // packed now
    CHECK(candidate.source.starts_with("the source the source "));
    const JobRecord job = *must(archive.job("night"));
    CHECK(job.state == JobState::finished);
    CHECK(job.priority == 0);
    CHECK_FALSE(job.submitted_at);                               // no service goes on with it by itself
    CHECK(job.series_began_at.time_since_epoch().count() == 8);  // when its last finished run ended
    CHECK(job.changed_at.time_since_epoch().count() == 8);
    CHECK(must(archive.find_ideas({"row"}, "layernorm", 5)).size() == 1);
    CHECK_FALSE(candidate.exchange);
    const EvaluationRecord record = must(archive.evaluation(EvaluationId{1}));
    CHECK(record.evaluation.speedup == 2.0);
    CHECK_FALSE(record.evaluation.profile);
    CHECK(record.evaluation.measurements.at(0).backend.empty());
    const auto ledger = must(archive.ledger(OperatorId{1}, JobId{1}));
    REQUIRE(ledger.size() == 1);
    CHECK(ledger[0].passed == 1);
    CHECK(ledger[0].best_us == 12.5);
    const ArchiveInfo info = must(archive.info());
    for (const char* table : {"ideas", "sources", "candidates", "evaluations", "measurements"})
      CHECK(info.rows(table) == 1);
  }
}

TEST_CASE("an archive of an earlier version is not read without being brought up to date") {
  TemporaryFolder folder;
  make_version(folder / "a.db", 1);
  CHECK_FALSE(Archive::open(folder / "a.db", OpenMode::read_only));
}
