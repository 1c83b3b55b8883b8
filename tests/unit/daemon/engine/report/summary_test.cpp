#include "daemon/engine/report/summary.hpp"

#include "tests/catch.hpp"

namespace kevolve {
using namespace archive;
using namespace engine;
namespace {

using Catch::Matchers::ContainsSubstring;

JobSummary example() {
  JobSummary report;
  report.job.name = "night";
  report.job.state = JobState::finished;
  report.job.reason = "budget: 3600 s spent";
  report.device = DeviceInfo{"cuda:0", "NVIDIA H200", "sm_90a", "", "", "", 132};
  report.budget.wall_seconds = 3600;
  report.budget.usd = 5;
  report.used = {200, 12, 40'000, 1.25, 3601};
  OperatorSummary won;
  won.name = won.label = "layernorm";
  won.workload = "small";
  won.yardstick = "eager";
  won.naive_us = 900;
  won.eager_us = 40;
  won.best_us = 21.5;
  won.floor_us = 12;
  won.speedup = 1.86;
  won.speedup_low = 1.81;
  won.round = 3;
  won.idea_key = "split_rows";
  won.idea = "Split each row over many blocks.";
  won.tunables = {{"BLOCK", 256}};
  won.candidate_hash = "abcdef0123456789";
  OperatorSummary lost;
  lost.name = lost.label = "gelu";
  lost.workload = "small";
  lost.note = "nothing beat the naive kernel: 0 of 8 candidates were verified";
  report.operators = {won, lost};
  RoundBest round;
  round.operator_name = "layernorm";
  round.round.workload = "small";
  round.round.number = 3;
  round.speedup = 1.86;
  round.median_us = 21.5;
  report.rounds = {round};
  report.failures = {
      {"gelu", Gate::compile, Outcome::compile_error, 8, "1122334455667788", "line 3 |\nunknown name"}};
  report.troubles = {"worker 1 was lost: the worker ended unexpectedly (signal 9)"};
  report.archive = "/data/it's/a.db";
  return report;
}

TEST_CASE("a summary says what was won, why it is thought so, and what to do next") {
  const std::string text = summary_markdown(example());
  for (const char* part :
       {"# night: finished", "Ended by: budget: 3600 s spent.", "**1 of 2 operators", "cuda:0 (NVIDIA H200)",
        "| layernorm | 900.00 µs | 40.00 µs | – | **21.50 µs** | 1.86 × eager | 1.81 × | 12.00 µs |",
        "Best: `abcdef012345` of round 3, idea `split_rows`, BLOCK=256.",
        "> Split each row over many blocks.", "3: 21.50 µs (1.86 ×)", "The naive kernel is still the best.",
        "It stopped: nothing beat the naive kernel",
        "- 8 × compile_error at gate compile; the newest, `112233445566`: line 3 \\| unknown name",
        "- 1 h 00 min of 1 h 00 min of run time", "- 12 requests to models, 40000 tokens, 1.25 of 5 USD",
        "- worker 1 was lost", "kevolve show abcdef012345 --archive '/data/it'\\''s/a.db'",
        "kevolve resume night --archive"}) {
    INFO(text);
    CHECK_THAT(text, ContainsSubstring(part));
  }
  CHECK(text.find("kevolve best gelu") == std::string::npos);  // nothing was won there
}

TEST_CASE("a summary of a job that never began says so without inventing anything") {
  JobSummary report;
  report.job.name = "night";
  report.job.state = JobState::failed;
  report.job.reason = "the worker did not start";
  report.archive = "a.db";
  const std::string text = summary_markdown(report);
  CHECK_THAT(text, ContainsSubstring("# night: failed"));
  CHECK_THAT(text, ContainsSubstring("the worker did not start"));
  CHECK(text.find("## Times") == std::string::npos);
  CHECK_THAT(text, ContainsSubstring("continues where it was"));
}

TEST_CASE("a summary cuts long evidence between characters") {
  JobSummary report = example();
  report.failures[0].evidence = std::string(299, 'x') + "µµµ";
  CHECK_THAT(summary_markdown(report), ContainsSubstring(std::string(299, 'x') + "…"));
  report.failures[0].evidence = std::string(298, 'x') + "µµµ";
  CHECK_THAT(summary_markdown(report), ContainsSubstring(std::string(298, 'x') + "µ…"));
}

}  // namespace
}  // namespace kevolve
