// Judgement in an Archive: evaluations, and the champions they make.

#include <fmt/format.h>

#include "archive/archive.hpp"
#include "archive/impl.hpp"
#include "archive/queries.hpp"
#include "archive/rows.hpp"
#include "archive/standings.hpp"

namespace kevolve::archive {
namespace {

/// What has to be known of a candidate to judge it.
struct Subject {
  OperatorId op;
  std::string hash;
  std::optional<std::string> round_workload;
  std::optional<EvaluationId> decided_by;
};

Subject read_subject(Connection& connection, CandidateId candidate) {
  Statement query(connection, R"sql(
      SELECT c.operator, c.candidate_hash, r.workload, c.evaluation
        FROM candidates c LEFT JOIN rounds r ON r.id = c.round WHERE c.id = ?1)sql");
  if (!query.bind(candidate).step())
    throw ArchiveFailure(fmt::format("there is no candidate #{}.", candidate.value));
  Subject subject;
  query.read(subject.op, subject.hash, subject.round_workload, subject.decided_by);
  return subject;
}

/// The first evaluation at its round's workload decides a candidate. Later ones there, on the same device,
/// decide anew when they refute it or were meant to settle it.
bool decides(Connection& connection, const Subject& subject, const NewEvaluation& evaluation,
             DeviceId device) {
  if (subject.round_workload && *subject.round_workload != evaluation.workload) return false;
  if (!subject.decided_by) return true;
  Statement query(connection, "SELECT workload, device FROM evaluations WHERE id = ?1");
  query.bind(*subject.decided_by).step();
  std::string workload;
  DeviceId earlier_device;
  query.read(workload, earlier_device);
  if (workload != evaluation.workload || earlier_device != device) return false;
  const Verdict& verdict = evaluation.evaluation.verdict;
  if (is_neutral(verdict.outcome)) return false;
  const bool again = evaluation.purpose == Purpose::retime || evaluation.purpose == Purpose::verify;
  return !verdict.passed() || (again && is_verified(verdict));
}

/// Identical candidates that went by the earlier evaluation follow.
void decide(Connection& connection, CandidateId candidate, std::optional<EvaluationId> earlier,
            EvaluationId evaluation) {
  Statement(connection, "UPDATE candidates SET state = ?2, evaluation = ?3 WHERE id = ?1 OR evaluation = ?4")
      .bind(candidate, CandidateState::evaluated, evaluation, earlier)
      .run();
}

std::string candidate_hash_of(Connection& connection, CandidateId candidate) {
  return read_subject(connection, candidate).hash;
}

void require_promotable(Connection& connection, const ResultKey& key, CandidateId candidate,
                        const EvaluationRecord& evaluation, DeviceId device) {
  const std::string hash = candidate_hash_of(connection, candidate);
  const auto refuse = [&](std::string_view reason) {
    throw ArchiveFailure(fmt::format("candidate #{} cannot become champion by evaluation {}: {}",
                                     candidate.value, evaluation.id.value, reason));
  };
  if (hash != candidate_hash_of(connection, evaluation.candidate)) refuse("that is of another candidate.");
  if (evaluation.op != key.op || evaluation.workload != key.workload || device != key.device ||
      evaluation.precision != key.precision) {
    refuse("that is for another operator version, workload, device or precision class.");
  }
  if (!is_verified(evaluation.evaluation.verdict)) refuse("that did not pass timing.");
  if (is_refuted(connection, hash, key.op, key.workload, key.device))
    refuse("a later evaluation refuted it.");
}

DeviceId device_of(Connection& connection, EvaluationId evaluation) {
  Statement query(connection, "SELECT device FROM evaluations WHERE id = ?1");
  query.bind(evaluation).step();
  DeviceId device;
  query.read(device);
  return device;
}

}  // namespace

Result<EvaluationId> Archive::record_evaluation(const NewEvaluation& evaluation) {
  return impl_->write([&] {
    Connection& connection = impl_->connection;
    const Subject subject = read_subject(connection, evaluation.candidate);
    const DeviceId device = device_row(connection, evaluation.evaluation.device, impl_->now());
    const bool deciding = decides(connection, subject, evaluation, device);
    const EvaluationId id = insert_evaluation(connection, evaluation, subject.op, device, impl_->now());
    if (deciding) decide(connection, evaluation.candidate, subject.decided_by, id);
    update_standings(connection, {id, evaluation.candidate, subject.hash, subject.op, device}, evaluation);
    return id;
  });
}

Result<void> Archive::reuse_evaluation(CandidateId candidate, EvaluationId evaluation) {
  return impl_->write([&] {
    Connection& connection = impl_->connection;
    const Subject subject = read_subject(connection, candidate);
    const Subject judged = read_subject(connection, read_evaluation(connection, evaluation).candidate);
    if (subject.hash != judged.hash || subject.op != judged.op) {
      throw ArchiveFailure(
          fmt::format("evaluation {} is not of a candidate identical to #{}; it cannot be reused.",
                      evaluation.value, candidate.value));
    }
    decide(connection, candidate, std::nullopt, evaluation);
  });
}

Result<Tried> Archive::tried(OperatorId op, std::string_view workload, DeviceId device,
                             std::optional<RoundId> except) {
  return impl_->read([&] {
    Statement query(impl_->connection, queries::kTried);
    query.bind(op, workload, device, except);
    std::vector<std::uint64_t> marks;
    std::string hash;
    while (query.step()) {
      query.read(hash);
      marks.push_back(Tried::mark(hash));
    }
    return Tried(std::move(marks));
  });
}

Result<std::optional<EvaluationRecord>> Archive::find_evaluation(std::string_view candidate_hash,
                                                                 OperatorId op, std::string_view workload,
                                                                 DeviceId device, Gate last_gate) {
  return impl_->read([&]() -> std::optional<EvaluationRecord> {
    Statement query(impl_->connection, queries::kJudgedBefore);
    query.bind(candidate_hash, op, workload, device);
    while (query.step()) {
      EvaluationId id;
      Verdict verdict;
      query.read(id, verdict.gate, verdict.outcome);
      if (!verdict.passed() || verdict.gate >= last_gate) return read_evaluation(impl_->connection, id);
    }
    return std::nullopt;
  });
}

Result<EvaluationRecord> Archive::evaluation(EvaluationId id) {
  return impl_->read([&] { return read_evaluation(impl_->connection, id); });
}

Result<std::optional<Profile>> Archive::profile(std::string_view candidate_hash, OperatorId op,
                                                std::string_view workload, DeviceId device) {
  return impl_->read([&]() -> std::optional<Profile> {
    Statement query(impl_->connection, queries::kProfilesOfHash);
    if (!query.bind(candidate_hash, op, workload, device).step()) return std::nullopt;
    EvaluationId id;
    query.read(id);
    return read_profile(impl_->connection, id);
  });
}

Result<void> Archive::promote(const ResultKey& key, CandidateId candidate, EvaluationId evaluation,
                              std::optional<RoundId> round) {
  return impl_->write([&] {
    Connection& connection = impl_->connection;
    const EvaluationRecord record = read_evaluation(connection, evaluation);
    require_promotable(connection, key, candidate, record, device_of(connection, evaluation));
    Statement(connection, R"sql(
        INSERT INTO champions (operator, workload, device, precision, candidate, evaluation, round, speedup,
                               promoted_at_ms)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9))sql")
        .bind(key.op, key.workload, key.device, key.precision, candidate, evaluation, round,
              record.evaluation.speedup, impl_->now())
        .run();
  });
}

Result<std::vector<ChampionRecord>> Archive::champions(const ResultKey& key) {
  return impl_->read([&] {
    Statement query(impl_->connection, R"sql(
        SELECT candidate, evaluation, round, promoted_at_ms, speedup FROM champions
         WHERE operator = ?1 AND workload = ?2 AND device = ?3 AND precision = ?4 ORDER BY id)sql");
    query.bind(key.op, key.workload, key.device, key.precision);
    std::vector<ChampionRecord> champions;
    while (query.step()) {
      ChampionRecord& champion = champions.emplace_back();
      champion.key = key;
      query.read(champion.candidate, champion.evaluation, champion.round, champion.promoted_at,
                 champion.speedup);
    }
    return champions;
  });
}

Result<std::optional<ChampionRecord>> Archive::champion(const ResultKey& key) {
  const auto all = champions(key);
  if (!all) return failure(all.error());
  return impl_->read([&]() -> std::optional<ChampionRecord> {
    for (auto it = all->rbegin(); it != all->rend(); ++it) {
      const std::string hash = candidate_hash_of(impl_->connection, it->candidate);
      if (!is_refuted(impl_->connection, hash, key.op, key.workload, key.device)) return *it;
    }
    return std::nullopt;
  });
}

}  // namespace kevolve::archive
