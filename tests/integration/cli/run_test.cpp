// Jobs as a user runs them: to the end, twice, interrupted, with workers and runners killed, on a full disk.

#include <sstream>

#include "archive/archive.hpp"
#include "tests/integration/cli/fixture.hpp"

using namespace kevolve;
using namespace kevolve::archive;
using namespace kevolve::process;
using namespace kevolve::testing;

namespace {

/// Integrity, no job, run or round lost, no candidate judged twice in the search.
struct Contents {
  int evaluated = 0, unfinished = 0, rounds = 0, passed = 0;
};

Contents contents(const std::string& file, const std::string& job_name) {
  auto archive = Archive::open(file, OpenMode::read_only);
  if (!archive) FAIL(archive.error().message);
  const auto sound = archive->check();
  if (!sound) FAIL(sound.error().message);
  const auto job = archive->job(job_name);
  REQUIRE(job);
  REQUIRE(*job);
  Contents found;
  const auto rounds = archive->rounds((*job)->id);
  REQUIRE(rounds);
  found.rounds = static_cast<int>(rounds->size());
  for (const RoundRecord& round : *rounds) {
    const auto candidates = archive->candidates(round.id);
    REQUIRE(candidates);
    for (const CandidateRecord& candidate : *candidates) {
      if (candidate.state != CandidateState::evaluated) {
        ++found.unfinished;
        continue;
      }
      ++found.evaluated;
      const auto detail = archive->show("#" + std::to_string(candidate.id.value));
      REQUIRE(detail);
      int searches = 0;
      for (const EvaluationRecord& record : detail->evaluations)
        searches += record.purpose == Purpose::search;
      CHECK(searches == 1);
      found.passed += !detail->evaluations.empty() && detail->evaluations.front().evaluation.verdict.passed();
    }
  }
  return found;
}

}  // namespace

TEST_CASE("a job runs to its end, the same job again goes on from it") {
  const Folder folder;
  const std::string job = folder.write("job.json", small_job());
  const std::string archive = folder.file("a.db");
  const CommandResult first = kevolve::testing::kevolve({"run", job, "--archive", archive});
  INFO(first.out << first.err);
  REQUIRE(first.exit_code == 0);
  CHECK(holds(first.out, "event=run_ended"));
  CHECK(holds(first.out, "speed-up"));
  const Contents once = contents(archive, "small");
  CHECK(once.rounds == 1);
  CHECK(once.evaluated == 4);
  CHECK(once.passed > 0);

  const CommandResult second = kevolve::testing::kevolve({"run", job, "--archive", archive, "--json"});
  INFO(second.out << second.err);
  REQUIRE(second.exit_code == 0);
  for (const Json& op : Json::parse(second.out).at("operators")) {  // times agree with the speed-up
    const double best_us = op.at("best_us"), speedup = op.at("speedup");
    CHECK(op.at("naive_us").get<double>() == Approx(best_us * speedup));
  }
  const Contents twice = contents(archive, "small");
  CHECK(twice.rounds == 2);
  CHECK(twice.evaluated > once.evaluated);

  const CommandResult best = kevolve::testing::kevolve({"best", "gelu", "--archive", archive, "--json"});
  REQUIRE(best.exit_code == 0);
  const Json kernels = Json::parse(best.out);
  REQUIRE(kernels.size() == 1);
  const std::string hash = kernels[0].at("candidate_hash");
  const CommandResult shown = kevolve::testing::kevolve({"show", hash.substr(0, 12), "--archive", archive});
  CHECK(shown.exit_code == 0);
  CHECK(holds(shown.out, "__global__"));
  const CommandResult lineage = kevolve::testing::kevolve({"lineage", hash, "--archive", archive, "--json"});
  CHECK(lineage.exit_code == 0);
  CHECK(Json::parse(lineage.out).contains("parents"));
  const CommandResult endless =
      kevolve::testing::kevolve({"lineage", hash, "--archive", archive, "--generations", "0"});
  CHECK(endless.exit_code != 0);  // a tree of thousands would overrun the stack
  CHECK(kevolve::testing::kevolve({"show", "ffffffffffff", "--archive", archive}).exit_code == 4);
  CHECK(kevolve::testing::kevolve({"best", "softmax", "--archive", archive}).exit_code == 4);
}

TEST_CASE("an interrupted job keeps what it judged and continues without judging it again") {
  const Folder folder;
  const std::string job = folder.write("job.json", small_job());
  const std::string archive = folder.file("a.db");
  const CommandResult interrupted =
      shell(fmt::format("{0} run {1} --archive {2} > {3} & pid=$!; "
                        "for i in $(seq 300); do grep -q event=evaluated {3} && break; sleep 0.1; done; "
                        "kill -INT $pid; wait $pid",
                        kProgram, job, archive, folder.file("log")));
  CHECK(interrupted.exit_code == 130);
  const Contents before = contents(archive, "small");
  CHECK(before.evaluated >= 1);
  CHECK(before.unfinished >= 1);
  const CommandResult resumed = kevolve::testing::kevolve({"run", job, "--archive", archive});
  INFO(resumed.out << resumed.err);
  CHECK(resumed.exit_code == 0);
  const Contents after = contents(archive, "small");
  CHECK(after.rounds == 1);
  CHECK(after.evaluated == 4);
  CHECK(after.unfinished == 0);
}

TEST_CASE("a job that is killed outright loses nothing that was judged") {
  const Folder folder;
  const std::string job = folder.write("job.json", small_job());
  const std::string archive = folder.file("a.db");
  shell(
      fmt::format("{0} run {1} --archive {2} > {3} & pid=$!; "
                  "for i in $(seq 300); do grep -q event=evaluated {3} && break; sleep 0.1; done; "
                  "kill -KILL $pid; wait $pid",
                  kProgram, job, archive, folder.file("log")));
  const Contents before = contents(archive, "small");
  CHECK(before.evaluated >= 1);
  const CommandResult resumed = kevolve::testing::kevolve({"run", job, "--archive", archive});
  INFO(resumed.out << resumed.err);
  CHECK(resumed.exit_code == 0);
  const Contents after = contents(archive, "small");
  CHECK(after.evaluated == 4);
  CHECK(after.unfinished == 0);
}

TEST_CASE("killed workers and runners do not end a job") {
  const Folder folder;
  const std::string job = folder.write("job.json", small_job());
  const std::string archive = folder.file("a.db");
  const std::string log = folder.file("log");
  // Only children of this very job: other tests run beside this one.
  const CommandResult result =
      shell(fmt::format("{0} run {1} --archive {2} > {3} & pid=$!; "
                        "for i in $(seq 300); do grep -q event=seeded {3} && break; sleep 0.1; done; "
                        "worker=$(pgrep -P $pid -f kevolve-worker | head -1); "
                        "for i in $(seq 100); do r=$(pgrep -P $worker | head -1); [ -n \"$r\" ] && kill "
                        "-KILL $r && break; sleep 0.02; done; "
                        "sleep 1; kill -KILL $worker; wait $pid",
                        kProgram, job, archive, log));
  INFO(*read_text_file(log));
  CHECK(result.exit_code == 0);
  const Contents found = contents(archive, "small");
  CHECK(found.evaluated == 4);
  CHECK(found.unfinished == 0);
}

TEST_CASE("a full disk is said to be so, and the archive stays sound") {
  const Folder folder;
  const std::string job = folder.write("job.json", small_job("small", 3));
  // A file system of 400 kB, seen by this job only.
  const CommandResult result =
      shell(fmt::format("mkdir {0} && unshare -rm bash -c 'mount -t tmpfs -o size=400k none {0} || exit 77; "
                        "{1} run {2} --archive {0}/a.db; code=$?; cp {0}/a.db* {3}/; exit $code'",
                        folder.file("disk"), kProgram, job, folder.file("")));
  if (result.exit_code == 77) {
    WARN("skipped: no private mounts here");
    return;
  }
  INFO(result.out << result.err);
  CHECK(result.exit_code == 3);
  CHECK(holds(result.err, "full"));
  contents(folder.file("a.db"), "small");
}

TEST_CASE("a run that waits for its workers leaves the processor to them") {
  const Folder folder;
  const std::string job =
      folder.write("job.json", R"({ "name": "small", "operators": ["gelu"], "policy": { "rounds": 1,
      "ideas_per_round": 3, "implementations_per_idea": 5 }, "timing": { "min_samples": 3, "max_samples": 5, "max_seconds": 0.5 } })");
  // Fifteen candidates wait for four places. Ticks of user and system time of the run itself, and of the
  // clock.
  const CommandResult result =
      shell(fmt::format("{0} run {1} --archive {2} > {3} & pid=$!; begin=$(date +%s%N); "
                        "while [ -r /proc/$pid/stat ] && s=$(cut -d' ' -f14,15 /proc/$pid/stat 2>/dev/null) "
                        "&& [ -n \"$s\" ]; do "
                        "[ \"$s\" = '0 0' ] || last=$s; sleep 0.1; done; wait $pid; "
                        "echo $last $(( ($(date +%s%N) - begin) / 10000000 ))",
                        kProgram, job, folder.file("a.db"), folder.file("log")));
  std::istringstream ticks(result.out);
  int user = 0, system = 0, elapsed = 0;
  ticks >> user >> system >> elapsed;
  INFO(result.out);
  REQUIRE(elapsed > 0);
  CHECK(user + system < elapsed / 10);
}
