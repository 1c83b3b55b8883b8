#pragma once
// The questions that must stay quick on an archive of a million evaluations. They stand here so that a test
// can ask SQLite's planner whether each still goes through an index. `verified_evaluations`:
// archive/verified.hpp.

#include <string_view>

namespace kevolve::queries {

/// ?1 operator name, ?2 operator version or NULL, ?3 workload or '', ?4 device or '', ?5 precision or NULL,
/// ?6 yardstick or ''. Newest operator version first.
inline constexpr std::string_view kRankings = R"sql(
SELECT rk.id, o.id, o.name, o.document_hash, rk.workload, rk.device, d.document, rk.precision, rk.yardstick
  FROM operators o
  JOIN rankings rk ON rk.operator = o.id
  JOIN devices d ON d.id = rk.device
 WHERE o.name = ?1
   AND (?2 IS NULL OR o.id = ?2)
   AND (?3 = '' OR rk.workload = ?3)
   AND (?4 = '' OR ?4 IN (d.key, d.name, d.model))
   AND (?5 IS NULL OR rk.precision = ?5)
   AND (?6 = '' OR rk.yardstick = ?6)
 ORDER BY o.id DESC, rk.workload, rk.device, rk.precision, rk.yardstick)sql";

/// ?1 ranking, ?2 yardstick, ?3 how many, ?4 among how many of the fastest those with a retimed figure go
/// first (0: none do). They are chosen within the index: rows of other tables are read for the chosen alone.
inline constexpr std::string_view kTopOfRanking = R"sql(
SELECT s.candidate, s.candidate_hash, s.evaluation, s.figure, s.speedup, e.speedup_low,
       coalesce(m.median_us, 0.0), coalesce(m.low_us, 0.0), coalesce(m.high_us, 0.0), coalesce(y.median_us, 0.0),
       i.id, i.source, i.key, i.text, r.number, coalesce(j.name, ''), c.tunables
  FROM (SELECT candidate_hash
          FROM (SELECT candidate_hash, figure, speedup FROM standings WHERE ranking = ?1 AND state = 'verified'
                 ORDER BY speedup DESC, candidate_hash LIMIT max(?3, ?4))
         ORDER BY ?4 > 0 AND figure = 'retimed' DESC, speedup DESC, candidate_hash LIMIT ?3) chosen
  CROSS JOIN standings s ON s.ranking = ?1 AND s.candidate_hash = chosen.candidate_hash
  JOIN evaluations e ON e.id = s.evaluation
  JOIN candidates c ON c.id = s.candidate
  JOIN ideas i ON i.id = c.idea
  LEFT JOIN rounds r ON r.id = c.round
  LEFT JOIN jobs j ON j.id = r.job
  LEFT JOIN measurements m ON m.evaluation = e.id AND m.subject = 'candidate'
  LEFT JOIN measurements y ON y.evaluation = e.id AND y.subject = ?2
 ORDER BY ?4 > 0 AND s.figure = 'retimed' DESC, s.speedup DESC, s.candidate_hash)sql";

/// ?1 first hash, ?2 past the last one. One row a hash, up to 6.
inline constexpr std::string_view kByHashPrefix = R"sql(
SELECT candidate_hash, min(id) FROM candidates
 WHERE candidate_hash >= ?1 AND candidate_hash < ?2
 GROUP BY candidate_hash LIMIT 6)sql";

/// ?1 candidate hash, ?2 operator. Every evaluation of it or an identical one, oldest first.
inline constexpr std::string_view kEvaluationsOfHash = R"sql(
SELECT e.id FROM candidates c CROSS JOIN evaluations e ON e.candidate = c.id
 WHERE c.candidate_hash = ?1 AND c.operator = ?2 ORDER BY e.id)sql";

/// ?1 candidate, ?2 the most that is counted. Ends there, since the recursion goes no further than it is
/// read.
inline constexpr std::string_view kCountAncestors = R"sql(
WITH RECURSIVE ancestors (id) AS (
  SELECT parent FROM lineage WHERE child = ?1
  UNION SELECT l.parent FROM ancestors a CROSS JOIN lineage l ON l.child = a.id)
SELECT count(*) FROM (SELECT id FROM ancestors LIMIT ?2))sql";

/// ?1 operator, ?2 candidate hash. Where it ever stood.
inline constexpr std::string_view kStandingsOfHash = R"sql(
SELECT r.workload, r.yardstick, r.device, d.document, r.precision, s.state = 'refuted', s.evaluation, s.figure,
       s.speedup
  FROM rankings r CROSS JOIN standings s ON s.ranking = r.id AND s.candidate_hash = ?2 JOIN devices d ON d.id = r.device
 WHERE r.operator = ?1 ORDER BY r.workload, r.device, r.precision, r.yardstick)sql";

/// ?1 operator, ?2 workload, ?3 device, ?4 a round to leave out, or NULL.
inline constexpr std::string_view kTried = R"sql(
SELECT DISTINCT c.candidate_hash FROM evaluations e JOIN candidates c ON c.id = e.candidate
 WHERE e.operator = ?1 AND e.workload = ?2 AND e.device = ?3 AND (?4 IS NULL OR c.round IS NOT ?4))sql";

/// ?1 operator, ?2 candidate hash or ''. The newest candidate that it was seeded with.
inline constexpr std::string_view kSeedCandidate = R"sql(
SELECT c.id FROM ideas i JOIN candidates c ON c.idea = i.id
 WHERE i.operator = ?1 AND i.source = 'seed' AND i.round IS NULL AND (?2 = '' OR c.candidate_hash = ?2)
 ORDER BY c.id DESC LIMIT 1)sql";

/// ?1 candidate hash, ?2 operator, ?3 workload, ?4 device. Newest first. CROSS JOIN keeps the few candidates
/// outside.
inline constexpr std::string_view kJudgedBefore = R"sql(
SELECT e.id, e.gate, e.outcome
  FROM candidates c CROSS JOIN evaluations e ON e.candidate = c.id
 WHERE c.candidate_hash = ?1 AND e.operator = ?2 AND e.workload = ?3 AND e.device = ?4
 ORDER BY e.id DESC)sql";

/// ?1 candidate hash, ?2 operator, ?3 workload, ?4 device. Newest first, counted ones only.
inline constexpr std::string_view kProfilesOfHash = R"sql(
SELECT p.evaluation
  FROM candidates c CROSS JOIN evaluations e ON e.candidate = c.id CROSS JOIN profiles p ON p.evaluation = e.id
 WHERE c.candidate_hash = ?1 AND e.operator = ?2 AND e.workload = ?3 AND e.device = ?4 AND p.source = 'counters'
 ORDER BY p.evaluation DESC)sql";

/// ?1 round.
inline constexpr std::string_view kUnfinished = R"sql(
SELECT id FROM candidates WHERE round = ?1 AND state IN ('proposed', 'evaluating') ORDER BY id)sql";

/// ?1 operator, ?2 job or NULL.
inline constexpr std::string_view kLedger = R"sql(
SELECT idea, round, round_number, workload, source, key, text, predicted_us, attempts, evaluated, passed,
       best_speedup, best_us, outcomes, last_failure
  FROM ledger WHERE operator = ?1 AND (?2 IS NULL OR job = ?2) ORDER BY idea)sql";

/// ?1 job.
inline constexpr std::string_view kFunnelOfJob = R"sql(
SELECT c.state, e.gate, e.outcome, count(*)
  FROM rounds r JOIN candidates c ON c.round = r.id LEFT JOIN evaluations e ON e.id = c.evaluation
 WHERE r.job = ?1 GROUP BY c.state, e.gate, e.outcome)sql";

/// ?1 round.
inline constexpr std::string_view kFunnelOfRound = R"sql(
SELECT c.state, e.gate, e.outcome, count(*)
  FROM candidates c LEFT JOIN evaluations e ON e.id = c.evaluation
 WHERE c.round = ?1 GROUP BY c.state, e.gate, e.outcome)sql";

/// ?1 job. SQLite takes the bare columns of an aggregate with max() from the row that holds the maximum.
inline constexpr std::string_view kRoundBests = R"sql(
SELECT r.id, r.job, r.operator, r.workload, r.number, r.state, o.name,
       coalesce(b.candidate, 0), coalesce(b.speedup, 0.0), coalesce(m.median_us, 0.0)
  FROM rounds r
  JOIN operators o ON o.id = r.operator
  LEFT JOIN (SELECT c.round, c.id AS candidate, e.id AS evaluation, max(e.speedup) AS speedup
               FROM rounds r2
               JOIN candidates c ON c.round = r2.id
               JOIN verified_evaluations e ON e.id = c.evaluation
              WHERE r2.job = ?1
              GROUP BY c.round) b ON b.round = r.id
  LEFT JOIN measurements m ON m.evaluation = b.evaluation AND m.subject = 'candidate'
 WHERE r.job = ?1
 ORDER BY r.id)sql";

/// ?1 job. What its present budget has spent: over the runs since the last finished one.
inline constexpr std::string_view kSpending = R"sql(
WITH present AS (
  SELECT id, ended_at_ms - started_at_ms AS lasted_ms FROM runs
   WHERE job = ?1 AND id > coalesce((SELECT max(id) FROM runs WHERE job = ?1 AND state = 'finished'), 0))
SELECT (SELECT count(*) FROM evaluations WHERE run IN (SELECT id FROM present)),
       (SELECT coalesce(sum(lasted_ms), 0) FROM present),
       coalesce(sum(attempts), 0), coalesce(sum(input_tokens), 0), coalesce(sum(cached_tokens), 0),
       coalesce(sum(output_tokens), 0), coalesce(sum(reasoning_tokens), 0), coalesce(sum(cost_usd), 0.0),
       count(*) FILTER (WHERE cost_usd IS NULL AND outcome = 'replied')
  FROM exchanges WHERE run IN (SELECT id FROM present))sql";

/// ?1 job. Why its candidates failed, most often first within an operator; the bare columns are of the
/// newest.
inline constexpr std::string_view kJobFailures = R"sql(
SELECT o.name, e.gate, e.outcome, count(*), c.id, c.candidate_hash, e.workload, e.evidence, max(e.evaluated_at_ms)
  FROM rounds r JOIN candidates c ON c.round = r.id JOIN evaluations e ON e.id = c.evaluation
  JOIN operators o ON o.id = c.operator
 WHERE r.job = ?1 AND e.outcome != 'passed'
 GROUP BY o.name, e.gate, e.outcome ORDER BY o.name, count(*) DESC, e.gate, e.outcome)sql";

/// ?1 run. The last sign of life of a run whose process was killed.
inline constexpr std::string_view kLastSignOfRun = R"sql(
SELECT max((SELECT started_at_ms FROM runs WHERE id = ?1),
           coalesce((SELECT max(evaluated_at_ms) FROM evaluations WHERE run = ?1), 0),
           coalesce((SELECT max(answered_at_ms) FROM exchanges WHERE run = ?1), 0)))sql";

/// ?1 job, ?2 how many or -1. Newest first.
inline constexpr std::string_view kExchangesOfJob =
    "SELECT x2.id FROM runs u CROSS JOIN exchanges x2 ON x2.run = u.id WHERE u.job = ?1 ORDER BY x2.id DESC "
    "LIMIT ?2";

/// ?1 job or NULL. A candidate counts for the exchange that wrote it, with all its tunings; a win is a
/// candidate that became champion.
inline constexpr std::string_view kCosts = R"sql(
SELECT j.name, m.source, m.model, m.exchanges, m.requests, m.input_tokens, m.cached_tokens, m.output_tokens,
       m.reasoning_tokens, m.cost_usd, m.unpriced, m.ideas, m.candidates, m.verified, m.wins
  FROM model_costs m JOIN jobs j ON j.id = m.job
 WHERE ?1 IS NULL OR m.job = ?1
 ORDER BY m.job, m.source, m.model)sql";

/// ?1 operator name or '', ?2 gate or NULL. By operator, gate and outcome, with the newest version that has
/// any.
inline constexpr std::string_view kFailures = R"sql(
SELECT o.name, t.gate, t.outcome, sum(t.n), max(t.operator)
  FROM tallies t JOIN operators o ON o.id = t.operator
 WHERE t.what = 'evaluations' AND t.outcome != 'passed' AND t.n > 0
   AND (?1 = '' OR o.name = ?1) AND (?2 IS NULL OR t.gate = ?2)
 GROUP BY o.name, t.gate, t.outcome)sql";

/// ?1 operator version, ?2 gate, ?3 outcome, ?4 how many. Newest first.
inline constexpr std::string_view kFailureExamples = R"sql(
SELECT c.id, c.candidate_hash, newest.workload, newest.evidence, newest.evaluated_at_ms
  FROM (SELECT id, candidate, workload, evidence, evaluated_at_ms FROM evaluations
         WHERE operator = ?1 AND gate = ?2 AND outcome = ?3 AND outcome != 'passed' ORDER BY id DESC LIMIT ?4) newest
  JOIN candidates c ON c.id = newest.candidate ORDER BY newest.id DESC)sql";

/// ?1 match expression, ?2 the most that is counted.
inline constexpr std::string_view kCountIdeasByWords =
    "SELECT count(*) FROM (SELECT 1 FROM idea_words WHERE idea_words MATCH ?1 LIMIT ?2)";

/// ?1 match expression, ?2 operator name or '', ?3 how many. Best match first: goes through all ideas that
/// hold any of the words.
inline constexpr std::string_view kIdeasByMatch = R"sql(
SELECT rowid FROM idea_words
 WHERE idea_words MATCH ?1
   AND (?2 = '' OR (SELECT operator FROM ideas WHERE id = idea_words.rowid) IN
                   (SELECT id FROM operators WHERE name = ?2))
 ORDER BY bm25(idea_words), rowid LIMIT ?3)sql";

/// As kIdeasByMatch, but newest first: ends with the last that is asked for.
inline constexpr std::string_view kIdeasByAge = R"sql(
SELECT rowid FROM idea_words
 WHERE idea_words MATCH ?1
   AND (?2 = '' OR (SELECT operator FROM ideas WHERE id = idea_words.rowid) IN
                   (SELECT id FROM operators WHERE name = ?2))
 ORDER BY rowid DESC LIMIT ?3)sql";

/// ?1 match expression, ?2 an idea that it finds.
inline constexpr std::string_view kFoundIdea = R"sql(
SELECT i.id, o.name, i.source, i.key, i.text,
       (SELECT snippet(idea_words, 1, '«', '»', '…', 24) FROM idea_words WHERE idea_words MATCH ?1 AND rowid = ?2),
       coalesce(j.name, ''),
       (SELECT count(*) FROM candidates c WHERE c.idea = i.id),
       (SELECT count(*) FROM candidates c JOIN verified_evaluations e ON e.id = c.evaluation
         WHERE c.idea = i.id),
       coalesce((SELECT max(e.speedup) FROM candidates c JOIN verified_evaluations e ON e.id = c.evaluation
                  WHERE c.idea = i.id), 0.0)
  FROM ideas i
  JOIN operators o ON o.id = i.operator
  LEFT JOIN rounds r ON r.id = i.round
  LEFT JOIN jobs j ON j.id = r.job
 WHERE i.id = ?2)sql";

/// ?1 job. The last of each key, and how many there were.
inline constexpr std::string_view kJobChampions = R"sql(
SELECT o.name, h.workload, d.model, h.precision, h.candidate, c.candidate_hash, i.text, h.speedup, h.promoted_at_ms,
       n.changes,
       EXISTS (SELECT 1 FROM rankings k JOIN standings s ON s.ranking = k.id
                WHERE k.operator = h.operator AND k.workload = h.workload AND k.device = h.device
                  AND s.candidate_hash = c.candidate_hash AND s.state = 'refuted')
  FROM (SELECT max(h.id) AS last, count(*) AS changes FROM rounds r CROSS JOIN champions h ON h.round = r.id
         WHERE r.job = ?1 GROUP BY h.operator, h.workload, h.device, h.precision) n
  JOIN champions h ON h.id = n.last
  JOIN operators o ON o.id = h.operator
  JOIN devices d ON d.id = h.device
  JOIN candidates c ON c.id = h.candidate
  JOIN ideas i ON i.id = c.idea
 ORDER BY o.name, h.workload, d.model, h.precision)sql";

}  // namespace kevolve::queries
