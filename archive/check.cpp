// What must hold in an archive beyond what SQLite checks.

#include <fmt/format.h>

#include <array>

#include "archive/archive.hpp"
#include "archive/impl.hpp"

namespace kevolve::archive {
namespace {

struct Invariant {
  std::string_view sentence;  ///< of rows that break it
  std::string_view sql;       ///< counts them
};

constexpr std::array<Invariant, 13> kInvariants = {{
    {"kernels rank as verified without an evaluation that passed timing", R"sql(
        SELECT count(*) FROM standings s JOIN evaluations e ON e.id = s.evaluation
         WHERE s.state = 'verified' AND NOT EXISTS (SELECT 1 FROM verified_evaluations v WHERE v.id = e.id))sql"},
    {"standings whose figures are of another operator, workload or device", R"sql(
        SELECT count(*) FROM standings s JOIN rankings r ON r.id = s.ranking JOIN evaluations e ON e.id = s.evaluation
         WHERE e.operator != r.operator OR e.workload != r.workload OR e.device != r.device)sql"},
    {"standings whose figures are of another candidate", R"sql(
        SELECT count(*) FROM standings s JOIN evaluations e ON e.id = s.evaluation
          JOIN candidates c ON c.id = e.candidate WHERE c.candidate_hash != s.candidate_hash)sql"},
    {"candidates decided by an evaluation of another candidate", R"sql(
        SELECT count(*) FROM candidates c JOIN evaluations e ON e.id = c.evaluation AND e.candidate != c.id
          JOIN candidates d ON d.id = e.candidate WHERE d.candidate_hash != c.candidate_hash)sql"},
    {"evaluations filed under another operator than their candidate", R"sql(
        SELECT count(*) FROM evaluations e JOIN candidates c ON c.id = e.candidate
         WHERE c.operator != e.operator)sql"},
    {"champions whose evaluation did not pass timing", R"sql(
        SELECT count(*) FROM champions h JOIN evaluations e ON e.id = h.evaluation
         WHERE NOT EXISTS (SELECT 1 FROM verified_evaluations v WHERE v.id = e.id))sql"},
    {"evaluations that passed timing without a time", R"sql(
        SELECT count(*) FROM verified_evaluations e
         WHERE NOT EXISTS (SELECT 1 FROM measurements m WHERE m.evaluation = e.id))sql"},
    {"jobs in a state that is none", R"sql(
        SELECT count(*) FROM jobs
         WHERE state NOT IN ('queued', 'running', 'paused', 'finished', 'failed', 'cancelled'))sql"},
    {"jobs whose newest document is missing", R"sql(
        SELECT count(*) FROM jobs j
         WHERE NOT EXISTS (SELECT 1 FROM job_documents d WHERE d.job = j.id AND d.version = j.version))sql"},
    {"tallies of evaluations that do not agree with the rows", R"sql(
        SELECT count(*) FROM (
          SELECT operator, gate, outcome, count(*) AS n FROM evaluations GROUP BY 1, 2, 3 EXCEPT
          SELECT operator, gate, outcome, n FROM tallies WHERE what = 'evaluations'))sql"},
    {"tallies of candidates that do not agree with the rows", R"sql(
        SELECT count(*) FROM (
          SELECT operator, count(*) AS n FROM candidates GROUP BY 1 EXCEPT
          SELECT operator, n FROM tallies WHERE what = 'candidates'))sql"},
    {"costs of models that do not agree with the rows", R"sql(
        SELECT count(*) FROM (
          SELECT r.job, x.source, x.model, count(*), sum(x.attempts), sum(x.input_tokens), sum(x.output_tokens),
                 sum((SELECT count(*) FROM ideas i WHERE i.exchange = x.id)),
                 sum((SELECT count(*) FROM candidates c WHERE c.exchange = x.id)),
                 sum((SELECT count(*) FROM candidates c JOIN verified_evaluations e ON e.id = c.evaluation
                       WHERE c.exchange = x.id)),
                 sum((SELECT count(DISTINCT c.id) FROM candidates c JOIN champions h ON h.candidate = c.id
                       WHERE c.exchange = x.id))
            FROM exchanges x JOIN rounds r ON r.id = x.round GROUP BY 1, 2, 3 EXCEPT
          SELECT job, source, model, exchanges, requests, input_tokens, output_tokens, ideas, candidates, verified, wins
            FROM model_costs))sql"},
    {"texts that are kept twice, packed and plain", R"sql(
        SELECT (SELECT count(*) FROM sources WHERE packed IS NOT NULL AND text != '')
             + (SELECT count(*) FROM prompt_texts WHERE packed IS NOT NULL AND text != ''))sql"},
}};

/// Damage may end the check itself, which then is what there is to tell.
void list_integrity(Connection& connection, std::vector<std::string>& problems) {
  try {
    Statement rows(connection, "PRAGMA integrity_check(20)");
    while (rows.step()) {
      std::string text;
      rows.read(text);
      if (text != "ok") problems.push_back("integrity: " + text);
    }
  } catch (const ArchiveFailure& error) {
    problems.push_back(fmt::format("integrity: {}", error.what()));
  }
}

void list_orphans(Connection& connection, std::vector<std::string>& problems) {
  Statement rows(connection, R"sql(
      SELECT "table", parent, count(*) FROM pragma_foreign_key_check GROUP BY 1, 2)sql");
  while (rows.step()) {
    std::string table, parent;
    std::int64_t count = 0;
    rows.read(table, parent, count);
    problems.push_back(fmt::format("foreign keys: {} rows of '{}' refer to rows of '{}' that are not there",
                                   count, table, parent));
  }
}

}  // namespace

Result<std::vector<std::string>> Archive::problems() {
  // By itself: where the file is damaged, a transaction around it could not be ended, either.
  auto damage = Impl::guarded(path(), [this] {
    std::vector<std::string> problems;
    list_integrity(impl_->connection, problems);
    return problems;
  });
  if (!damage || !damage->empty()) return damage;  // further answers could not be relied on
  return impl_->read([this] {
    std::vector<std::string> problems;
    list_orphans(impl_->connection, problems);
    for (const Invariant& invariant : kInvariants) {
      const std::int64_t count = impl_->connection.integer(invariant.sql);
      if (count > 0) problems.push_back(fmt::format("{}: {}", invariant.sentence, count));
    }
    return problems;
  });
}

Result<void> Archive::check() {
  const Result<std::vector<std::string>> found = problems();
  if (!found) return failure(found.error());
  if (found->empty()) return {};
  return failure(
      Error{fmt::format("the check failed: {}. Keep a copy of the file as it is; restore a backup, or "
                        "salvage what is readable with sqlite3's '.recover'",
                        fmt::join(*found, "; "))}
          .in("archive '" + path().string() + "'"));
}

}  // namespace kevolve::archive
