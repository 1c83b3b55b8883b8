#pragma once
// The questions that must stay quick on an archive of a million evaluations. They stand here so that a test
// can ask SQLite's planner whether each still goes through an index.

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

/// ?1 ranking, ?2 yardstick, ?3 how many.
inline constexpr std::string_view kTopOfRanking = R"sql(
SELECT s.candidate, s.candidate_hash, s.evaluation, s.figure, s.speedup, e.speedup_low,
       coalesce(m.median_us, 0.0), coalesce(m.low_us, 0.0), coalesce(m.high_us, 0.0), coalesce(y.median_us, 0.0),
       i.id, i.source, i.key, i.text, r.number, coalesce(j.name, ''), c.tunables
  FROM (SELECT * FROM standings WHERE ranking = ?1 AND state = 'verified'
         ORDER BY speedup DESC, candidate_hash LIMIT ?3) s
  JOIN evaluations e ON e.id = s.evaluation
  JOIN candidates c ON c.id = s.candidate
  JOIN ideas i ON i.id = c.idea
  LEFT JOIN rounds r ON r.id = c.round
  LEFT JOIN jobs j ON j.id = r.job
  LEFT JOIN measurements m ON m.evaluation = e.id AND m.subject = 'candidate'
  LEFT JOIN measurements y ON y.evaluation = e.id AND y.subject = ?2
 ORDER BY s.speedup DESC, s.candidate_hash)sql";

/// ?1 first hash, ?2 past the last one. One row a hash, up to 6.
inline constexpr std::string_view kByHashPrefix = R"sql(
SELECT candidate_hash, min(id) FROM candidates
 WHERE candidate_hash >= ?1 AND candidate_hash < ?2
 GROUP BY candidate_hash LIMIT 6)sql";

/// ?1 candidate hash, ?2 operator. Every evaluation of it or an identical one, oldest first.
inline constexpr std::string_view kEvaluationsOfHash = R"sql(
SELECT e.id FROM candidates c CROSS JOIN evaluations e ON e.candidate = c.id
 WHERE c.candidate_hash = ?1 AND c.operator = ?2 ORDER BY e.id)sql";

/// ?1 operator, ?2 workload, ?3 device.
inline constexpr std::string_view kTried = R"sql(
SELECT DISTINCT c.candidate_hash FROM evaluations e JOIN candidates c ON c.id = e.candidate
 WHERE e.operator = ?1 AND e.workload = ?2 AND e.device = ?3)sql";

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
SELECT idea, round, round_number, workload, source, key, text, prediction, attempts, evaluated, passed, best_speedup,
       outcomes
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
               JOIN evaluations e ON e.id = c.evaluation
              WHERE r2.job = ?1 AND e.outcome = 'passed' AND e.gate IN ('timing', 'profile')
              GROUP BY c.round) b ON b.round = r.id
  LEFT JOIN measurements m ON m.evaluation = b.evaluation AND m.subject = 'candidate'
 WHERE r.job = ?1
 ORDER BY r.id)sql";

}  // namespace kevolve::queries
