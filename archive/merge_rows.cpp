#include "archive/merge_rows.hpp"

#include <fmt/format.h>

#include "archive/statement.hpp"

namespace kevolve::archive {
namespace {

struct Matching {
  std::string table;
  std::string keys;   ///< columns that both selections give besides id
  std::string other;  ///< SELECT id and keys of rows that may be known, in our ids
  std::string ours;   ///< SELECT id and keys of our rows that they may be
};

void make_map(Connection& connection, const std::string& table) {
  connection.execute(
      fmt::format("DROP TABLE IF EXISTS temp.m_{0}; CREATE TEMP TABLE m_{0} "
                  "(src INTEGER PRIMARY KEY, id INTEGER NOT NULL, fresh INTEGER NOT NULL)",
                  table));
}

std::int64_t count(Connection& connection, const std::string& table, bool fresh) {
  return connection.integer(
      fmt::format("SELECT count(*) FROM temp.m_{} WHERE fresh = {}", table, fresh ? 1 : 0));
}

void report_rows(Connection& connection, const std::string& table, MergeReport& report) {
  report.tables.push_back({table, count(connection, table, true), count(connection, table, false)});
}

/// What is left gets ids behind ours, in its order.
void map_fresh(Connection& connection, const std::string& table, MergeReport& report) {
  connection.execute(fmt::format(R"sql(
      INSERT INTO temp.m_{0}
      SELECT s.id, (SELECT coalesce(max(id), 0) FROM main.{0}) + row_number() OVER (ORDER BY s.id), 1
        FROM other.{0} s WHERE s.id NOT IN (SELECT src FROM temp.m_{0}))sql",
                                 table));
  report_rows(connection, table, report);
}

void map(Connection& connection, const Matching& m, MergeReport& report) {
  make_map(connection, m.table);
  std::string join;
  std::string_view keys = m.keys;
  while (!keys.empty()) {
    const auto end = std::min(keys.find(", "), keys.size());
    join += fmt::format("s.{0} = t.{0} AND ", keys.substr(0, end));
    keys.remove_prefix(std::min(end + 2, keys.size()));
  }
  // Our rows indexed by all keys: left to itself, SQLite indexes some and compares the rest row by row.
  connection.execute(fmt::format(R"sql(
      DROP TABLE IF EXISTS temp.known;
      CREATE TEMP TABLE known AS SELECT *, row_number() OVER (PARTITION BY {1} ORDER BY id) AS nth FROM ({3});
      CREATE INDEX temp.known_by_keys ON known ({1}, nth);
      INSERT INTO temp.m_{0}
      SELECT s.id, t.id, 0
        FROM (SELECT *, row_number() OVER (PARTITION BY {1} ORDER BY id) AS nth FROM ({2})) s
       CROSS JOIN temp.known t INDEXED BY known_by_keys ON {4} s.nth = t.nth)sql",
                                 m.table, m.keys, m.other, m.ours, join));
  map_fresh(connection, m.table, report);
}

/// Tables whose rows are known by one column.
void merge_by_column(Connection& connection, const std::string& table, const std::string& column,
                     const std::string& columns, MergeReport& report) {
  make_map(connection, table);
  connection.execute(fmt::format(
      "INSERT INTO temp.m_{0} SELECT s.id, t.id, 0 FROM other.{0} s CROSS JOIN main.{0} t ON t.{1} = s.{1}",
      table, column));
  map_fresh(connection, table, report);
  connection.execute(
      fmt::format("INSERT INTO main.{0} (id, {1}) SELECT m.id, {1} FROM temp.m_{0} m "
                  "CROSS JOIN other.{0} s ON s.id = m.src WHERE m.fresh ORDER BY m.id",
                  table, columns));
}

/// A job that comes in is in nobody's queue here: not submitted.
constexpr std::string_view kJobs = R"sql(
INSERT INTO main.jobs (id, name, version, state, created_at_ms, uid, changed_at_ms, reason, series_began_at_ms)
SELECT m.id, CASE WHEN s.name NOT IN (SELECT name FROM main.jobs) THEN s.name
                  WHEN s.name || '@' || substr(s.uid, 1, 8) NOT IN (SELECT name FROM main.jobs)
                  THEN s.name || '@' || substr(s.uid, 1, 8) ELSE s.name || '@' || s.uid END,
       s.version, s.state, s.created_at_ms, s.uid, s.changed_at_ms, s.reason, s.series_began_at_ms
  FROM temp.m_jobs m JOIN other.jobs s ON s.id = m.src WHERE m.fresh ORDER BY m.id;
INSERT OR IGNORE INTO main.job_documents (job, version, document, recorded_at_ms)
SELECT m.id, d.version, d.document, d.recorded_at_ms FROM other.job_documents d JOIN temp.m_jobs m ON m.src = d.job;
UPDATE main.jobs SET version = n.version, state = n.state, reason = n.reason, changed_at_ms = n.changed_at_ms
  FROM (SELECT m.id, s.version, s.state, s.reason, s.changed_at_ms FROM temp.m_jobs m JOIN other.jobs s ON s.id = m.src WHERE NOT m.fresh) n
 WHERE jobs.id = n.id AND (n.version > jobs.version
                           OR (n.version = jobs.version AND jobs.state = 'running' AND n.state != 'running'));
)sql";

constexpr std::string_view kRuns = R"sql(
INSERT INTO main.runs (id, job, job_version, device, seed, versions, process, state, started_at_ms, ended_at_ms)
SELECT m.id, j.id, s.job_version, d.id, s.seed, s.versions, s.process, s.state, s.started_at_ms, s.ended_at_ms
  FROM temp.m_runs m CROSS JOIN other.runs s ON s.id = m.src JOIN temp.m_jobs j ON j.src = s.job
  JOIN temp.m_devices d ON d.src = s.device WHERE m.fresh ORDER BY m.id;
UPDATE main.runs SET state = n.state, ended_at_ms = n.ended_at_ms
  FROM (SELECT m.id, s.state, s.ended_at_ms FROM temp.m_runs m JOIN other.runs s ON s.id = m.src WHERE NOT m.fresh) n
 WHERE runs.id = n.id AND runs.state = 'running' AND n.state != 'running';
)sql";

/// Copies of one archive that went on apart have rounds of one number: all of the other's go behind ours.
constexpr std::string_view kRounds = R"sql(
DROP TABLE IF EXISTS temp.clash;
CREATE TEMP TABLE clash AS
SELECT DISTINCT t.job, t.operator, t.workload,
       (SELECT max(number) FROM main.rounds x
         WHERE x.job = t.job AND x.operator = t.operator AND x.workload = t.workload) AS last
  FROM temp.m_rounds m JOIN other.rounds s ON s.id = m.src JOIN temp.m_jobs j ON j.src = s.job
  JOIN temp.m_operators o ON o.src = s.operator
  JOIN main.rounds t ON t.job = j.id AND t.operator = o.id AND t.workload = s.workload AND t.number = s.number
 WHERE m.fresh;
INSERT INTO main.rounds (id, job, operator, workload, number, state, began_at_ms, finished_at_ms, made_as)
SELECT m.id, j.id, o.id, s.workload,
       CASE WHEN c.last IS NULL THEN s.number
            ELSE c.last + row_number() OVER (PARTITION BY s.job, s.operator, s.workload ORDER BY s.number) END,
       s.state, s.began_at_ms, s.finished_at_ms,
       CASE WHEN c.last IS NULL THEN s.made_as ELSE coalesce(s.made_as, s.number) END
  FROM temp.m_rounds m JOIN other.rounds s ON s.id = m.src JOIN temp.m_jobs j ON j.src = s.job
  JOIN temp.m_operators o ON o.src = s.operator
  LEFT JOIN temp.clash c ON c.job = j.id AND c.operator = o.id AND c.workload = s.workload
 WHERE m.fresh ORDER BY m.id;
UPDATE main.rounds SET state = n.state, finished_at_ms = n.finished_at_ms
  FROM (SELECT m.id, s.state, s.finished_at_ms FROM temp.m_rounds m JOIN other.rounds s ON s.id = m.src
         WHERE NOT m.fresh AND s.state = 'finished') n
 WHERE rounds.id = n.id AND rounds.state = 'open';
)sql";

/// A slot is answered once a round; an answer of a copy that went on apart keeps its own slot.
constexpr std::string_view kExchanges = R"sql(
INSERT INTO main.exchanges (id, run, round, slot, source, model, served_by, outcome, error, reply, reasoning, finish,
                            input_tokens, cached_tokens, output_tokens, reasoning_tokens, usage_estimated, cost_usd,
                            latency_ms, attempts, answered_at_ms)
SELECT m.id, ru.id, ro.id,
       CASE WHEN s.outcome = 'replied' AND NOT ro.fresh
                 AND EXISTS (SELECT 1 FROM main.exchanges x
                              WHERE x.round = ro.id AND x.slot = s.slot AND x.outcome = 'replied')
            THEN s.slot || '@' || s.answered_at_ms ELSE s.slot END,
       s.source, s.model, s.served_by, s.outcome, s.error, s.reply, s.reasoning, s.finish, s.input_tokens,
       s.cached_tokens, s.output_tokens, s.reasoning_tokens, s.usage_estimated, s.cost_usd, s.latency_ms, s.attempts,
       s.answered_at_ms
  FROM temp.m_exchanges m CROSS JOIN other.exchanges s ON s.id = m.src JOIN temp.m_runs ru ON ru.src = s.run
  JOIN temp.m_rounds ro ON ro.src = s.round WHERE m.fresh ORDER BY m.id;
INSERT INTO main.exchange_messages (exchange, ordinal, role, text)
SELECT m.id, s.ordinal, s.role, t.id
  FROM temp.m_exchanges m CROSS JOIN other.exchange_messages s ON s.exchange = m.src
  JOIN temp.m_prompt_texts t ON t.src = s.text WHERE m.fresh ORDER BY m.id, s.ordinal;
)sql";

constexpr std::string_view kIdeas = R"sql(
INSERT INTO main.ideas (id, operator, round, source, key, text, created_at_ms, bottleneck, predicted_us, exchange)
SELECT m.id, o.id, r.id, s.source, s.key, s.text, s.created_at_ms, s.bottleneck, s.predicted_us, x.id
  FROM temp.m_ideas m CROSS JOIN other.ideas s ON s.id = m.src JOIN temp.m_operators o ON o.src = s.operator
  LEFT JOIN temp.m_rounds r ON r.src = s.round LEFT JOIN temp.m_exchanges x ON x.src = s.exchange
 WHERE m.fresh ORDER BY m.id;
)sql";

/// A candidate known here is decided by the newer of both decisions.
constexpr std::string_view kCandidates = R"sql(
INSERT INTO main.candidates (id, idea, round, operator, source, candidate_hash, tunables, state, evaluation,
                             created_at_ms, exchange)
SELECT m.id, i.id, r.id, o.id, t.id, s.candidate_hash, s.tunables,
       CASE s.state WHEN 'evaluating' THEN 'proposed' ELSE s.state END, e.id, s.created_at_ms, x.id
  FROM temp.m_candidates m CROSS JOIN other.candidates s ON s.id = m.src
  JOIN temp.m_ideas i ON i.src = s.idea JOIN temp.m_operators o ON o.src = s.operator
  JOIN temp.m_sources t ON t.src = s.source
  LEFT JOIN temp.m_rounds r ON r.src = s.round LEFT JOIN temp.m_exchanges x ON x.src = s.exchange
  LEFT JOIN temp.m_evaluations e ON e.src = s.evaluation
 WHERE m.fresh ORDER BY m.id;
INSERT INTO main.idea_parents (idea, ordinal, candidate)
SELECT m.id, s.ordinal, c.id FROM temp.m_ideas m CROSS JOIN other.idea_parents s ON s.idea = m.src
  JOIN temp.m_candidates c ON c.src = s.candidate WHERE m.fresh ORDER BY m.id, s.ordinal;
INSERT INTO main.lineage (child, ordinal, parent, relation)
SELECT m.id, s.ordinal, c.id, s.relation FROM temp.m_candidates m CROSS JOIN other.lineage s ON s.child = m.src
  JOIN temp.m_candidates c ON c.src = s.parent WHERE m.fresh ORDER BY m.id, s.ordinal;
)sql";

constexpr std::string_view kEvaluations = R"sql(
INSERT INTO main.evaluations (id, candidate, run, operator, workload, device, precision, measured_precision, yardstick,
                              purpose, gate, outcome, evidence, speedup, speedup_low, prepare_us, floor_us, seed,
                              accuracy, compile, gate_ms, evaluated_at_ms, witness)
SELECT m.id, c.id, r.id, o.id, s.workload, d.id, s.precision, s.measured_precision, s.yardstick, s.purpose, s.gate,
       s.outcome, s.evidence, s.speedup, s.speedup_low, s.prepare_us, s.floor_us, s.seed, s.accuracy, s.compile,
       s.gate_ms, s.evaluated_at_ms, s.witness
  FROM temp.m_evaluations m CROSS JOIN other.evaluations s ON s.id = m.src
  JOIN temp.m_candidates c ON c.src = s.candidate JOIN temp.m_operators o ON o.src = s.operator
  JOIN temp.m_devices d ON d.src = s.device LEFT JOIN temp.m_runs r ON r.src = s.run
 WHERE m.fresh ORDER BY m.id;
INSERT INTO main.measurements (evaluation, ordinal, subject, mode, median_us, low_us, high_us, samples_us, sm_mhz,
                               backend)
SELECT m.id, s.ordinal, s.subject, s.mode, s.median_us, s.low_us, s.high_us, s.samples_us, s.sm_mhz, s.backend
  FROM temp.m_evaluations m CROSS JOIN other.measurements s ON s.evaluation = m.src
 WHERE m.fresh ORDER BY m.id, s.ordinal;
INSERT INTO main.profiles (evaluation, regime, source, metrics, advice)
SELECT m.id, s.regime, s.source, s.metrics, s.advice
  FROM temp.m_evaluations m CROSS JOIN other.profiles s ON s.evaluation = m.src WHERE m.fresh ORDER BY m.id;
UPDATE main.candidates SET state = 'evaluated', evaluation = n.evaluation
  FROM (SELECT mc.id, me.id AS evaluation, e.evaluated_at_ms
          FROM temp.m_candidates mc CROSS JOIN other.candidates c ON c.id = mc.src
          JOIN temp.m_evaluations me ON me.src = c.evaluation JOIN other.evaluations e ON e.id = c.evaluation
         WHERE NOT mc.fresh) n
 WHERE candidates.id = n.id
   AND (candidates.evaluation IS NULL
        OR (candidates.evaluation != n.evaluation
            AND (SELECT evaluated_at_ms FROM main.evaluations WHERE id = candidates.evaluation) < n.evaluated_at_ms));
)sql";

void list_renamed_jobs(Connection& connection, MergeReport& report) {
  Statement rows(connection, R"sql(
      SELECT s.name, t.name FROM temp.m_jobs m JOIN other.jobs s ON s.id = m.src JOIN main.jobs t ON t.id = m.id
       WHERE m.fresh AND s.name != t.name ORDER BY t.id)sql");
  while (rows.step()) {
    std::string theirs, ours;
    rows.read(theirs, ours);
    report.renamed_jobs.push_back(theirs + " -> " + ours);
  }
}

/// The slot without what a merge put behind it.
std::string home_slot(const std::string& x) {
  return fmt::format(
      "CASE WHEN {0}.slot LIKE '%@' || {0}.answered_at_ms "
      "THEN substr({0}.slot, 1, length({0}.slot) - length({0}.answered_at_ms) - 1) ELSE {0}.slot END",
      x);
}

void merge_jobs(Connection& connection, MergeReport& report) {
  make_map(connection, "jobs");
  connection.execute(
      "INSERT INTO temp.m_jobs SELECT s.id, t.id, 0 FROM other.jobs s JOIN main.jobs t ON t.uid = s.uid");
  map_fresh(connection, "jobs", report);
  connection.execute(kJobs);
  list_renamed_jobs(connection, report);
  map(connection,
      {"runs", "job, process, started_at_ms",
       "SELECT s.id, j.id AS job, s.process, s.started_at_ms FROM other.runs s JOIN temp.m_jobs j ON j.src = "
       "s.job "
       "WHERE NOT j.fresh",
       "SELECT id, job, process, started_at_ms FROM main.runs WHERE job IN (SELECT id FROM temp.m_jobs WHERE "
       "NOT fresh)"},
      report);
  connection.execute(kRuns);
  map(connection,
      {"rounds", "job, operator, workload, number, began_at_ms",
       "SELECT s.id, j.id AS job, o.id AS operator, s.workload, coalesce(s.made_as, s.number) AS number, "
       "s.began_at_ms "
       "FROM other.rounds s JOIN temp.m_jobs j ON j.src = s.job JOIN temp.m_operators o ON o.src = "
       "s.operator "
       "WHERE NOT j.fresh",
       "SELECT id, job, operator, workload, coalesce(made_as, number) AS number, began_at_ms FROM "
       "main.rounds "
       "WHERE job IN (SELECT id FROM temp.m_jobs WHERE NOT fresh)"},
      report);
  connection.execute(kRounds);
}

void merge_attempts(Connection& connection, MergeReport& report) {
  map(connection,
      {"exchanges", "round, slot, outcome, answered_at_ms",
       fmt::format(
           "SELECT s.id, r.id AS round, {} AS slot, s.outcome, s.answered_at_ms FROM other.exchanges s "
           "JOIN temp.m_rounds r ON r.src = s.round WHERE NOT r.fresh",
           home_slot("s")),
       fmt::format("SELECT x.id, x.round, {} AS slot, x.outcome, x.answered_at_ms FROM main.exchanges x "
                   "WHERE x.round IN (SELECT id FROM temp.m_rounds WHERE NOT fresh)",
                   home_slot("x"))},
      report);
  connection.execute(kExchanges);
  map(connection,
      {"ideas", "operator, round, source, key, text, created_at_ms",
       "SELECT s.id, o.id AS operator, coalesce(r.id, 0) AS round, s.source, s.key, s.text, s.created_at_ms "
       "FROM other.ideas s JOIN temp.m_operators o ON o.src = s.operator LEFT JOIN temp.m_rounds r ON r.src "
       "= s.round "
       "WHERE r.id IS NULL OR NOT r.fresh",
       "SELECT id, operator, coalesce(round, 0) AS round, source, key, text, created_at_ms FROM main.ideas "
       "WHERE round IS NULL OR round IN (SELECT id FROM temp.m_rounds WHERE NOT fresh)"},
      report);
  connection.execute(kIdeas);
  map(connection,
      {"candidates", "idea, candidate_hash, created_at_ms",
       "SELECT s.id, i.id AS idea, s.candidate_hash, s.created_at_ms FROM other.candidates s "
       "JOIN temp.m_ideas i ON i.src = s.idea WHERE NOT i.fresh",
       "SELECT id, idea, candidate_hash, created_at_ms FROM main.candidates "
       "WHERE idea IN (SELECT id FROM temp.m_ideas WHERE NOT fresh)"},
      report);
  map(connection,
      {"evaluations", "candidate, device, workload, purpose, seed, evaluated_at_ms",
       "SELECT s.id, c.id AS candidate, d.id AS device, s.workload, s.purpose, s.seed, s.evaluated_at_ms "
       "FROM other.evaluations s JOIN temp.m_candidates c ON c.src = s.candidate "
       "JOIN temp.m_devices d ON d.src = s.device WHERE NOT c.fresh",
       "SELECT id, candidate, device, workload, purpose, seed, evaluated_at_ms FROM main.evaluations "
       "WHERE candidate IN (SELECT id FROM temp.m_candidates WHERE NOT fresh)"},
      report);
  connection.execute(kCandidates);
  connection.execute(kEvaluations);
}

}  // namespace

std::int64_t merge_rows(Connection& connection, MergeReport& report) {
  const std::int64_t last = connection.integer("SELECT coalesce(max(id), 0) FROM main.evaluations");
  merge_by_column(connection, "operators", "document_hash",
                  "name, document_hash, dtype, precision, document, entered_at_ms", report);
  merge_by_column(connection, "devices", "key", "key, name, model, document, entered_at_ms", report);
  merge_by_column(connection, "sources", "sha256", "sha256, text, packed", report);
  merge_by_column(connection, "prompt_texts", "sha256", "sha256, text, packed", report);
  merge_jobs(connection, report);
  merge_attempts(connection, report);
  return last;
}

}  // namespace kevolve::archive
