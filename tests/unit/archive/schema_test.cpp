#include "archive/schema.hpp"
#include "archive/statement.hpp"

#include <array>

#include "tests/unit/archive/fixture.hpp"

using namespace kevolve;
using namespace kevolve::archive;
using Catch::Matchers::ContainsSubstring;

namespace {

constexpr std::array<std::string_view, 1> kFirst = {
    "CREATE TABLE a (x INTEGER) STRICT; INSERT INTO a VALUES (7)"};
constexpr std::array<std::string_view, 3> kThird = {kFirst[0], "ALTER TABLE a ADD COLUMN y INTEGER",
                                                    "UPDATE a SET y = x + 1"};
constexpr std::array<std::string_view, 3> kBroken = {kFirst[0], "ALTER TABLE a ADD COLUMN y INTEGER",
                                                     "UPDATE nothing SET y = 1"};

}  // namespace

TEST_CASE("migrations apply what is missing and keep what is there") {
  TemporaryFolder folder;
  Connection connection(folder / "a.db", Connection::Access::read_write_create, std::chrono::seconds(1));
  migrate(connection, kFirst);
  CHECK(connection.integer("PRAGMA user_version") == 1);
  migrate(connection, kThird);
  CHECK(connection.integer("PRAGMA user_version") == 3);
  CHECK(connection.integer("SELECT y FROM a") == 8);
  migrate(connection, kThird);
  CHECK(connection.integer("SELECT count(*) FROM a") == 1);
  CHECK_THROWS_WITH(check_identity(connection, kFirst), ContainsSubstring("version 3"));
}

TEST_CASE("a migration that fails leaves the earlier version whole") {
  TemporaryFolder folder;
  Connection connection(folder / "a.db", Connection::Access::read_write_create, std::chrono::seconds(1));
  migrate(connection, kFirst);
  CHECK_THROWS_WITH(migrate(connection, kBroken), ContainsSubstring("nothing"));
  CHECK(connection.integer("PRAGMA user_version") == 1);
  CHECK(connection.integer("SELECT count(*) FROM pragma_table_info('a')") == 1);
}

TEST_CASE("every table is strict and the writer is durable") {
  TemporaryFolder folder;
  Connection connection(folder / "a.db", Connection::Access::read_write_create, std::chrono::seconds(1));
  connection.configure_writer(0);
  migrate(connection, migrations());
  CHECK(connection.integer("SELECT count(*) FROM pragma_table_list WHERE schema = 'main' AND type = 'table' "
                           "AND name NOT LIKE 'sqlite_%' AND strict = 0") == 0);
  CHECK(connection.text("PRAGMA journal_mode") == "wal");
  CHECK(connection.integer("PRAGMA synchronous") == 2);
  CHECK(connection.integer("PRAGMA foreign_keys") == 1);
  CHECK(connection.text("SELECT uid FROM identity").size() == 32);
}

TEST_CASE("the documentation names every table and column") {
  const std::string page = must(read_text_file(std::string(KEVOLVE_SOURCE_DIR) + "/docs/archive_schema.md"));
  TemporaryFolder folder;
  Connection connection(folder / "a.db", Connection::Access::read_write_create, std::chrono::seconds(1));
  migrate(connection, migrations());
  Statement columns(connection, R"sql(
      SELECT t.name, c.name FROM pragma_table_list t JOIN pragma_table_xinfo(t.name) c
       WHERE t.schema = 'main' AND t.name NOT LIKE 'sqlite_%' AND t.type != 'shadow' AND c.hidden != 1)sql");
  int count = 0;
  for (; columns.step(); ++count) {
    std::string table, column;
    columns.read(table, column);
    const auto begin = page.find("\n**" + table + "**");
    INFO(table << "." << column);
    REQUIRE(begin != std::string::npos);
    const std::string paragraph = page.substr(begin, page.find("\n\n", begin) - begin);
    const bool named = paragraph.find("`" + column) != std::string::npos ||
                       paragraph.find(" " + column + "`") != std::string::npos ||
                       paragraph.find(" " + column + ",") != std::string::npos;
    CHECK(named);
  }
  CHECK(count > 100);
}

TEST_CASE("champions cannot be rewritten") {
  ArchiveFixture fixture;
  const CandidateId candidate = fixture.add("a");
  const EvaluationId evaluation = fixture.record(candidate, passed(2));
  must(fixture.archive.promote(fixture.key(), candidate, evaluation, fixture.round.id));
  Connection connection(fixture.folder / "a.db", Connection::Access::read_write_create,
                        std::chrono::seconds(1));
  CHECK_THROWS_WITH(connection.execute("UPDATE champions SET speedup = 9"), ContainsSubstring("append-only"));
  CHECK_THROWS_WITH(connection.execute("DELETE FROM champions"), ContainsSubstring("append-only"));
}
