// An archive of a million evaluations: made, asked, written to while others read, merged.
//
//   archive_scale make FILE EVALUATIONS NUMBER   an archive of that many; hashes differ by NUMBER
//   archive_scale ask FILE                       size, and how long opening and each question take
//   archive_scale insert FILE SECONDS READERS    durable insertion as the engine does it, while others read
//   archive_scale merge FILE OTHER               OTHER into FILE, and again
//
// What differs from an archive that a search filled: all rows are entered by one transaction without syncing,
// so that pages lie in order; candidates' parents are near; each ranking has the same share; half of the
// candidates are a model's, five of each exchange. Rows, texts, packed sources, samples and indices are as
// large and as many as theirs, and as there, nothing ran ANALYZE.

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <thread>
#include <vector>

#include "archive/archive.hpp"
#include "archive/connection.hpp"
#include "archive/statement.hpp"

using namespace kevolve;
using namespace kevolve::archive;
namespace fs = std::filesystem;

namespace {

template <class T>
T must(Result<T> result) {
  if (result) return std::move(*result);
  fmt::print(stderr, "archive_scale: {}\n", result.error().message);
  std::exit(1);
}

using Clock = std::chrono::steady_clock;

template <class Body>
double milliseconds(Body&& body) {
  const auto begin = Clock::now();
  body();
  return std::chrono::duration<double, std::milli>(Clock::now() - begin).count();
}

std::string spread(std::vector<double> ms) {
  if (ms.empty()) return "none";
  std::sort(ms.begin(), ms.end());
  const auto at = [&](double part) {
    return ms[static_cast<std::size_t>(part * static_cast<double>(ms.size() - 1))];
  };
  return fmt::format("median {:.3f} ms, 95 % {:.3f}, 99 % {:.3f}, worst {:.3f} ({} times)", at(0.5), at(0.95),
                     at(0.99), ms.back(), ms.size());
}

/// The first time apart: pages come from the file.
template <class Body>
void timed(const char* what, Body&& body, int times = 20) {
  const double first = milliseconds(body);
  std::vector<double> further;
  for (int i = 1; i < times; ++i) further.push_back(milliseconds(body));
  fmt::print("{:<22} first {:>10.3f} ms{}{}\n", what, first, times > 1 ? "; then " : "",
             times > 1 ? spread(std::move(further)) : "");
  std::fflush(stdout);
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
INSERT INTO prompt_texts (id, sha256, text, packed)
SELECT i, lower(hex(randomblob(32))), '', kevolve_pack(hex(randomblob(1500))) FROM n WHERE i <= max(8, {0} / 10);
INSERT INTO exchanges (id, run, round, slot, source, model, served_by, outcome, error, reply, reasoning, finish, input_tokens,
                       cached_tokens, output_tokens, reasoning_tokens, usage_estimated, cost_usd, latency_ms, attempts,
                       answered_at_ms)
SELECT i, 1 + r % 8, r, 'idea-' || i, 'llm', 'model-' || (i % 3), 'served', 'replied', '', hex(randomblob(750)), '', 'stop', 3000,
       2000, 700, 0, 0, 0.01, 9000, 1, i
  FROM (SELECT i, 1 + i % max(8, {0} / 400) AS r FROM n WHERE i <= max(8, {0} / 10));
INSERT INTO exchange_messages SELECT id, 0, 'system', 1 FROM exchanges;
INSERT INTO exchange_messages SELECT id, 1, 'user', id FROM exchanges;
INSERT INTO ideas (id, operator, round, source, key, text, exchange, created_at_ms)
SELECT i, 1 + r % 4, r, CASE i % 2 WHEN 0 THEN 'playbook' ELSE 'llm' END, 'entry_' || (i % 40),
       'Split each row over ' || (i % 32) || ' warps and combine partial sums in shared memory, variant ' || i,
       CASE i % 2 WHEN 0 THEN NULL ELSE i END, i
  FROM (SELECT i, 1 + i % max(8, {0} / 400) AS r FROM n WHERE i <= max(8, {0} / 20));
INSERT INTO sources (id, sha256, text, packed)
SELECT i, lower(hex(randomblob(32))), '', kevolve_pack(hex(randomblob(1500))) FROM n WHERE i <= max(1, {0} / 10);
INSERT INTO candidates (id, idea, round, operator, source, candidate_hash, tunables, state, evaluation, exchange,
                        created_at_ms)
SELECT n.i, d.id, d.round, d.operator, 1 + n.i % max(1, {0} / 10), lower(hex(randomblob(32))),
       '{{"BLOCK":' || (32 << (n.i % 6)) || ',"ROWS":' || (n.i % 8) || '}}', 'evaluated', n.i,
       CASE n.i / max(8, {0} / 10) % 2 WHEN 0 THEN 1 + n.i % max(8, {0} / 10) END, n.i
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
INSERT INTO measurements (evaluation, ordinal, subject, mode, median_us, low_us, high_us, samples_us, sm_mhz)
SELECT e.id, s.o, CASE s.o WHEN 0 THEN 'candidate' ELSE 'naive' END, 'cold', 1000 / e.speedup, 1.0, 2.0, randomblob(160),
       CASE e.device WHEN 1 THEN x'' ELSE randomblob(160) END
  FROM evaluations e JOIN (SELECT 0 AS o UNION ALL SELECT 1) s WHERE e.outcome = 'passed' ORDER BY e.id, s.o;
INSERT INTO rankings (operator, workload, device, precision, yardstick)
SELECT DISTINCT operator, workload, device, precision, yardstick FROM evaluations;
INSERT INTO standings
SELECT r.id, c.candidate_hash, c.id, e.id, CASE e.outcome WHEN 'passed' THEN 'verified' ELSE 'refuted' END, 'search', e.speedup
  FROM evaluations e JOIN candidates c ON c.id = e.candidate
  JOIN rankings r ON r.operator = e.operator AND r.workload = e.workload AND r.device = e.device AND r.yardstick = e.yardstick
 WHERE e.gate != 'compile' ORDER BY r.id, c.candidate_hash;
)sql";

int make(const fs::path& path, std::int64_t evaluations, int number) {
  for (const char* suffix : {"", "-wal", "-shm"}) fs::remove(path.string() + suffix);
  const double took = milliseconds([&] {
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
    connection.execute(
        "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA foreign_keys = OFF; PRAGMA temp_store = "
        "MEMORY; "
        "PRAGMA cache_size = -1000000; BEGIN IMMEDIATE");
    connection.execute(fmt::format(kRows, evaluations, number));
    connection.execute("COMMIT; PRAGMA journal_mode = WAL");
  });
  fmt::print("{}: {} evaluations, {} bytes, {:.0f} an evaluation; made in {:.1f} s\n", path.string(),
             evaluations, fs::file_size(path),
             static_cast<double>(fs::file_size(path)) / static_cast<double>(evaluations), took / 1e3);
  return 0;
}

RankingQuery top_ten() {
  RankingQuery query;
  query.operator_name = "op2";
  query.top = 10;
  return query;
}

std::string some_hash(const fs::path& path) {
  Connection connection(path, Connection::Access::read_only, std::chrono::seconds(1));
  return connection.text(
      "SELECT candidate_hash FROM candidates WHERE id = (SELECT max(id) / 2 FROM candidates)");
}

int ask(const fs::path& path) {
  const std::string hash = some_hash(path);
  timed("opening, reading", [&] { (void)must(Archive::open(path, OpenMode::read_only)); });
  timed("opening, writing", [&] { (void)must(Archive::open(path, OpenMode::read_write)); });
  auto archive = must(Archive::open(path, OpenMode::read_only));
  const JobId job{1};
  CandidateId candidate;
  timed("best", [&] { (void)must(archive.best(top_ten())); });
  timed("show", [&] { candidate = must(archive.show(hash)).candidate.id; });
  timed("lineage", [&] { (void)must(archive.lineage(candidate)); });
  timed("ideas", [&] { (void)must(archive.find_ideas({"warps", "shared"}, "op2", 10)); });
  timed("failures, one operator", [&] { (void)must(archive.failures({"op2", {}, 2})); });
  timed("failures, all", [&] { (void)must(archive.failures({"", {}, 2})); });
  timed(
      "info", [&] { (void)must(archive.info()); }, 3);
  const auto report = [&] {
    (void)must(archive.funnel(job));
    (void)must(archive.round_bests(job));
    (void)must(archive.job_champions(job));
    (void)must(archive.costs(job));
  };
  timed("report", report, 5);
  timed(
      "ledger of a job", [&] { (void)must(archive.ledger(OperatorId{2}, job)); }, 3);
  timed(
      "tried", [&] { (void)must(archive.tried(OperatorId{2}, "w1", DeviceId{1})); }, 3);
  timed(
      "check",
      [&] {
        for (const std::string& problem : must(archive.problems())) fmt::print("{}\n", problem);
      },
      1);
  return 0;
}

/// Four candidates of an idea in one transaction, then an evaluation each, as a round does.
struct Inserted {
  std::vector<double> candidates_ms, evaluation_ms;
};
Inserted insert(const fs::path& path, std::chrono::seconds duration) {
  auto archive = must(Archive::open(path, OpenMode::read_write));
  const JobRecord job = must(archive.begin_job(fmt::format("insertion-{}", ::time(nullptr)), {}));
  DeviceInfo device;
  device.name = "cpu";
  device.model = "Model of cpu";
  const RunId run = must(archive.begin_run({job.id, device, "1", {}}));
  const RoundRecord round = must(archive.begin_round(job.id, OperatorId{2}, "w1"));
  Evaluation e;
  e.verdict = {Outcome::passed, Gate::timing, ""};
  e.precision = PrecisionClass::strict_fp32;
  e.device = device;
  e.speedup = e.speedup_low = 2;
  e.measurements = {{"candidate", "cold", std::vector<double>(20, 500.0), 500, 490, 510},
                    {"naive", "cold", std::vector<double>(20, 1000.0), 1000, 990, 1010}};
  Inserted inserted;
  const auto end = Clock::now() + duration;
  for (std::int64_t n = 0; Clock::now() < end; ++n) {
    const IdeaId idea =
        must(archive.add_idea({OperatorId{2}, round.id, "playbook", "k", "Insert one more."}));
    std::vector<NewCandidate> candidates;
    for (std::int64_t i = 0; i < 4; ++i)
      candidates.push_back({fmt::format("// {} {}\n", job.name, n) + std::string(3000, 'x'), {{"I", i}}, {}});
    std::vector<CandidateId> ids;
    inserted.candidates_ms.push_back(
        milliseconds([&] { ids = must(archive.add_candidates(idea, candidates)); }));
    for (const CandidateId id : ids) {
      inserted.evaluation_ms.push_back(milliseconds([&] {
        (void)must(archive.record_evaluation(
            {id, run, "w1", PrecisionClass::strict_fp32, "naive", Purpose::search, e}));
      }));
    }
  }
  if (!archive.end_run(run, RunState::finished)) std::exit(1);
  return inserted;
}

int insert_while_others_read(const fs::path& path, std::chrono::seconds duration, int readers) {
  std::atomic<bool> done = false;
  std::vector<std::vector<double>> best(static_cast<std::size_t>(readers)), show(best.size()),
      failures(best.size());
  const std::string hash = some_hash(path);
  std::vector<std::thread> threads;
  for (std::size_t r = 0; r < best.size(); ++r) {
    threads.emplace_back([&, r] {
      auto archive = must(Archive::open(path, OpenMode::read_only));
      while (!done) {
        best[r].push_back(milliseconds([&] { (void)must(archive.best(top_ten())); }));
        show[r].push_back(milliseconds([&] { (void)must(archive.show(hash)); }));
        failures[r].push_back(milliseconds([&] { (void)must(archive.failures({"op2", {}, 2})); }));
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
      }
    });
  }
  const auto begin = Clock::now();
  const std::int64_t before = static_cast<std::int64_t>(fs::file_size(path));
  const Inserted inserted = insert(path, duration);
  const double seconds = std::chrono::duration<double>(Clock::now() - begin).count();
  done = true;
  for (std::thread& thread : threads) thread.join();
  const auto all = [](const std::vector<std::vector<double>>& of_threads) {
    std::vector<double> ms;
    for (const auto& one : of_threads) ms.insert(ms.end(), one.begin(), one.end());
    return ms;
  };
  fmt::print("{} evaluations with their candidates in {:.1f} s: {:.0f} a second; the file grew by {} bytes\n",
             inserted.evaluation_ms.size(), seconds,
             static_cast<double>(inserted.evaluation_ms.size()) / seconds,
             static_cast<std::int64_t>(fs::file_size(path)) - before);
  fmt::print("record_evaluation: {}\nadd_candidates (4): {}\n", spread(inserted.evaluation_ms),
             spread(inserted.candidates_ms));
  fmt::print("{} readers meanwhile, best: {}\nshow: {}\nfailures: {}\n", readers, spread(all(best)),
             spread(all(show)), spread(all(failures)));
  return 0;
}

int merge(const fs::path& path, const fs::path& other) {
  auto archive = must(Archive::open(path, OpenMode::read_write));
  timed(
      "merge", [&] { (void)must(archive.merge(other)); }, 1);
  timed(
      "merge again",
      [&] {
        if (must(archive.merge(other)).changed()) fmt::print("NOT IDEMPOTENT\n");
      },
      1);
  fmt::print("{} bytes now\n", fs::file_size(path));
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  const std::string_view what = argc > 2 ? argv[1] : "";
  if (what == "make" && argc == 5) return make(argv[2], std::atoll(argv[3]), std::atoi(argv[4]));
  if (what == "ask" && argc == 3) return ask(argv[2]);
  if (what == "insert" && argc == 5)
    return insert_while_others_read(argv[2], std::chrono::seconds(std::atoi(argv[3])), std::atoi(argv[4]));
  if (what == "merge" && argc == 4) return merge(argv[2], argv[3]);
  fmt::print(stderr,
             "usage: archive_scale make FILE EVALUATIONS NUMBER | ask FILE | insert FILE SECONDS READERS | "
             "merge FILE OTHER\n");
  return 2;
}
