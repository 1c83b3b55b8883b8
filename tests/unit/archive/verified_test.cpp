#include "archive/verified.hpp"

#include "archive/rows.hpp"
#include "archive/statement.hpp"
#include "tests/unit/archive/fixture.hpp"

using namespace kevolve;
using namespace kevolve::archive;

TEST_CASE("SQL and C++ agree on every verdict, whether it is verified") {
  ArchiveFixture fixture;
  Connection connection(fixture.archive.path(), Connection::Access::read_only, std::chrono::seconds(1));
  define_verified(connection);
  int verified = 0;
  for (int g = 0; g <= static_cast<int>(Gate::profile); ++g) {
    for (int o = 0; o <= static_cast<int>(Outcome::inconclusive); ++o) {
      const Verdict verdict{static_cast<Outcome>(o), static_cast<Gate>(g), ""};
      Evaluation evaluation = passed(2);
      evaluation.verdict = verdict;
      const EvaluationId id = fixture.record(fixture.add(numbered(numbered("k", g) + "-", o)), evaluation);
      Statement query(connection, "SELECT count(*) FROM verified_evaluations WHERE id = ?1");
      query.bind(id).step();
      int found = 0;
      query.read(found);
      INFO(name(verdict.gate) << " " << name(verdict.outcome));
      CHECK((found == 1) == is_verified(verdict));
      verified += found;
    }
  }
  CHECK(verified == 2);  // passed at timing, or at profile
}

TEST_CASE("triggers and views in the file mean the same by verified as the programs do") {
  const ArchiveFixture fixture;
  Connection connection(fixture.archive.path(), Connection::Access::read_only, std::chrono::seconds(1));
  const std::string condition = verified_condition();
  const std::string gates = condition.substr(condition.find("gate IN"));
  Statement query(connection, "SELECT name, sql FROM sqlite_schema WHERE sql LIKE '%gate IN (%'");
  int found = 0;
  while (query.step()) {
    std::string object, sql;
    query.read(object, sql);
    INFO(object << ": when the gates change, a migration must make it anew");
    for (std::size_t at = sql.find("gate IN"); at != std::string::npos; at = sql.find("gate IN", at + 1)) {
      CHECK(sql.substr(at, gates.size()) == gates);
      ++found;
    }
  }
  CHECK(found >= 8);
}
