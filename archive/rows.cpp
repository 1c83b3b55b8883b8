#include "archive/rows.hpp"

#include <fmt/format.h>

#include <cmath>
#include <limits>

#include "archive/statement.hpp"
#include "core/model/candidate.hpp"
#include "core/text/sha256.hpp"

namespace kevolve::archive {
namespace {

/// SQLite has no NaN.
double storable(double value) {
  return std::isnan(value) ? 0 : value;
}

double number(const Json& json) {  // JSON has neither NaN nor infinity: they became null
  return json.is_number() ? json.get<double>() : std::numeric_limits<double>::quiet_NaN();
}

std::optional<Json> accuracy_json(const std::optional<Accuracy>& accuracy) {
  if (!accuracy) return std::nullopt;
  return Json{{"max_error", accuracy->max_error},
              {"norm_error", accuracy->norm_error},
              {"torch_max_error", accuracy->torch_max_error},
              {"torch_norm_error", accuracy->torch_norm_error},
              {"worst_draw", accuracy->worst_draw}};
}

Accuracy accuracy_from(const Json& json) {
  return {number(json.at("max_error")), number(json.at("norm_error")), number(json.at("torch_max_error")),
          number(json.at("torch_norm_error")), json.at("worst_draw").get<std::string>()};
}

std::optional<Json> compile_json(const std::optional<CompileReport>& compile) {
  if (!compile) return std::nullopt;
  return Json{{"binary_hash", compile->binary_hash},
              {"binary_bytes", compile->binary_bytes},
              {"cached", compile->cached},
              {"resources", compile->resources},
              {"log", compile->log}};
}

CompileReport compile_from(const Json& json) {
  CompileReport report;
  report.binary_hash = json.at("binary_hash").get<std::string>();
  report.binary_bytes = json.at("binary_bytes").get<std::int64_t>();
  report.cached = json.at("cached").get<bool>();
  report.resources = json.at("resources").get<std::map<std::string, std::int64_t>>();
  report.log = json.at("log").get<std::string>();
  return report;
}

void insert_measurements(Connection& connection, EvaluationId id,
                         const std::vector<Measurement>& measurements) {
  int ordinal = 0;
  for (const Measurement& m : measurements) {
    Statement(connection, "INSERT INTO measurements VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)")
        .bind(id, ordinal++, m.subject, m.mode, storable(m.median_us), storable(m.low_us),
              storable(m.high_us), m.samples_us, m.sm_mhz, m.backend)
        .run();
  }
}

std::vector<Measurement> read_measurements(Connection& connection, EvaluationId id) {
  Statement query(connection, R"sql(
      SELECT subject, mode, median_us, low_us, high_us, samples_us, sm_mhz, backend FROM measurements
       WHERE evaluation = ?1 ORDER BY ordinal)sql");
  query.bind(id);
  std::vector<Measurement> measurements;
  while (query.step()) {
    Measurement& m = measurements.emplace_back();
    query.read(m.subject, m.mode, m.median_us, m.low_us, m.high_us, m.samples_us, m.sm_mhz, m.backend);
  }
  return measurements;
}

}  // namespace

std::vector<ParentRecord> read_parents(Connection& connection, CandidateId child) {
  Statement query(connection, "SELECT parent, relation FROM lineage WHERE child = ?1 ORDER BY ordinal");
  query.bind(child);
  std::vector<ParentRecord> parents;
  while (query.step()) {
    ParentRecord& parent = parents.emplace_back();
    query.read(parent.candidate, parent.relation);
  }
  return parents;
}

std::int64_t text_row(Connection& connection, TextTable table, const std::string& text) {
  const bool sources = table == TextTable::sources;
  const std::string hash = sha256_hex(text);
  std::int64_t id = 0;
  Statement query(connection, sources ? "SELECT id FROM sources WHERE sha256 = ?1"
                                      : "SELECT id FROM prompt_texts WHERE sha256 = ?1");
  if (query.bind(hash).step()) {
    query.read(id);
    return id;
  }
  // LIMIT keeps SQLite from packing twice.
  constexpr std::string_view kValues = R"sql( (sha256, packed, text)
      SELECT ?1, packed, CASE WHEN packed IS NULL THEN ?2 ELSE '' END FROM (SELECT kevolve_pack(?2) AS packed LIMIT 1))sql";
  Statement(connection,
            std::string(sources ? "INSERT INTO sources" : "INSERT INTO prompt_texts") + std::string(kValues))
      .bind(hash, text)
      .run();
  return connection.last_row_id();
}

DeviceId device_row(Connection& connection, const DeviceInfo& device, Timestamp now) {
  const std::string key = device.key();
  Statement(connection, R"sql(
      INSERT INTO devices (key, name, model, document, entered_at_ms) VALUES (?1, ?2, ?3, ?4, ?5)
      ON CONFLICT (key) DO NOTHING)sql")
      .bind(key, device.name, device.model, to_json(device), now)
      .run();
  DeviceId id;
  Statement query(connection, "SELECT id FROM devices WHERE key = ?1");
  query.bind(key).step();
  query.read(id);
  return id;
}

IdeaRecord read_idea(Connection& connection, IdeaId id) {
  Statement query(connection, R"sql(
      SELECT id, operator, round, source, key, text, bottleneck, predicted_us, exchange, created_at_ms FROM ideas WHERE id = ?1)sql");
  if (!query.bind(id).step()) throw ArchiveFailure(fmt::format("there is no idea {}.", id.value));
  IdeaRecord idea;
  query.read(idea.id, idea.op, idea.round, idea.source, idea.key, idea.text, idea.bottleneck,
             idea.predicted_us, idea.exchange, idea.created_at);
  Statement parents(connection, "SELECT candidate FROM idea_parents WHERE idea = ?1 ORDER BY ordinal");
  parents.bind(id);
  while (parents.step()) parents.read(idea.parents.emplace_back());
  return idea;
}

CandidateRecord read_candidate(Connection& connection, CandidateId id) {
  Statement query(connection, R"sql(
      SELECT c.id, c.idea, c.operator, c.round, c.candidate_hash, c.tunables, c.state, c.evaluation, c.created_at_ms,
             s.sha256, kevolve_unpack(s.packed, s.text), c.exchange
        FROM candidates c JOIN sources s ON s.id = c.source WHERE c.id = ?1)sql");
  if (!query.bind(id).step()) throw ArchiveFailure(fmt::format("there is no candidate #{}.", id.value));
  CandidateRecord candidate;
  Json tunables;
  query.read(candidate.id, candidate.idea, candidate.op, candidate.round, candidate.hash, tunables,
             candidate.state, candidate.evaluation, candidate.created_at, candidate.source_hash,
             candidate.source, candidate.exchange);
  candidate.tunables = tunables.get<Bindings>();
  candidate.parents = read_parents(connection, id);
  return candidate;
}

namespace {

void insert_profile(Connection& connection, EvaluationId id, const Profile& profile) {
  const Json json = to_json(profile);
  Statement(connection,
            "INSERT INTO profiles (evaluation, regime, source, metrics, advice) VALUES (?1, ?2, ?3, ?4, ?5)")
      .bind(id, profile.regime, profile.source, json.at("metrics"), json.at("advice"))
      .run();
}

}  // namespace

std::optional<Profile> read_profile(Connection& connection, EvaluationId id) {
  Statement query(connection, "SELECT regime, source, metrics, advice FROM profiles WHERE evaluation = ?1");
  if (!query.bind(id).step()) return std::nullopt;
  std::string regime, source;
  Json metrics, advice;
  query.read(regime, source, metrics, advice);
  auto profile = profile_from_json({{"regime", regime},
                                    {"source", source},
                                    {"metrics", std::move(metrics)},
                                    {"advice", std::move(advice)}},
                                   fmt::format("the profile of evaluation {}", id.value));
  if (!profile) throw ArchiveFailure(profile.error().message);
  return std::move(*profile);
}

EvaluationId insert_evaluation(Connection& connection, const NewEvaluation& record, OperatorId op,
                               DeviceId device, Timestamp now) {
  const Evaluation& e = record.evaluation;
  Statement(connection, R"sql(
      INSERT INTO evaluations (candidate, run, operator, workload, device, precision, measured_precision, yardstick,
                               purpose, gate, outcome, evidence, speedup, speedup_low, prepare_us, floor_us, seed,
                               accuracy, compile, gate_ms, evaluated_at_ms, witness)
      VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22))sql")
      .bind(record.candidate, record.run, op, record.workload, device, record.precision, e.precision,
            record.yardstick, record.purpose, e.verdict.gate, e.verdict.outcome, e.verdict.evidence,
            storable(e.speedup), storable(e.speedup_low), e.prepare_us, storable(e.floor_us), e.seed,
            accuracy_json(e.accuracy), compile_json(e.compile), Json(e.gate_ms), now,
            e.witness ? std::optional(to_json(*e.witness)) : std::nullopt)
      .run();
  const EvaluationId id{connection.last_row_id()};
  insert_measurements(connection, id, e.measurements);
  if (e.profile) insert_profile(connection, id, *e.profile);
  return id;
}

EvaluationRecord read_evaluation(Connection& connection, EvaluationId id) {
  Statement query(connection, R"sql(
      SELECT e.id, e.candidate, e.run, e.operator, e.workload, e.precision, e.measured_precision, e.yardstick,
             e.purpose, e.gate, e.outcome, e.evidence, e.speedup, e.speedup_low, e.prepare_us, e.floor_us, e.seed,
             e.accuracy, e.compile, e.gate_ms, e.evaluated_at_ms, e.witness, d.document
        FROM evaluations e JOIN devices d ON d.id = e.device WHERE e.id = ?1)sql");
  if (!query.bind(id).step()) throw ArchiveFailure(fmt::format("there is no evaluation {}.", id.value));
  EvaluationRecord record;
  Evaluation& e = record.evaluation;
  std::optional<Json> accuracy, compile, witness;
  Json gate_ms, device;
  query.read(record.id, record.candidate, record.run, record.op, record.workload, record.precision,
             e.precision, record.yardstick, record.purpose, e.verdict.gate, e.verdict.outcome,
             e.verdict.evidence, e.speedup, e.speedup_low, e.prepare_us, e.floor_us, e.seed, accuracy,
             compile, gate_ms, record.evaluated_at, witness, device);
  if (accuracy) e.accuracy = accuracy_from(*accuracy);
  if (compile) e.compile = compile_from(*compile);
  e.gate_ms = gate_ms.get<std::map<std::string, double>>();
  const auto info = device_from_json(device);
  if (!info) throw ArchiveFailure("a device's row: " + info.error().message);
  e.device = *info;
  if (witness) {
    const auto seen = witness_from_json(*witness);
    if (!seen) throw ArchiveFailure(fmt::format("evaluation {}: {}", id.value, seen.error().message));
    e.witness = *seen;
  }
  e.measurements = read_measurements(connection, id);
  e.profile = read_profile(connection, id);
  return record;
}

}  // namespace kevolve::archive
