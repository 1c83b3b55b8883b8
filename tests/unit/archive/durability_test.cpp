#include <sys/resource.h>
#include <sys/wait.h>

#include <csignal>
#include <fstream>
#include <random>

#include "tests/unit/archive/fixture.hpp"

using namespace kevolve;
using namespace kevolve::archive;
using Catch::Matchers::ContainsSubstring;
namespace fs = std::filesystem;

namespace {

/// Proposes and evaluates for ever, and tells of each evaluation once the archive has acknowledged it.
[[noreturn]] void work_until_killed(const fs::path& path, int acknowledgements) {
  auto archive = Archive::open(path, OpenMode::read_write);
  const OperatorId op = *archive->enter_operator(make_operator("layernorm"));
  const JobRecord job = *archive->begin_job("night", {});
  const RunId run = *archive->begin_run({job.id, make_device(), "", {}});
  const RoundRecord round = *archive->begin_round(job.id, op, "small");
  const IdeaId idea = *archive->add_idea({op, round.id, "playbook", "k", "An idea."});
  for (std::int64_t i = 0;; ++i) {
    const CandidateId candidate = archive->add_candidates(idea, {{"source", {{"I", i}}, {}}})->at(0);
    if (!archive->mark_evaluating(candidate)) ::_exit(1);
    const auto id = archive->record_evaluation(
        {candidate, run, "small", PrecisionClass::strict_fp32, "naive", Purpose::search, passed(2)});
    if (!id || ::write(acknowledgements, &id->value, sizeof id->value) != sizeof id->value) ::_exit(1);
  }
}

/// Forks, lets the child work for `microseconds` after its first acknowledgement, kills it. All acknowledged
/// ids.
std::vector<EvaluationId> kill_after(const fs::path& path, std::int64_t microseconds) {
  int ends[2];
  if (::pipe(ends) != 0) throw std::runtime_error("pipe failed");
  const pid_t child = ::fork();
  if (child == 0) {
    ::close(ends[0]);
    work_until_killed(path, ends[1]);
  }
  ::close(ends[1]);
  std::vector<EvaluationId> acknowledged;
  EvaluationId id;
  while (::read(ends[0], &id.value, sizeof id.value) == sizeof id.value) {
    if (acknowledged.empty()) {
      ::usleep(static_cast<useconds_t>(microseconds));
      ::kill(child, SIGKILL);
    }
    acknowledged.push_back(id);
  }
  ::close(ends[0]);
  ::waitpid(child, nullptr, 0);
  return acknowledged;
}

void truncate_copy(const fs::path& from, const fs::path& to, std::uintmax_t wal_bytes) {
  for (const char* suffix : {"", "-wal", "-shm"}) fs::remove(to.string() + suffix);
  fs::copy_file(from, to);
  fs::copy_file(from.string() + "-wal", to.string() + "-wal");
  fs::resize_file(to.string() + "-wal", wal_bytes);
}

/// Evaluations from the first on without a gap; fails on a gap.
std::size_t history_length(Archive& archive, const std::vector<EvaluationId>& all) {
  std::size_t length = 0;
  for (std::size_t i = 0; i < all.size(); ++i) {
    const auto record = archive.evaluation(all[i]);
    if (!record) continue;
    CHECK(length == i);
    CHECK(record->evaluation.measurements.size() == 2);
    CHECK(archive.candidate(record->candidate)->evaluation == all[i]);
    length = i + 1;
  }
  return length;
}

}  // namespace

TEST_CASE("what was acknowledged survives a kill at any moment") {
  TemporaryFolder folder;
  const fs::path path = folder / "a.db";
  must(Archive::open(path, OpenMode::read_write));
  std::mt19937 random(20260131);
  std::size_t acknowledged = 0;
  for (int round = 0; round < 24; ++round) {
    const auto ids = kill_after(path, static_cast<std::int64_t>(random() % 25'000));
    REQUIRE_FALSE(ids.empty());
    acknowledged += ids.size();

    auto reader = must(Archive::open(path, OpenMode::read_only));  // the writer is dead, its journal is not
    CHECK(must(reader.evaluation(ids.back())).evaluation.measurements.size() == 2);
    auto archive = must(Archive::open(path, OpenMode::read_write));
    must(archive.check());
    for (const EvaluationId id : ids) {
      const auto record = must(archive.evaluation(id));
      CHECK(record.evaluation.measurements.size() == 2);
      CHECK(must(archive.candidate(record.candidate)).state == CandidateState::evaluated);
    }
    // At most the one in flight has no verdict, and the next run finds it.
    const JobRecord job = *must(archive.job("night"));
    const auto rounds = must(archive.rounds(job.id));
    REQUIRE(rounds.size() == 1);
    const Funnel funnel = must(archive.funnel(job.id));
    CHECK(funnel.evaluating <= 1);
    CHECK(static_cast<std::size_t>(funnel.evaluated) >= acknowledged);
  }
}

TEST_CASE("a journal cut short at any length leaves a beginning of the history") {
  ArchiveFixture fixture;
  const fs::path path = fixture.folder / "a.db";
  std::vector<EvaluationId> all;
  for (int i = 0; i < 12; ++i) all.push_back(fixture.record(fixture.add("k", {{"I", i}}), passed(2)));
  const auto wal_bytes = fs::file_size(path.string() + "-wal");
  REQUIRE(wal_bytes > 50'000);

  const fs::path copy = fixture.folder / "copy.db";
  std::size_t previous = 0, shortest = all.size();
  for (std::uintmax_t part = 0; part <= 40; ++part) {
    const std::uintmax_t bytes = part == 40 ? wal_bytes : wal_bytes * part / 40 + part % 7;
    truncate_copy(path, copy, bytes);
    auto opened = must(Archive::open(copy, OpenMode::read_write));
    must(opened.check());
    const std::size_t length = history_length(opened, all);
    CHECK(length >= previous);
    previous = length;
    shortest = std::min(shortest, length);
  }
  CHECK(previous == all.size());
  CHECK(shortest < all.size());
}

TEST_CASE("a damaged journal leaves a beginning of the history") {
  ArchiveFixture fixture;
  const fs::path path = fixture.folder / "a.db";
  std::vector<EvaluationId> all;
  for (int i = 0; i < 12; ++i) all.push_back(fixture.record(fixture.add("k", {{"I", i}}), passed(2)));
  const auto wal_bytes = fs::file_size(path.string() + "-wal");
  const fs::path copy = fixture.folder / "copy.db";
  std::mt19937_64 random(7);
  for (int i = 0; i < 30; ++i) {
    truncate_copy(path, copy, wal_bytes);
    std::fstream wal(copy.string() + "-wal", std::ios::in | std::ios::out | std::ios::binary);
    const auto offset = static_cast<std::streamoff>(random() % wal_bytes);
    wal.seekg(offset);
    const int byte = wal.get();
    wal.seekp(offset);
    wal.put(static_cast<char>(byte ^ 0x40));
    wal.close();
    auto opened = must(Archive::open(copy, OpenMode::read_write));
    must(opened.check());
    history_length(opened, all);
  }
}

TEST_CASE("a full disk is an error that says what to do, and nothing is half-written") {
  TemporaryFolder folder;
  ArchiveOptions options;
  options.max_bytes = 400 * 1024;
  auto archive = must(Archive::open(folder / "a.db", OpenMode::read_write, options));
  const OperatorId op = must(archive.enter_operator(make_operator("layernorm")));
  const IdeaId idea = must(archive.add_idea({op, std::nullopt, "manual", "", ""}));
  Evaluation big = passed(2);
  big.measurements[0].samples_us.assign(4000, 1.5);

  std::vector<EvaluationId> acknowledged;
  CandidateId last;
  std::string error;
  while (error.empty()) {
    last = must(archive.add_candidates(idea, {{numbered("k", acknowledged.size()), {}, {}}})).at(0);
    const auto id = archive.record_evaluation(
        {last, std::nullopt, "small", PrecisionClass::strict_fp32, "naive", Purpose::manual, big});
    if (id) {
      acknowledged.push_back(*id);
    } else {
      error = id.error().message;
    }
    REQUIRE(acknowledged.size() < 1000);
  }
  CHECK_THAT(error, ContainsSubstring("quota of 409600 bytes") && ContainsSubstring("free space") &&
                        ContainsSubstring("a.db"));
  CHECK(must(archive.candidate(last)).state == CandidateState::proposed);
  must(archive.check());
  CHECK(history_length(archive, acknowledged) == acknowledged.size());

  // A transaction that SQLite gave up is not carried on with in part.
  {
    auto transaction = must(archive.begin());
    must(archive.begin_job("partly", {}));
    CHECK_FALSE(archive.record_evaluation(
        {last, std::nullopt, "small", PrecisionClass::strict_fp32, "naive", Purpose::manual, big}));
    const auto after = archive.begin_job("partly too", {});
    const auto committed = transaction.commit();
    CHECK(after.has_value() == committed.has_value());
    const auto jobs = must(archive.jobs());
    CHECK(jobs.size() == (committed ? 2 : 0));
  }
  auto roomy = must(Archive::open(folder / "a.db", OpenMode::read_write));
  must(roomy.record_evaluation(
      {last, std::nullopt, "small", PrecisionClass::strict_fp32, "naive", Purpose::manual, big}));
}

TEST_CASE("a write that the system refuses is an error, and nothing is half-written") {
  ArchiveFixture fixture;
  const pid_t child = ::fork();
  if (child == 0) {
    ::signal(SIGXFSZ, SIG_IGN);
    const rlimit limit{300 * 1024, 300 * 1024};  // of any file, hence of the journal
    ::setrlimit(RLIMIT_FSIZE, &limit);
    auto archive = Archive::open(fixture.folder / "a.db", OpenMode::read_write);
    for (int i = 0; i < 1000; ++i) {
      const auto added = archive->add_candidates(fixture.idea, {{std::string(9000, 'x'), {{"I", i}}, {}}});
      if (!added) ::_exit(added.error().message.find("check the disk") != std::string::npos ? 0 : 2);
    }
    ::_exit(3);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  CHECK(WIFEXITED(status));
  CHECK(WEXITSTATUS(status) == 0);
  must(fixture.archive.check());
  fixture.add("after");
}
