// Merging another archive into an Archive: rows (merge_rows.cpp), then what follows from them.

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>

#include "archive/archive.hpp"
#include "archive/impl.hpp"
#include "archive/merge_rows.hpp"
#include "archive/schema.hpp"
#include "archive/standings.hpp"
#include "archive/verified.hpp"

namespace kevolve::archive {
namespace fs = std::filesystem;
namespace {

/// A copy in the present schema, for an archive of an earlier one: the other file is never written.
class UpToDate {
 public:
  UpToDate(const fs::path& other, const fs::path& beside) : path_(other) {
    std::int64_t version = 0;
    {
      Connection connection(other, Connection::Access::read_only, std::chrono::seconds(10));
      check_identity(connection, migrations());
      version = connection.integer("PRAGMA user_version");
      if (version == static_cast<std::int64_t>(migrations().size())) return;
      if (version == 0) throw ArchiveFailure("it holds nothing; name an archive that a job was run with.");
      copy_ = beside.string() + fmt::format(".merging-{}", ::getpid());
      Statement(connection, "VACUUM INTO ?1").bind(copy_.string()).run();
    }
    Connection connection(copy_, Connection::Access::read_write_create, std::chrono::seconds(10));
    connection.configure_writer(0);
    migrate(connection, migrations());
    path_ = copy_;
  }
  ~UpToDate() {
    std::error_code ignored;
    if (copy_.empty()) return;
    for (const char* suffix : {"", "-wal", "-shm"}) fs::remove(copy_.string() + suffix, ignored);
  }
  UpToDate(const UpToDate&) = delete;
  UpToDate& operator=(const UpToDate&) = delete;
  [[nodiscard]] const fs::path& path() const { return path_; }

 private:
  fs::path path_, copy_;
};

/// For pages of the indexes, into which rows go in no order: what does not fit is written and read many
/// times. An eighth of the machine's memory, 256 MiB to 1.5 GiB.
std::int64_t index_room_kib() {
  const std::int64_t all_kib = std::int64_t{::sysconf(_SC_PHYS_PAGES)} * (::sysconf(_SC_PAGESIZE) / 1024);
  return std::clamp<std::int64_t>(all_kib / 8, 256 << 10, 1536 << 10);
}

/// `other` attached, foreign keys off (every reference goes through a map) and room for the indexes.
class Attached {
 public:
  Attached(Connection& connection, const fs::path& path) : connection_(connection) {
    Statement(connection, "ATTACH ?1 AS other").bind(path.string()).run();
    connection.execute(fmt::format(
        "PRAGMA foreign_keys = OFF; PRAGMA temp_store = MEMORY; PRAGMA cache_size = -{}", index_room_kib()));
  }
  ~Attached() {
    try {
      connection_.forget_statements();
      Statement maps(connection_, "SELECT name FROM temp.sqlite_schema WHERE type = 'table'");
      std::vector<std::string> names;
      while (maps.step()) maps.read(names.emplace_back());
      for (const std::string& name : names) connection_.execute("DROP TABLE temp." + name);
      define_verified(connection_);  // SQLite dropped the view when temp_store changed
    } catch (const ArchiveFailure&) {
      // Temporary: gone with the connection.
    }
    try {
      connection_.forget_statements();
      connection_.execute("DETACH other; PRAGMA foreign_keys = ON; PRAGMA cache_size = -2000");
    } catch (const ArchiveFailure&) {
      // Still attached, for reading; the next merge would say so.
    }
  }
  Attached(const Attached&) = delete;
  Attached& operator=(const Attached&) = delete;

 private:
  Connection& connection_;
};

struct Place {
  OperatorId op;
  DeviceId device;
  std::string workload, hash;
};

/// The standings of one kernel at one place, from all its evaluations, oldest first.
void judge_again(Connection& connection, const Place& place) {
  Statement(connection, R"sql(
      DELETE FROM main.standings WHERE candidate_hash = ?1
         AND ranking IN (SELECT id FROM main.rankings WHERE operator = ?2 AND workload = ?3 AND device = ?4))sql")
      .bind(place.hash, place.op, place.workload, place.device)
      .run();
  Statement rows(connection, R"sql(
      SELECT e.id, e.candidate, e.precision, e.yardstick, e.purpose, e.gate, e.outcome, e.speedup
        FROM main.candidates c CROSS JOIN main.evaluations e ON e.candidate = c.id
       WHERE c.candidate_hash = ?1 AND e.operator = ?2 AND e.workload = ?3 AND e.device = ?4
       ORDER BY e.evaluated_at_ms, e.id)sql");
  rows.bind(place.hash, place.op, place.workload, place.device);
  while (rows.step()) {
    JudgedKernel kernel{{}, {}, place.hash, place.op, place.device};
    NewEvaluation evaluation;
    evaluation.workload = place.workload;
    Verdict& verdict = evaluation.evaluation.verdict;
    rows.read(kernel.evaluation, kernel.candidate, evaluation.precision, evaluation.yardstick,
              evaluation.purpose, verdict.gate, verdict.outcome, evaluation.evaluation.speedup);
    update_standings(connection, kernel, evaluation);
  }
}

/// The last champion of a key that nothing refuted, with an id in (after, up_to].
constexpr std::string_view kStanding = R"sql(
SELECT h.id, h.speedup FROM main.champions h JOIN main.candidates c ON c.id = h.candidate
 WHERE h.operator = ?1 AND h.workload = ?2 AND h.device = ?3 AND h.precision = ?4 AND h.id > ?5 AND h.id <= ?6
   AND NOT EXISTS (SELECT 1 FROM main.rankings r JOIN main.standings s ON s.ranking = r.id
                    WHERE r.operator = ?1 AND r.workload = ?2 AND r.device = ?3
                      AND s.candidate_hash = c.candidate_hash AND s.state = 'refuted')
 ORDER BY h.id DESC LIMIT 1)sql";

struct Standing {
  std::int64_t row = 0;
  double speedup = 0;
};

Standing standing(Connection& connection, const ResultKey& key, std::int64_t after, std::int64_t up_to) {
  Statement query(connection, kStanding);
  Standing found;
  if (query.bind(key.op, key.workload, key.device, key.precision, after, up_to).step())
    query.read(found.row, found.speedup);
  return found;
}

std::int64_t insert_champions(Connection& connection, MergeReport& report) {
  connection.execute(R"sql(
      DROP TABLE IF EXISTS temp.crowned;
      CREATE TEMP TABLE crowned AS
      SELECT o.id AS operator, h.workload, d.id AS device, h.precision, c.id AS candidate, e.id AS evaluation,
             r.id AS round, h.speedup, h.promoted_at_ms, h.id AS src
        FROM other.champions h JOIN temp.m_operators o ON o.src = h.operator JOIN temp.m_devices d ON d.src = h.device
        JOIN temp.m_candidates c ON c.src = h.candidate JOIN temp.m_evaluations e ON e.src = h.evaluation
        LEFT JOIN temp.m_rounds r ON r.src = h.round
       WHERE NOT EXISTS (SELECT 1 FROM main.champions t
                          WHERE t.operator = o.id AND t.workload = h.workload AND t.device = d.id
                            AND t.precision = h.precision AND t.candidate = c.id AND t.evaluation = e.id
                            AND t.promoted_at_ms = h.promoted_at_ms);
      INSERT INTO main.champions (operator, workload, device, precision, candidate, evaluation, round, speedup,
                                  promoted_at_ms)
      SELECT operator, workload, device, precision, candidate, evaluation, round, speedup, promoted_at_ms
        FROM temp.crowned ORDER BY src)sql");
  const std::int64_t added = connection.integer("SELECT count(*) FROM temp.crowned");
  report.tables.push_back(
      {"champions", added, connection.integer("SELECT count(*) FROM other.champions") - added});
  return added;
}

}  // namespace

void merge_standings(Connection& connection, std::int64_t last_own_evaluation, MergeReport& report) {
  connection.execute(R"sql(
      INSERT OR IGNORE INTO main.rankings (operator, workload, device, precision, yardstick)
      SELECT o.id, s.workload, d.id, s.precision, s.yardstick FROM other.rankings s
        JOIN temp.m_operators o ON o.src = s.operator JOIN temp.m_devices d ON d.src = s.device ORDER BY s.id)sql");
  // Kernels that both archives had judged at one place, before they met.
  connection.execute(fmt::format(R"sql(
      DROP TABLE IF EXISTS temp.rejudged;
      CREATE TEMP TABLE rejudged (operator, workload, device, candidate_hash,
                                  PRIMARY KEY (candidate_hash, operator, workload, device)) WITHOUT ROWID;
      INSERT OR IGNORE INTO temp.rejudged
      SELECT e.operator, e.workload, e.device, c.candidate_hash
        FROM temp.m_evaluations m CROSS JOIN main.evaluations e ON e.id = m.id
        CROSS JOIN main.candidates c ON c.id = e.candidate
       WHERE m.fresh
         AND EXISTS (SELECT 1 FROM main.candidates d CROSS JOIN main.evaluations f ON f.candidate = d.id
                      WHERE d.candidate_hash = c.candidate_hash AND f.operator = e.operator
                        AND f.workload = e.workload AND f.device = e.device AND f.id <= {}))sql",
                                 last_own_evaluation));
  connection.execute(R"sql(
      INSERT INTO main.standings (ranking, candidate_hash, candidate, evaluation, state, figure, speedup)
      SELECT t.id, s.candidate_hash, c.id, e.id, s.state, s.figure, s.speedup
        FROM other.standings s JOIN other.rankings r ON r.id = s.ranking
        JOIN temp.m_operators o ON o.src = r.operator JOIN temp.m_devices d ON d.src = r.device
        JOIN main.rankings t ON t.operator = o.id AND t.workload = r.workload AND t.device = d.id
                            AND t.precision = r.precision AND t.yardstick = r.yardstick
        JOIN temp.m_candidates c ON c.src = s.candidate JOIN temp.m_evaluations e ON e.src = s.evaluation
       WHERE e.fresh
         AND NOT EXISTS (SELECT 1 FROM temp.rejudged j
                          WHERE j.candidate_hash = s.candidate_hash AND j.operator = o.id
                            AND j.workload = r.workload AND j.device = d.id))sql");
  std::vector<Place> places;
  {
    Statement rows(connection, "SELECT operator, workload, device, candidate_hash FROM temp.rejudged");
    while (rows.step()) {
      Place& place = places.emplace_back();
      rows.read(place.op, place.workload, place.device, place.hash);
    }
  }
  for (const Place& place : places) judge_again(connection, place);
  report.standings_rejudged = static_cast<std::int64_t>(places.size());
}

void merge_champions(Connection& connection, Timestamp now, MergeReport& report) {
  const std::int64_t last_own = connection.integer("SELECT coalesce(max(id), 0) FROM main.champions");
  if (insert_champions(connection, report) == 0) return;
  const std::int64_t last = connection.integer("SELECT max(id) FROM main.champions");
  std::vector<ResultKey> keys;
  {
    Statement rows(connection, "SELECT DISTINCT operator, workload, device, precision FROM temp.crowned");
    while (rows.step()) {
      ResultKey& key = keys.emplace_back();
      rows.read(key.op, key.workload, key.device, key.precision);
    }
  }
  // The champion is the last row: one of ours that stays ahead is entered again.
  for (const ResultKey& key : keys) {
    const Standing ours = standing(connection, key, 0, last_own);
    const Standing theirs = standing(connection, key, last_own, last);
    if (ours.row == 0 || ours.speedup <= theirs.speedup) continue;
    Statement(connection, R"sql(
        INSERT INTO main.champions (operator, workload, device, precision, candidate, evaluation, round, speedup,
                                    promoted_at_ms)
        SELECT operator, workload, device, precision, candidate, evaluation, round, speedup, ?2
          FROM main.champions WHERE id = ?1)sql")
        .bind(ours.row, now)
        .run();
    ++report.champions_kept;
  }
}

bool MergeReport::changed() const {
  return std::ranges::any_of(tables, [](const Rows& rows) { return rows.added > 0; });
}

Result<MergeReport> Archive::merge(const fs::path& other) {
  std::error_code error;
  if (fs::equivalent(path(), other, error))
    return failure("archive '" + path().string() +
                   "': it cannot be merged with itself; name another archive.");
  return Impl::guarded(other, [&] {
    const UpToDate source(other, path());
    MergeReport report;
    auto merged = Impl::guarded(path(), [&] {
      if (impl_->mode == OpenMode::read_only) throw ArchiveFailure("it was opened for reading only.");
      if (impl_->connection.in_transaction()) throw ArchiveFailure("a transaction is open; commit it first.");
      const Attached attached(impl_->connection, source.path());
      Scope scope(impl_->connection, Scope::Kind::write);
      const std::int64_t last = merge_rows(impl_->connection, report);
      merge_standings(impl_->connection, last, report);
      merge_champions(impl_->connection, impl_->now(), report);
      scope.commit();
    });
    if (!merged) throw ArchiveFailure(merged.error().message);
    return report;
  });
}

Json to_json(const MergeReport& report) {
  Json tables = Json::object();
  for (const MergeReport::Rows& rows : report.tables)
    tables[rows.table] = {{"added", rows.added}, {"known", rows.known}};
  return {{"tables", std::move(tables)},
          {"renamed_jobs", report.renamed_jobs},
          {"standings_rejudged", report.standings_rejudged},
          {"champions_kept", report.champions_kept}};
}

}  // namespace kevolve::archive
