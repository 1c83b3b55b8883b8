// Giving space back: raw samples, prompts, and candidates that led nowhere. What is kept is in
// docs/archive_schema.md, "Pruning".

#include <sqlite3.h>

#include <limits>

#include "archive/archive.hpp"
#include "archive/impl.hpp"

namespace kevolve::archive {
namespace {

/// Candidates that never passed timing, are decided, hold no place in a ranking but as failures from the
/// start, and are no ancestor of one that must stay. ?1: only those made before.
constexpr std::string_view kLosers = R"sql(
CREATE TEMP TABLE losers AS
WITH RECURSIVE kept (id) AS (
  SELECT candidate FROM champions
  UNION SELECT candidate FROM verified_evaluations
  UNION SELECT c.id FROM candidates c JOIN verified_evaluations e ON e.id = c.evaluation
  UNION SELECT candidate FROM standings WHERE state = 'verified' OR speedup > 0
  UNION SELECT id FROM candidates WHERE state != 'evaluated' OR created_at_ms >= ?1
  UNION SELECT l.parent FROM kept k JOIN lineage l ON l.child = k.id
  UNION SELECT p.candidate FROM kept k JOIN candidates c ON c.id = k.id JOIN idea_parents p ON p.idea = c.idea
  UNION SELECT e.candidate FROM kept k JOIN candidates c ON c.id = k.id JOIN evaluations e ON e.id = c.evaluation)
SELECT id FROM candidates WHERE id NOT IN (SELECT id FROM kept))sql";

class WithoutForeignKeys {  // every dependent row is deleted by name; looking each up would take hours
 public:
  explicit WithoutForeignKeys(Connection& connection) : connection_(connection) {
    connection_.execute("PRAGMA foreign_keys = OFF");
  }
  ~WithoutForeignKeys() {
    try {
      connection_.forget_statements();
      connection_.execute("PRAGMA foreign_keys = ON");
    } catch (const ArchiveFailure&) {
      // Off for the rest of this connection only.
    }
  }
  WithoutForeignKeys(const WithoutForeignKeys&) = delete;
  WithoutForeignKeys& operator=(const WithoutForeignKeys&) = delete;

 private:
  Connection& connection_;
};

std::int64_t limit_ms(const PruneOptions& options) {
  return options.before ? options.before->time_since_epoch().count()
                        : std::numeric_limits<std::int64_t>::max();
}

void prune_samples(Connection& connection, const PruneOptions& options, PruneReport& report) {
  constexpr std::string_view kWhere = R"sql( WHERE length(samples_us) > 0
      AND evaluation NOT IN (SELECT evaluation FROM champions)
      AND (SELECT evaluated_at_ms FROM evaluations e WHERE e.id = evaluation) < ?1)sql";
  Statement sizes(connection, "SELECT count(*), coalesce(sum(length(samples_us)), 0) FROM measurements" +
                                  std::string(kWhere));
  sizes.bind(limit_ms(options)).step();
  sizes.read(report.sample_rows, report.sample_bytes);
  Statement(connection, "UPDATE measurements SET samples_us = x'', sm_mhz = x''" + std::string(kWhere))
      .bind(limit_ms(options))
      .run();
}

void prune_prompts(Connection& connection, const PruneOptions& options, PruneReport& report) {
  constexpr std::string_view kWhere = R"sql( WHERE (text != '' OR packed IS NOT NULL)
      AND id NOT IN (SELECT m.text FROM exchange_messages m JOIN exchanges x ON x.id = m.exchange
                      WHERE x.answered_at_ms >= ?1))sql";
  Statement sizes(
      connection,
      "SELECT count(*), coalesce(sum(length(CAST(text AS BLOB)) + coalesce(length(packed), 0)), 0) "
      "FROM prompt_texts" +
          std::string(kWhere));
  sizes.bind(limit_ms(options)).step();
  sizes.read(report.prompt_texts, report.prompt_bytes);
  Statement(connection, "UPDATE prompt_texts SET text = '', packed = NULL" + std::string(kWhere))
      .bind(limit_ms(options))
      .run();
}

std::int64_t remove_rows(Connection& connection, std::string_view sql) {
  Statement(connection, sql).run();
  return sqlite3_changes64(connection.handle());
}

void prune_losers(Connection& connection, const PruneOptions& options, PruneReport& report) {
  connection.execute("DROP TABLE IF EXISTS temp.losers");
  Statement(connection, kLosers).bind(limit_ms(options)).run();
  connection.execute("CREATE UNIQUE INDEX temp.losers_by_id ON losers (id)");
  remove_rows(connection, "DELETE FROM standings WHERE candidate IN (SELECT id FROM losers)");
  remove_rows(connection, R"sql(
      DELETE FROM measurements WHERE evaluation IN
        (SELECT e.id FROM losers l CROSS JOIN evaluations e ON e.candidate = l.id))sql");
  remove_rows(connection, R"sql(
      DELETE FROM profiles WHERE evaluation IN
        (SELECT e.id FROM losers l CROSS JOIN evaluations e ON e.candidate = l.id))sql");
  report.evaluations =
      remove_rows(connection, "DELETE FROM evaluations WHERE candidate IN (SELECT id FROM losers)");
  remove_rows(connection, "DELETE FROM lineage WHERE child IN (SELECT id FROM losers)");
  remove_rows(connection, "DELETE FROM idea_parents WHERE candidate IN (SELECT id FROM losers)");
  report.candidates = remove_rows(connection, "DELETE FROM candidates WHERE id IN (SELECT id FROM losers)");
  report.sources =
      remove_rows(connection, "DELETE FROM sources WHERE id NOT IN (SELECT source FROM candidates)");
  connection.execute("DROP TABLE temp.losers");
}

void require_whole(Connection& connection) {
  Statement orphans(connection, "PRAGMA foreign_key_check");
  if (!orphans.step()) return;
  std::string table;
  orphans.read(table);
  throw ArchiveFailure("pruning would leave rows of '" + table +
                       "' without what they refer to; nothing was changed. Run 'kevolve archive check'.");
}

}  // namespace

Result<PruneReport> Archive::prune(const PruneOptions& options) {
  return Impl::guarded(path(), [&] {
    if (impl_->mode == OpenMode::read_only) throw ArchiveFailure("it was opened for reading only.");
    Connection& connection = impl_->connection;
    if (connection.in_transaction()) throw ArchiveFailure("a transaction is open; commit it first.");
    const auto size = [&] {
      return connection.integer("PRAGMA page_count") * connection.integer("PRAGMA page_size");
    };
    PruneReport report;
    report.file_bytes_before = report.file_bytes_after = size();
    {
      const WithoutForeignKeys off(connection);
      Scope scope(connection, Scope::Kind::write);
      if (options.losers) prune_losers(connection, options, report);
      if (options.samples) prune_samples(connection, options, report);
      if (options.prompts) prune_prompts(connection, options, report);
      require_whole(connection);
      if (options.dry_run) return report;  // the scope rolls back
      scope.commit();
    }
    connection.forget_statements();
    connection.execute("VACUUM");
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)");
    report.file_bytes_after = size();
    return report;
  });
}

Json to_json(const PruneReport& report) {
  return {{"sample_rows", report.sample_rows},
          {"sample_bytes", report.sample_bytes},
          {"prompt_texts", report.prompt_texts},
          {"prompt_bytes", report.prompt_bytes},
          {"candidates", report.candidates},
          {"evaluations", report.evaluations},
          {"sources", report.sources},
          {"file_bytes_before", report.file_bytes_before},
          {"file_bytes_after", report.file_bytes_after}};
}

}  // namespace kevolve::archive
