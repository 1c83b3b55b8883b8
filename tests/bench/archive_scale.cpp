// archive_scale EVALUATIONS FOLDER: makes two archives of that many evaluations (realistic rows, 4 operators,
// 2 devices, 8 jobs) and prints their size and how long opening, `best`, `report` and merging them take.

#include <fmt/format.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>

#include "archive/archive.hpp"
#include "archive/connection.hpp"
#include "archive/statement.hpp"

using namespace kevolve;
namespace fs = std::filesystem;

namespace {

template <class T>
T must(Result<T> result) {
  if (result) return std::move(*result);
  fmt::print(stderr, "archive_scale: {}\n", result.error().message);
  std::exit(1);
}

template <class Body>
void timed(const char* what, Body&& body) {
  const auto begin = std::chrono::steady_clock::now();
  body();
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
  fmt::print("{:<28} {:>12.3f} ms\n", what, took.count() * 1e3);
}

/// ?1 how many, ?2 this archive's number: hashes differ between archives. A source for ten candidates, three
/// of five evaluations verified.
constexpr const char* kRows = R"sql(
CREATE TEMP TABLE n (i INTEGER PRIMARY KEY);
WITH RECURSIVE c (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c WHERE i < {0}) INSERT INTO n SELECT i FROM c;
WITH RECURSIVE c (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c WHERE i < 4)
INSERT INTO operators SELECT i, 'op' || i, 'document-' || i, 'f32', 'strict_fp32', '{{"name":"op"}}', 5 FROM c;
INSERT INTO jobs (id, name, version, state, created_at_ms, uid)
SELECT i, 'job-{1}-' || i, 1, 'finished', 5, '{1}-' || i FROM n WHERE i <= 8;
INSERT INTO job_documents SELECT id, 1, '{{}}', 5 FROM jobs;
INSERT INTO runs SELECT id, id, 1, 1 + id % 2, 's', '{{}}', 'p{1}-' || id, 'finished', 5, 6 FROM jobs;
INSERT INTO rounds (id, job, operator, workload, number, state, began_at_ms, finished_at_ms)
SELECT i, 1 + i % 8, 1 + i % 4, 'w' || (i % 3), i, 'finished', i, i + 1 FROM n WHERE i <= max(8, {0} / 400);
INSERT INTO ideas (id, operator, round, source, key, text, created_at_ms)
SELECT i, 1 + r % 4, r, 'playbook', 'entry_' || (i % 40),
       'Split each row over ' || (i % 32) || ' warps and combine partial sums in shared memory, variant ' || i, i
  FROM (SELECT i, 1 + i % max(8, {0} / 400) AS r FROM n WHERE i <= max(8, {0} / 20));
INSERT INTO sources (id, sha256, text, packed)
SELECT i, lower(hex(randomblob(32))), '', kevolve_pack(hex(randomblob(1500))) FROM n WHERE i <= max(1, {0} / 10);
INSERT INTO candidates (id, idea, round, operator, source, candidate_hash, tunables, state, evaluation, created_at_ms)
SELECT n.i, d.id, d.round, d.operator, 1 + n.i % max(1, {0} / 10), lower(hex(randomblob(32))),
       '{{"BLOCK":' || (32 << (n.i % 6)) || ',"ROWS":' || (n.i % 8) || '}}', 'evaluated', n.i, n.i
  FROM n JOIN ideas d ON d.id = 1 + n.i % max(8, {0} / 20);
INSERT INTO lineage SELECT id, 0, id - 1 - id % 50, 'mutates tunables of' FROM candidates WHERE id > 100 AND id % 2;
INSERT INTO evaluations (id, candidate, run, operator, workload, device, precision, measured_precision, yardstick,
                         purpose, gate, outcome, evidence, speedup, speedup_low, floor_us, seed, accuracy, compile,
                         gate_ms, evaluated_at_ms)
SELECT c.id, c.id, r.job, c.operator, r.workload, 1 + r.job % 2, 'strict_fp32', 'strict_fp32',
       CASE WHEN c.id % 5 < 3 THEN 'naive' ELSE '' END, 'search',
       CASE c.id % 5 WHEN 3 THEN 'correctness' WHEN 4 THEN 'compile' ELSE 'timing' END,
       CASE c.id % 5 WHEN 3 THEN 'wrong_result' WHEN 4 THEN 'compile_error' ELSE 'passed' END,
       CASE WHEN c.id % 5 < 3 THEN '' ELSE 'Output y differs at [3,17]: 0.0, expected 0.71; 1024 elements differ.' END,
       CASE WHEN c.id % 5 < 3 THEN 1 + (abs(random()) % 1000000) / 1e5 ELSE 0.0 END, 1.0, 5.0, hex(randomblob(8)),
       '{{"max_error":1.1e-7,"norm_error":2e-8,"torch_max_error":1e-7,"torch_norm_error":2e-8,"worst_draw":"impulse"}}',
       '{{"binary_hash":"' || lower(hex(randomblob(32))) || '","binary_bytes":9216,"cached":false,"resources":{{"k.registers":32}},"log":""}}',
       '{{"policy":0.2,"compile":131.5,"inspect":1.5,"correctness":41.0,"timing":250.0}}', c.id
  FROM candidates c JOIN rounds r ON r.id = c.round;
INSERT INTO measurements
SELECT e.id, s.o, CASE s.o WHEN 0 THEN 'candidate' ELSE 'naive' END, 'cold', 1000 / e.speedup, 1.0, 2.0, randomblob(160)
  FROM evaluations e JOIN (SELECT 0 AS o UNION ALL SELECT 1) s WHERE e.outcome = 'passed' ORDER BY e.id, s.o;
INSERT INTO rankings (operator, workload, device, precision, yardstick)
SELECT DISTINCT operator, workload, device, precision, yardstick FROM evaluations;
INSERT INTO standings
SELECT r.id, c.candidate_hash, c.id, e.id, CASE e.outcome WHEN 'passed' THEN 'verified' ELSE 'refuted' END, 'search', e.speedup
  FROM evaluations e JOIN candidates c ON c.id = e.candidate
  JOIN rankings r ON r.operator = e.operator AND r.workload = e.workload AND r.device = e.device AND r.yardstick = e.yardstick
 WHERE e.gate != 'compile' ORDER BY r.id, c.candidate_hash;
)sql";

void make(const fs::path& path, std::int64_t evaluations, int number) {
  fs::remove(path);
  {
    auto archive = must(Archive::open(path, OpenMode::read_write));
    for (const char* name : {"cpu", "cuda:0"}) {
      DeviceInfo device;
      device.name = name;
      device.model = std::string("Model of ") + name;
      (void)must(archive.enter_device(device));
    }
  }
  Connection connection(path, Connection::Access::read_write_create, std::chrono::seconds(1));
  connection.configure_writer(0);
  connection.execute(
      "PRAGMA foreign_keys = OFF; PRAGMA temp_store = MEMORY; PRAGMA cache_size = -300000; BEGIN IMMEDIATE");
  connection.execute(fmt::format(kRows, evaluations, number));
  connection.execute("COMMIT; ANALYZE");
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    fmt::print(stderr, "usage: archive_scale EVALUATIONS FOLDER\n");
    return 2;
  }
  const std::int64_t evaluations = std::atoll(argv[1]);
  const fs::path a = fs::path(argv[2]) / "a.db", b = fs::path(argv[2]) / "b.db";
  timed("generation", [&] { make(a, evaluations, 1); });
  make(b, evaluations, 2);
  fmt::print("{} evaluations, {} bytes, {:.0f} an evaluation\n", evaluations, fs::file_size(a),
             static_cast<double>(fs::file_size(a)) / static_cast<double>(evaluations));
  timed("opening", [&] { (void)must(Archive::open(a, OpenMode::read_only)); });
  auto archive = must(Archive::open(a, OpenMode::read_write));
  RankingQuery query;
  query.operator_name = "op2";
  query.top = 10;
  timed("best, cold", [&] { (void)must(archive.best(query)); });
  timed("best", [&] { (void)must(archive.best(query)); });
  const JobId job{1};
  timed("report: funnel", [&] { (void)must(archive.funnel(job)); });
  timed("report: rounds", [&] { (void)must(archive.round_bests(job)); });
  timed("report: champions", [&] { (void)must(archive.job_champions(job)); });
  timed("report: costs", [&] { (void)must(archive.costs(job)); });
  timed("failures", [&] { (void)must(archive.failures({"op2", {}, 2})); });
  timed("merge", [&] { (void)must(archive.merge(b)); });
  timed("merge again", [&] {
    if (must(archive.merge(b)).changed()) fmt::print("NOT IDEMPOTENT\n");
  });
  timed("check", [&] {
    for (const std::string& problem : must(archive.problems())) fmt::print("{}\n", problem);
  });
}
