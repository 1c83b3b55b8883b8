// What one asks of an archive, and does to it, from the command line.

#include "archive/archive.hpp"
#include "tests/integration/cli/fixture.hpp"

using namespace kevolve;
using namespace kevolve::archive;
using namespace kevolve::process;
using namespace kevolve::testing;

namespace {

/// The value, or a failed test that says why there is none.
template <class T>
T must(Result<T> result) {
  if (!result) FAIL(result.error().message);
  return std::move(*result);
}

DeviceInfo cpu() {
  DeviceInfo device;
  device.name = "cpu";
  device.model = "a processor";
  return device;
}

Evaluation right(double speedup) {
  Evaluation e;
  e.verdict = {Outcome::passed, Gate::timing, ""};
  e.precision = PrecisionClass::strict_fp32;
  e.measurements = {{"candidate", "cold", {1000 / speedup}, 1000 / speedup, 1, 2},
                    {"naive", "cold", {1000}, 1000, 1, 2}};
  e.speedup = speedup;
  e.speedup_low = speedup * 0.9;
  e.device = cpu();
  return e;
}

/// Of softmax at `small`: a kernel that is twice as fast as naive, and one with a wrong answer.
void fill(const std::string& file) {
  Archive archive = must(Archive::open(file, OpenMode::read_write));
  const Operator op = must(load_operator(std::filesystem::path(KEVOLVE_SOURCE_DIR) / "kernels/seed/softmax"));
  const OperatorId op_id = must(archive.enter_operator(op));
  const JobRecord job = must(archive.begin_job("night", Json{{"name", "night"}}));
  const RunId run = must(archive.begin_run({job.id, cpu(), "1", Json::object()}));
  const RoundRecord round = must(archive.begin_round(job.id, op_id, "small"));
  const IdeaId idea = must(archive.add_idea(
      {op_id, round.id, "playbook", "vectorise", "Load four elements with one instruction."}));
  const auto ids = must(
      archive.add_candidates(idea, {{"// the good one", {{"BLOCK", 64}}, {}}, {"// the bad one", {}, {}}}));
  const auto row = [&](CandidateId id, const Evaluation& e) {
    return NewEvaluation{id, run, "small", PrecisionClass::strict_fp32, "naive", Purpose::search, e};
  };
  REQUIRE(archive.record_evaluation(row(ids[0], right(2))));
  Evaluation wrong;
  wrong.verdict = {Outcome::wrong_result, Gate::correctness, "Element [3,17] is 0.0, expected 0.71."};
  wrong.device = cpu();
  REQUIRE(archive.record_evaluation(row(ids[1], wrong)));
  REQUIRE(archive.finish_round(round.id));
  REQUIRE(archive.end_run(run, RunState::finished));
}

struct Filled {
  Folder folder;
  std::string file = folder.file("a.db");
  Filled() { fill(file); }
  [[nodiscard]] CommandResult ask(std::vector<std::string> words) const {
    words.insert(words.end(), {"--archive", file});
    return kevolve::testing::kevolve(words);
  }
};

/// A second round in a slower hour: naive took twice as long, and the kernel was 1.6 times as fast.
void fill_slower_round(const std::string& file) {
  Archive archive = must(Archive::open(file, OpenMode::read_write));
  const Operator op = must(load_operator(std::filesystem::path(KEVOLVE_SOURCE_DIR) / "kernels/seed/softmax"));
  const OperatorId op_id = must(archive.enter_operator(op));
  const JobRecord job = must(archive.begin_job("night", Json{{"name", "night"}}));
  const RunId run = must(archive.begin_run({job.id, cpu(), "1", Json::object()}));
  const RoundRecord round = must(archive.begin_round(job.id, op_id, "small"));
  const IdeaId idea = must(archive.add_idea({op_id, round.id, "playbook", "later", "Another one."}));
  const auto ids = must(archive.add_candidates(idea, {{"// the later one", {}, {}}}));
  Evaluation e = right(1.6);
  for (Measurement& m : e.measurements) m.median_us *= 2;
  REQUIRE(archive.record_evaluation(
      {ids[0], run, "small", PrecisionClass::strict_fp32, "naive", Purpose::search, e}));
  REQUIRE(archive.finish_round(round.id));
}

}  // namespace

TEST_CASE("an archive is described, checked, copied and merged") {
  const Filled filled;
  const CommandResult info = filled.ask({"archive", "info"});
  CHECK(info.exit_code == 0);
  CHECK(holds(info.out, "softmax"));
  CHECK(filled.ask({"archive", "check"}).exit_code == 0);
  const std::string copy = filled.folder.file("copy.db");
  CHECK(filled.ask({"archive", "backup", copy}).exit_code == 0);
  CHECK(kevolve::testing::kevolve({"archive", "check", "--archive", copy}).exit_code == 0);
  CHECK(filled.ask({"archive", "backup", copy}).exit_code != 0);  // a file is never overwritten
  CHECK(holds(filled.ask({"archive", "merge", copy}).out, "nothing new"));
  const std::string other = filled.folder.file("other.db");
  fill(other);  // another machine's
  const CommandResult merged = filled.ask({"archive", "merge", other});
  INFO(merged.out << merged.err);
  CHECK(merged.exit_code == 0);
  CHECK(holds(filled.ask({"archive", "merge", other}).out, "nothing new"));
  CHECK(filled.ask({"archive", "check"}).exit_code == 0);
  CHECK(filled.ask({"archive", "merge", filled.folder.file("none.db")}).exit_code != 0);
}

TEST_CASE("an archive goes through JSON lines and back") {
  const Filled filled;
  const CommandResult lines = filled.ask({"archive", "export"});
  REQUIRE(lines.exit_code == 0);
  const std::string text = filled.folder.write("a.jsonl", lines.out);
  const std::string again = filled.folder.file("again.db");
  REQUIRE(kevolve::testing::kevolve({"archive", "import", text, "--archive", again}).exit_code == 0);
  CHECK(kevolve::testing::kevolve({"archive", "export", "--archive", again}).out == lines.out);
  CHECK(filled.ask({"archive", "import", text}).exit_code != 0);  // it has rows
  const CommandResult tuning =
      filled.ask({"archive", "export", "--tuning-results", "--operator", "softmax", "--workload", "small"});
  INFO(tuning.out << tuning.err);
  REQUIRE(tuning.exit_code == 0);
  CHECK(Json::parse(tuning.out).at("results").size() == 2);
}

TEST_CASE("losers can be dropped, kernels that passed cannot") {
  const Filled filled;
  const CommandResult dry = filled.ask({"archive", "prune", "--losers", "--dry-run"});
  CHECK(holds(dry.out, "would drop 1 candidate"));
  CHECK(filled.ask({"archive", "prune", "--losers"}).exit_code == 0);
  CHECK(holds(filled.ask({"query", "SELECT count(*) AS n FROM candidates"}).out, "1"));
  CHECK(filled.ask({"best", "softmax"}).exit_code == 0);
  CHECK(filled.ask({"archive", "check"}).exit_code == 0);
}

TEST_CASE("SQL may read and nothing else") {
  const Filled filled;
  CHECK(holds(filled.ask({"query", "SELECT name FROM operators"}).out, "softmax"));
  const CommandResult refused = filled.ask({"query", "DELETE FROM candidates"});
  CHECK(refused.exit_code == 2);
  CHECK(holds(refused.err, "nothing was changed"));
  CHECK(filled.ask({"query", "SELECT nonsense"}).exit_code == 2);
  const Json rows = Json::parse(filled.ask({"query", "SELECT count(*) AS n FROM evaluations", "--json"}).out);
  CHECK(rows.dump().find("2") != std::string::npos);
}

TEST_CASE("ideas are found by their words, failures by their evidence") {
  const Filled filled;
  CHECK(holds(filled.ask({"ideas", "loading", "instructions"}).out, "vectorise"));  // by their stems
  CHECK(filled.ask({"ideas", "tensor"}).exit_code == 4);
  const CommandResult failures = filled.ask({"failures", "softmax"});
  CHECK(holds(failures.out, "wrong_result"));
  CHECK(holds(failures.out, "Element [3,17] is 0.0"));
  const CommandResult report = filled.ask({"report", "night"});
  CHECK(report.exit_code == 0);
  CHECK(holds(report.out, "2.00 x"));
  CHECK(filled.ask({"report", "day"}).exit_code == 4);
}

TEST_CASE("a workload that was never searched is answered by the nearest, which is said") {
  const Filled filled;
  CHECK(filled.ask({"best", "softmax", "--workload", "small", "--against", "naive"}).exit_code == 0);
  CHECK(filled.ask({"best", "softmax", "--against", "eager"}).exit_code == 4);
  const CommandResult nearest = filled.ask({"best", "softmax", "--workload", "benchmark"});
  INFO(nearest.out << nearest.err);
  CHECK(nearest.exit_code == 0);
  CHECK(holds(nearest.err, "never searched"));
  CHECK(holds(nearest.out, "softmax small"));
}

TEST_CASE("tables show times on one scale, whatever the hour they were taken in") {
  const Filled filled;
  fill_slower_round(filled.file);  // measured: 500 us at 2 x, 1250 us at 1.6 x
  const Json best = Json::parse(filled.ask({"best", "softmax", "--top", "2", "--json"}).out);
  REQUIRE(best.size() == 2);
  for (const Json& kernel : best) {
    INFO(kernel.dump());
    CHECK(kernel["yardstick_us"] == Approx(1000));
    CHECK(kernel["median_us"].get<double>() * kernel["speedup"].get<double>() == Approx(1000));
  }
  CHECK(holds(filled.ask({"best", "softmax", "--top", "2"}).out, "625.00 us"));
  const Json rounds = Json::parse(filled.ask({"report", "night", "--json"}).out)["rounds"];
  REQUIRE(rounds.size() == 2);
  for (const Json& round : rounds)
    CHECK(round["median_us"].get<double>() * round["speedup"].get<double>() == Approx(1000));
  const CommandResult report = filled.ask({"report", "night"});
  CHECK(holds(report.out, "625.00 us"));
  CHECK(holds(report.out, "Times are on one scale"));
}
