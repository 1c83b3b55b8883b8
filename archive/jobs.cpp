// Operators, devices, jobs, runs and rounds of an Archive.

#include <fmt/format.h>

#include "archive/archive.hpp"
#include "archive/impl.hpp"
#include "archive/process_identity.hpp"
#include "archive/queries.hpp"
#include "archive/rows.hpp"
#include "core/model/candidate.hpp"
#include "core/text/sha256.hpp"

namespace kevolve::archive {
namespace {

constexpr std::string_view kJobColumns =
    "SELECT j.id, j.name, j.version, d.document, j.state, j.reason, j.priority, j.submitted_at_ms, "
    "j.created_at_ms, j.changed_at_ms, j.series_began_at_ms FROM jobs j "
    "JOIN job_documents d ON d.job = j.id AND d.version = j.version ";

JobRecord read_job(const Statement& row) {
  JobRecord job;
  row.read(job.id, job.name, job.version, job.document, job.state, job.reason, job.priority, job.submitted_at,
           job.created_at, job.changed_at, job.series_began_at);
  return job;
}

std::optional<JobRecord> find_job(Connection& connection, std::string_view name) {
  Statement query(connection, std::string(kJobColumns) + "WHERE j.name = ?1");
  if (!query.bind(name).step()) return std::nullopt;
  return read_job(query);
}

void add_document(Connection& connection, const JobRecord& job, Timestamp now) {
  Statement(connection, "INSERT INTO job_documents VALUES (?1, ?2, ?3, ?4)")
      .bind(job.id, job.version, job.document, now)
      .run();
}

/// The job of that name in that state, with that document; found, or made. A finished one begins a new
/// series.
JobRecord enter_job(Connection& connection, std::string_view name, const Json& document, JobState state,
                    Timestamp now) {
  std::optional<JobRecord> found = find_job(connection, name);
  if (!found) {
    JobRecord job;
    job.name = name;
    job.document = document;
    job.state = state;
    job.created_at = job.changed_at = job.series_began_at = now;
    Statement(connection, R"sql(
        INSERT INTO jobs (name, version, state, created_at_ms, uid, changed_at_ms, series_began_at_ms)
        VALUES (?1, ?2, ?3, ?4, lower(hex(randomblob(16))), ?4, ?4))sql")
        .bind(name, job.version, state, now)
        .run();
    job.id.value = connection.last_row_id();
    add_document(connection, job, now);
    return job;
  }
  found->continued = true;
  found->document_changed = found->document != document;
  if (found->state == JobState::finished) found->series_began_at = now;
  found->state = state;
  found->reason.clear();
  found->changed_at = now;
  if (found->document_changed) {
    ++found->version;
    found->document = document;
    add_document(connection, *found, now);
  }
  Statement(connection, R"sql(
      UPDATE jobs SET version = ?2, state = ?3, reason = '', changed_at_ms = ?4, series_began_at_ms = ?5
       WHERE id = ?1)sql")
      .bind(found->id, found->version, state, now, found->series_began_at)
      .run();
  return *found;
}

/// What a killed process left behind; refuses while that process is alive.
void close_abandoned_runs(Connection& connection, JobId job) {
  Statement running(connection, "SELECT id, process FROM runs WHERE job = ?1 AND state = ?2");
  running.bind(job, RunState::running);
  while (running.step()) {
    RunId run;
    std::string process;
    running.read(run, process);
    if (process != process_identity() && process_is_alive(process)) {
      throw ArchiveFailure(
          fmt::format("this job is being run by another process (boot/process/start {}). Wait for it, "
                      "end it, or give this job another name.",
                      process));
    }
    // It ended when it was last heard of: the time until now was not spent on the job.
    Statement last(connection, queries::kLastSignOfRun);
    last.bind(run).step();
    Timestamp ended;
    last.read(ended);
    Statement(connection, "UPDATE runs SET state = ?2, ended_at_ms = ?3 WHERE id = ?1")
        .bind(run, RunState::interrupted, ended)
        .run();
  }
  Statement(connection, R"sql(
      UPDATE candidates SET state = ?2
       WHERE state = ?3 AND round IN (SELECT id FROM rounds WHERE job = ?1))sql")
      .bind(job, CandidateState::proposed, CandidateState::evaluating)
      .run();
}

RoundRecord read_round(const Statement& row) {
  RoundRecord round;
  row.read(round.id, round.job, round.op, round.workload, round.number, round.state, round.began_at,
           round.finished_at);
  return round;
}

}  // namespace

Result<OperatorId> Archive::enter_operator(const Operator& op) {
  return impl_->write([&] {
    const std::string document = op.document.dump();
    const std::string hash = sha256_hex(document);
    OperatorId id;
    Statement known(impl_->connection, "SELECT id FROM operators WHERE document_hash = ?1");
    if (known.bind(hash).step()) {
      known.read(id);
      return id;
    }
    const std::string_view dtype = op.outputs.empty() ? "" : name(op.outputs.front().dtype);
    Statement(impl_->connection, R"sql(
        INSERT INTO operators (name, document_hash, dtype, precision, document, entered_at_ms)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6))sql")
        .bind(op.name, hash, dtype, op.precision, document, impl_->now())
        .run();
    id.value = impl_->connection.last_row_id();
    return id;
  });
}

Result<DeviceId> Archive::enter_device(const DeviceInfo& device) {
  return impl_->write([&] { return device_row(impl_->connection, device, impl_->now()); });
}

Result<Operator> Archive::operator_version(OperatorId op) {
  const auto document = impl_->read([&] {
    Statement query(impl_->connection, "SELECT document FROM operators WHERE id = ?1");
    if (!query.bind(op).step())
      throw ArchiveFailure(fmt::format("there is no operator version {}.", op.value));
    Json json;
    query.read(json);
    return json;
  });
  if (!document) return failure(document.error());
  return parse_operator(*document,
                        fmt::format("operator version {} of archive '{}'", op.value, path().string()));
}

Result<std::vector<std::string>> Archive::operator_names() {
  return impl_->read([&] {
    Statement query(impl_->connection, "SELECT DISTINCT name FROM operators ORDER BY name");
    std::vector<std::string> names;
    while (query.step()) query.read(names.emplace_back());
    return names;
  });
}

Result<JobRecord> Archive::begin_job(std::string_view name, const Json& document) {
  return impl_->write(
      [&] { return enter_job(impl_->connection, name, document, JobState::running, impl_->now()); });
}

Result<JobRecord> Archive::submit_job(std::string_view name, const Json& document,
                                      std::optional<int> priority) {
  return impl_->write([&] {
    JobRecord job = enter_job(impl_->connection, name, document, JobState::queued, impl_->now());
    job.priority = priority.value_or(job.priority);
    job.submitted_at = job.changed_at;
    Statement(impl_->connection, "UPDATE jobs SET priority = ?2, submitted_at_ms = ?3 WHERE id = ?1")
        .bind(job.id, job.priority, job.submitted_at)
        .run();
    return job;
  });
}

Result<void> Archive::end_job(JobId job, JobState state, std::string_view reason) {
  return impl_->write([&] {
    Statement(impl_->connection, "UPDATE jobs SET state = ?2, reason = ?3, changed_at_ms = ?4 WHERE id = ?1")
        .bind(job, state, reason, impl_->now())
        .run();
  });
}

Result<void> Archive::prioritise_job(JobId job, int priority) {
  return impl_->write([&] {
    Statement(impl_->connection, "UPDATE jobs SET priority = ?2 WHERE id = ?1").bind(job, priority).run();
  });
}

Result<std::optional<JobRecord>> Archive::job(std::string_view name) {
  return impl_->read([&] { return find_job(impl_->connection, name); });
}

Result<std::vector<JobRecord>> Archive::jobs() {
  return impl_->read([&] {
    Statement query(impl_->connection, std::string(kJobColumns) + "ORDER BY j.id");
    std::vector<JobRecord> jobs;
    while (query.step()) jobs.push_back(read_job(query));
    return jobs;
  });
}

Result<RunId> Archive::begin_run(const NewRun& run) {
  return impl_->write([&] {
    close_abandoned_runs(impl_->connection, run.job);
    const DeviceId device = device_row(impl_->connection, run.device, impl_->now());
    Statement(impl_->connection, R"sql(
        INSERT INTO runs (job, job_version, device, seed, versions, process, state, started_at_ms)
        VALUES (?1, (SELECT version FROM jobs WHERE id = ?1), ?2, ?3, ?4, ?5, ?6, ?7))sql")
        .bind(run.job, device, run.seed, run.versions, process_identity(), RunState::running, impl_->now())
        .run();
    return RunId{impl_->connection.last_row_id()};
  });
}

Result<void> Archive::end_run(RunId run, RunState state) {
  return impl_->write([&] {
    Statement(impl_->connection, "UPDATE runs SET state = ?2, ended_at_ms = ?3 WHERE id = ?1")
        .bind(run, state, impl_->now())
        .run();
  });
}

Result<RoundRecord> Archive::begin_round(JobId job, OperatorId op, std::string_view workload) {
  return impl_->write([&] {
    RoundRecord round;
    Statement latest(impl_->connection, R"sql(
        SELECT id, job, operator, workload, number, state, began_at_ms, finished_at_ms FROM rounds
         WHERE job = ?1 AND operator = ?2 AND workload = ?3 ORDER BY number DESC LIMIT 1)sql");
    if (latest.bind(job, op, workload).step()) {
      round = read_round(latest);
      round.resumed = round.state == RoundState::open;
      if (round.resumed) return round;
      ++round.number;
      round.state = RoundState::open;
      round.finished_at.reset();
    }
    round.began_at = impl_->now();
    Statement(impl_->connection, R"sql(
        INSERT INTO rounds (job, operator, workload, number, state, began_at_ms)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6))sql")
        .bind(job, op, workload, round.number, round.state, round.began_at)
        .run();
    round.id.value = impl_->connection.last_row_id();
    round.job = job;
    round.op = op;
    round.workload = workload;
    return round;
  });
}

Result<void> Archive::finish_round(RoundId round) {
  return impl_->write([&] {
    Statement(impl_->connection, "UPDATE rounds SET state = ?2, finished_at_ms = ?3 WHERE id = ?1")
        .bind(round, RoundState::finished, impl_->now())
        .run();
  });
}

Result<std::vector<RoundRecord>> Archive::rounds(JobId job) {
  return impl_->read([&] {
    Statement query(
        impl_->connection,
        "SELECT id, job, operator, workload, number, state, began_at_ms, finished_at_ms FROM rounds "
        "WHERE job = ?1 ORDER BY id");
    query.bind(job);
    std::vector<RoundRecord> rounds;
    while (query.step()) rounds.push_back(read_round(query));
    return rounds;
  });
}

Result<std::vector<RoundRecord>> Archive::rounds_of_present_series(JobId job) {
  return impl_->read([&] {
    Statement query(impl_->connection, R"sql(
        SELECT id, job, operator, workload, number, state FROM rounds
         WHERE job = ?1 AND state = ?2
           AND finished_at_ms > coalesce((SELECT max(ended_at_ms) FROM runs WHERE job = ?1 AND state = ?3), 0)
         ORDER BY id)sql");
    query.bind(job, RoundState::finished, RunState::finished);
    std::vector<RoundRecord> rounds;
    while (query.step()) rounds.push_back(read_round(query));
    return rounds;
  });
}

}  // namespace kevolve::archive
