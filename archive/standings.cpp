#include "archive/standings.hpp"

#include "archive/rows.hpp"
#include "archive/statement.hpp"

namespace kevolve::archive {
namespace {

std::int64_t ranking_row(Connection& connection, const JudgedKernel& kernel,
                         const NewEvaluation& evaluation) {
  Statement(connection, R"sql(
      INSERT INTO rankings (operator, workload, device, precision, yardstick) VALUES (?1, ?2, ?3, ?4, ?5)
      ON CONFLICT DO NOTHING)sql")
      .bind(kernel.op, evaluation.workload, kernel.device, evaluation.precision, evaluation.yardstick)
      .run();
  Statement query(connection, R"sql(
      SELECT id FROM rankings
       WHERE operator = ?1 AND workload = ?2 AND device = ?3 AND precision = ?4 AND yardstick = ?5)sql");
  query.bind(kernel.op, evaluation.workload, kernel.device, evaluation.precision, evaluation.yardstick)
      .step();
  std::int64_t id = 0;
  query.read(id);
  return id;
}

/// Whatever was said of it before, it no longer holds; and if nothing was, a later pass must be by a
/// retiming.
void refute(Connection& connection, const JudgedKernel& kernel, const NewEvaluation& evaluation) {
  Statement(connection, R"sql(
      UPDATE standings SET state = 'refuted', evaluation = ?5
       WHERE candidate_hash = ?1
         AND ranking IN (SELECT id FROM rankings WHERE operator = ?2 AND workload = ?3 AND device = ?4))sql")
      .bind(kernel.candidate_hash, kernel.op, evaluation.workload, kernel.device, kernel.evaluation)
      .run();
  if (evaluation.evaluation.verdict.gate < Gate::correctness) return;
  Statement(connection, R"sql(
      INSERT INTO standings (ranking, candidate_hash, candidate, evaluation, state, figure, speedup)
      VALUES (?1, ?2, ?3, ?4, 'refuted', ?5, 0.0) ON CONFLICT DO NOTHING)sql")
      .bind(ranking_row(connection, kernel, evaluation), kernel.candidate_hash, kernel.candidate,
            kernel.evaluation, Figure::search)
      .run();
}

void lift_refutation(Connection& connection, const JudgedKernel& kernel, std::string_view workload) {
  Statement(connection, R"sql(
      DELETE FROM standings
       WHERE candidate_hash = ?1 AND state = 'refuted'
         AND ranking IN (SELECT id FROM rankings WHERE operator = ?2 AND workload = ?3 AND device = ?4))sql")
      .bind(kernel.candidate_hash, kernel.op, workload, kernel.device)
      .run();
}

}  // namespace

bool is_neutral(Outcome outcome) {
  return outcome == Outcome::inconclusive || outcome == Outcome::not_applicable ||
         outcome == Outcome::unsupported;
}

bool is_refuted(Connection& connection, std::string_view candidate_hash, OperatorId op,
                std::string_view workload, DeviceId device) {
  Statement query(connection, R"sql(
      SELECT 1 FROM rankings r JOIN standings s ON s.ranking = r.id
       WHERE r.operator = ?2 AND r.workload = ?3 AND r.device = ?4
         AND s.candidate_hash = ?1 AND s.state = 'refuted')sql");
  return query.bind(candidate_hash, op, workload, device).step();
}

void update_standings(Connection& connection, const JudgedKernel& kernel, const NewEvaluation& evaluation) {
  const Verdict& verdict = evaluation.evaluation.verdict;
  if (is_neutral(verdict.outcome)) return;
  if (!verdict.passed()) return refute(connection, kernel, evaluation);
  if (!is_verified(verdict)) return;

  const bool again = evaluation.purpose == Purpose::retime || evaluation.purpose == Purpose::verify;
  if (again) {
    lift_refutation(connection, kernel, evaluation.workload);
  } else if (is_refuted(connection, kernel.candidate_hash, kernel.op, evaluation.workload, kernel.device)) {
    return;
  }
  // A retimed figure gives way to a newer retimed one only.
  Statement(connection, R"sql(
      INSERT INTO standings (ranking, candidate_hash, candidate, evaluation, state, figure, speedup)
      VALUES (?1, ?2, ?3, ?4, 'verified', ?5, ?6)
      ON CONFLICT DO UPDATE SET evaluation = excluded.evaluation, figure = excluded.figure, speedup = excluded.speedup
       WHERE figure = 'search' OR excluded.figure = 'retimed')sql")
      .bind(ranking_row(connection, kernel, evaluation), kernel.candidate_hash, kernel.candidate,
            kernel.evaluation, again ? Figure::retimed : Figure::search, evaluation.evaluation.speedup)
      .run();
}

}  // namespace kevolve::archive
