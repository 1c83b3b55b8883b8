#include <sys/wait.h>

#include "archive/connection.hpp"
#include "tests/unit/archive/fixture.hpp"

using namespace kevolve;
using namespace kevolve::archive;
using Catch::Matchers::ContainsSubstring;

TEST_CASE("a job goes on under its name, and a changed document is its next version") {
  TemporaryFolder folder;
  auto archive = must(Archive::open(folder / "a.db", OpenMode::read_write));
  CHECK_FALSE(must(archive.job("night")).has_value());
  const JobRecord first = must(archive.begin_job("night", {{"rounds", 3}}));
  CHECK_FALSE(first.continued);
  CHECK(first.version == 1);
  must(archive.end_job(first.id, JobState::finished));
  CHECK(must(archive.job("night"))->state == JobState::finished);

  const JobRecord same = must(archive.begin_job("night", {{"rounds", 3}}));
  CHECK(same.id == first.id);
  CHECK(same.continued);
  CHECK_FALSE(same.document_changed);
  CHECK(same.state == JobState::running);

  const JobRecord changed = must(archive.begin_job("night", {{"rounds", 5}}));
  CHECK(changed.id == first.id);
  CHECK(changed.document_changed);
  CHECK(changed.version == 2);
  CHECK(must(archive.job("night"))->document == Json{{"rounds", 5}});

  CHECK(must(archive.begin_job("other", {})).id != first.id);
  CHECK(must(archive.jobs()).size() == 2);
  Connection raw(folder / "a.db", Connection::Access::read_only, std::chrono::seconds(1));
  CHECK(raw.text("SELECT document FROM job_documents WHERE job = 1 AND version = 1") == R"({"rounds":3})");
}

TEST_CASE("a submitted job is queued, and a finished one begins a new series of rounds") {
  TemporaryFolder folder;
  Timestamp now{std::chrono::milliseconds(1000)};
  ArchiveOptions options;
  options.clock = [&now] { return now; };
  auto archive = must(Archive::open(folder / "a.db", OpenMode::read_write, options));
  const JobRecord queued = must(archive.submit_job("night", {{"rounds", 3}}, 4));
  CHECK(queued.state == JobState::queued);
  CHECK(queued.priority == 4);
  CHECK(queued.submitted_at == now);
  now += std::chrono::seconds(1);
  CHECK(must(archive.begin_job("night", {{"rounds", 3}})).state == JobState::running);
  must(archive.end_job(queued.id, JobState::paused, "by request"));
  JobRecord job = *must(archive.job("night"));
  CHECK(job.state == JobState::paused);
  CHECK(job.reason == "by request");
  CHECK(job.changed_at == now);
  CHECK(job.submitted_at == queued.submitted_at);
  CHECK(job.series_began_at == queued.series_began_at);
  job = must(archive.submit_job("night", {{"rounds", 3}}, std::nullopt));
  CHECK(job.priority == 4);
  CHECK(job.reason.empty());
  CHECK(job.series_began_at == queued.series_began_at);  // it was not finished
  must(archive.end_job(job.id, JobState::finished));
  now += std::chrono::seconds(1);
  CHECK(must(archive.submit_job("night", {{"rounds", 3}}, std::nullopt)).series_began_at == now);
  must(archive.prioritise_job(job.id, -2));
  CHECK(must(archive.job("night"))->priority == -2);
}

TEST_CASE("a service has its archive for itself, and others are told so") {
  TemporaryFolder folder;
  ArchiveOptions alone;
  alone.exclusive = true;
  {
    auto service = must(Archive::open(folder / "a.db", OpenMode::read_write, alone));
    CHECK_THAT(error_of(Archive::open(folder / "a.db", OpenMode::read_write)),
               ContainsSubstring("kevolved (process " + std::to_string(::getpid()) + ")"));
    must(must(Archive::open(folder / "a.db", OpenMode::read_only)).check());
  }
  auto writer = must(Archive::open(folder / "a.db", OpenMode::read_write));
  auto another = must(Archive::open(folder / "a.db", OpenMode::read_write));
  CHECK_THAT(error_of(Archive::open(folder / "a.db", OpenMode::read_write, alone)),
             ContainsSubstring("another program has it open for writing"));
}

TEST_CASE("operators are told apart by their document, devices by their key") {
  TemporaryFolder folder;
  auto archive = must(Archive::open(folder / "a.db", OpenMode::read_write));
  const OperatorId first = must(archive.enter_operator(make_operator("softmax", 1)));
  CHECK(must(archive.enter_operator(make_operator("softmax", 1))) == first);
  CHECK(must(archive.enter_operator(make_operator("softmax", 2))) != first);
  CHECK(must(archive.operator_names()) == std::vector<std::string>{"softmax"});
  const DeviceId device = must(archive.enter_device(make_device()));
  CHECK(must(archive.enter_device(make_device())) == device);
  DeviceInfo newer = make_device();
  newer.toolchain = "g++ 13.1.0";
  CHECK(must(archive.enter_device(newer)) != device);
}

TEST_CASE("an operator comes back from the archive as it was entered") {
  TemporaryFolder folder;
  auto archive = must(Archive::open(folder / "a.db", OpenMode::read_write));
  const Operator op = must(load_operator(std::string(KEVOLVE_SOURCE_DIR) + "/kernels/seed/layernorm"));
  const Operator back = must(archive.operator_version(must(archive.enter_operator(op))));
  CHECK(back.document == op.document);
  CHECK(back.workloads.size() == op.workloads.size());
  CHECK_THAT(error_of(archive.operator_version(OperatorId{77})), ContainsSubstring("no operator version 77"));
}

TEST_CASE("rounds are numbered within job, operator and workload, and an open one is resumed") {
  ArchiveFixture fixture;
  Archive& archive = fixture.archive;
  CHECK(fixture.round.number == 1);
  CHECK_FALSE(fixture.round.resumed);
  const RoundRecord again = must(archive.begin_round(fixture.job.id, fixture.op, "small"));
  CHECK(again.id == fixture.round.id);
  CHECK(again.resumed);
  must(archive.finish_round(fixture.round.id));
  const RoundRecord next = must(archive.begin_round(fixture.job.id, fixture.op, "small"));
  CHECK(next.number == 2);
  CHECK_FALSE(next.resumed);
  CHECK(next.state == RoundState::open);
  CHECK(must(archive.begin_round(fixture.job.id, fixture.op, "benchmark")).number == 1);
  const auto rounds = must(archive.rounds(fixture.job.id));
  REQUIRE(rounds.size() == 3);
  CHECK(rounds[0].state == RoundState::finished);
  CHECK(rounds[2].workload == "benchmark");
}

TEST_CASE("a run that its process abandoned is marked, and its candidates in flight are proposed again") {
  ArchiveFixture fixture;
  const CandidateId flying = fixture.add("a"), done = fixture.add("b");
  must(fixture.archive.mark_evaluating(flying));
  fixture.record(done, passed(2));
  CHECK(must(fixture.archive.candidate(flying)).state == CandidateState::evaluating);

  const RunId next = must(fixture.archive.begin_run({fixture.job.id, make_device(), "seed-1", {}}));
  CHECK(next != fixture.run);
  CHECK(must(fixture.archive.candidate(flying)).state == CandidateState::proposed);
  CHECK(must(fixture.archive.candidate(done)).state == CandidateState::evaluated);
  must(fixture.archive.end_run(next, RunState::finished));
  Connection raw(fixture.folder / "a.db", Connection::Access::read_only, std::chrono::seconds(1));
  CHECK(raw.text("SELECT group_concat(state) FROM runs") == "interrupted,finished");
}

TEST_CASE("a job that a living process runs is not begun a second time") {
  ArchiveFixture fixture;
  const pid_t child = ::fork();
  if (child == 0) {
    auto archive = Archive::open(fixture.folder / "a.db", OpenMode::read_write);
    const auto run = archive->begin_run({fixture.job.id, make_device(), "", {}});
    ::_exit(!run && run.error().message.find("being run by another process") != std::string::npos ? 0 : 1);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  CHECK(status == 0);
}

TEST_CASE("an interrupted series of rounds is told from those of runs that ended") {
  ArchiveFixture f;
  std::int64_t now = 1000;
  ArchiveOptions options;
  options.clock = [&now] { return Timestamp(std::chrono::milliseconds(now)); };
  auto archive = must(Archive::open(f.folder / "b.db", OpenMode::read_write, options));
  const OperatorId op = must(archive.enter_operator(make_operator("gelu")));
  const JobRecord job = must(archive.begin_job("night", {}));
  const auto finish_one = [&] {
    const RoundRecord round = must(archive.begin_round(job.id, op, "small"));
    now += 10;
    must(archive.finish_round(round.id));
    return round.id;
  };
  const RunId first = must(archive.begin_run({job.id, make_device(), "1", {}}));
  const RoundId one = finish_one();
  REQUIRE(must(archive.rounds_of_present_series(job.id)).size() == 1);
  CHECK(must(archive.rounds_of_present_series(job.id))[0].id == one);
  must(archive.end_run(first, RunState::finished));
  CHECK(must(archive.rounds_of_present_series(job.id)).empty());

  now += 10;
  const RunId second = must(archive.begin_run({job.id, make_device(), "1", {}}));
  const RoundId two = finish_one();
  must(archive.end_run(second, RunState::interrupted));
  (void)must(archive.begin_round(job.id, op, "small"));  // open: not finished
  const auto present = must(archive.rounds_of_present_series(job.id));
  REQUIRE(present.size() == 1);
  CHECK(present[0].id == two);
}
