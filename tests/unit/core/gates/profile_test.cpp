#include "core/gates/profile.hpp"

#include <limits>
#include <set>

#include "tests/catch.hpp"

namespace kevolve {
using namespace gates;
namespace {

using Catch::Matchers::ContainsSubstring;
using Metrics = std::map<std::string, double>;

/// A kernel of which nothing is busy and nothing is wrong.
Metrics quiet() {
  Metrics metrics;
  for (const CounterMetric& metric : curated_metrics()) metrics[metric.name] = 0;
  metrics["duration_us"] = 100;
  metrics["occupancy_pct"] = 90;
  metrics["sm_active_pct"] = 99;
  metrics["sectors_per_load"] = 4;
  metrics["blocks"] = 10'000;
  return metrics;
}

Metrics with(Metrics metrics, const Metrics& changes) {
  for (const auto& [name, value] : changes) {
    REQUIRE(metrics.contains(name));
    metrics[name] = value;
  }
  return metrics;
}

KernelFacts h200() {
  KernelFacts facts;
  facts.num_sms = 132;
  return facts;
}

std::string all(const Profile& profile) {
  std::string text;
  for (const std::string& sentence : profile.advice) text += sentence + "\n";
  return text;
}

std::string advice(const Metrics& metrics, const KernelFacts& facts = h200()) {
  return all(profile_of(metrics, facts));
}

bool has(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

TEST_CASE("a big copy is memory-bound, and only fewer bytes help it") {
  KernelFacts facts = h200();
  facts.least_bytes = 512e6;
  const Metrics copy = with(quiet(), {{"dram_pct", 92},
                                      {"dram_read_bytes", 256e6},
                                      {"dram_write_bytes", 250e6},
                                      {"l2_pct", 45},
                                      {"inst_pct", 9},
                                      {"lsu_pct", 12},
                                      {"stall_long_scoreboard", 80},
                                      {"occupancy_pct", 35}});
  const Profile profile = profile_of(copy, facts);
  CHECK(profile.regime == Regime::memory_bound);
  CHECK(profile.source == "counters");
  CHECK(profile.measured());
  CHECK(profile.metrics.at("dram_pct") == 92);
  REQUIRE(profile.advice.size() == 2);
  CHECK_THAT(profile.advice[0],
             ContainsSubstring("dram_pct is 92 %") && ContainsSubstring("only fewer bytes"));
  CHECK_THAT(profile.advice[1], ContainsSubstring("0.99 x the least possible"));
}

TEST_CASE("a matmul with busy FMA pipes is compute-bound") {
  const Metrics matmul = with(quiet(), {{"fma_pct", 82},
                                        {"inst_pct", 81},
                                        {"l1_pct", 55},
                                        {"dram_pct", 6},
                                        {"l2_pct", 20},
                                        {"occupancy_pct", 24},
                                        {"stall_math_pipe", 2}});
  const Profile profile = profile_of(matmul, h200());
  CHECK(profile.regime == Regime::compute_bound);
  CHECK_THAT(profile.advice.at(0), ContainsSubstring("fma_pct is 82 %") && ContainsSubstring("tensor cores"));
  CHECK_FALSE(has(all(profile), "occupancy_pct"));
}

TEST_CASE("a reduction in one block is latency-bound for want of blocks") {
  const Metrics one = with(quiet(), {{"dram_pct", 1},
                                     {"inst_pct", 0.3},
                                     {"sm_active_pct", 0.75},
                                     {"blocks", 1},
                                     {"occupancy_pct", 50},
                                     {"stall_long_scoreboard", 20},
                                     {"stall_wait", 2}});
  const Profile profile = profile_of(one, h200());
  CHECK(profile.regime == Regime::latency_bound);
  CHECK_THAT(profile.advice.at(0), ContainsSubstring("dram_pct 1 %"));
  CHECK_THAT(profile.advice.at(1), ContainsSubstring("1 block leaves 131 of 132 SMs"));
  CHECK_THAT(profile.advice.at(2), ContainsSubstring("stall_long_scoreboard is 20.0"));
}

TEST_CASE("the regime turns at sixty percent, and the busier of two busy parts names it") {
  const auto regime = [](double dram, double fma) {
    return profile_of(with(quiet(), {{"dram_pct", dram}, {"fma_pct", fma}}), h200()).regime;
  };
  CHECK(regime(59.9, 59.9) == Regime::latency_bound);
  CHECK(regime(60, 0) == Regime::memory_bound);
  CHECK(regime(0, 60) == Regime::compute_bound);
  CHECK(regime(70, 71) == Regime::compute_bound);
  CHECK(regime(71, 70) == Regime::memory_bound);
}

TEST_CASE("each part of an SM can make a kernel compute-bound, with advice of its own") {
  std::set<std::string> reliefs;
  for (const char* part : {"tensor_pct", "fma_pct", "fp64_pct", "xu_pct", "alu_pct", "l1_pct", "inst_pct"}) {
    const Profile profile = profile_of(with(quiet(), {{part, 75}}), h200());
    INFO(part);
    CHECK(profile.regime == Regime::compute_bound);
    CHECK_THAT(profile.advice.at(0), ContainsSubstring(std::string(part) + " is 75 %"));
    reliefs.insert(profile.advice[0].substr(profile.advice[0].find(';')));
  }
  CHECK(reliefs.size() == 7);
  CHECK(profile_of(with(quiet(), {{"lsu_pct", 75}}), h200()).regime == Regime::compute_bound);
}

TEST_CASE("L2 alone can hold a kernel back") {
  const Profile profile = profile_of(with(quiet(), {{"l2_pct", 75}, {"dram_pct", 20}}), h200());
  CHECK(profile.regime == Regime::memory_bound);
  CHECK_THAT(profile.advice.at(0), ContainsSubstring("l2_pct is 75 %") && ContainsSubstring("dram_pct 20 %"));
}

TEST_CASE("bytes beyond the least possible are named") {
  KernelFacts facts = h200();
  facts.least_bytes = 100e6;
  const Metrics thrice =
      with(quiet(), {{"dram_pct", 85}, {"dram_read_bytes", 260e6}, {"dram_write_bytes", 50e6}});
  CHECK_THAT(advice(thrice, facts), ContainsSubstring("dram_read_bytes 260.0 MB") &&
                                        ContainsSubstring("3.1 x the least possible 100.0 MB"));
  facts.least_bytes = 300e6;
  CHECK_FALSE(has(advice(thrice, facts), "more than once"));
  facts.least_bytes = 0;
  CHECK_FALSE(has(advice(thrice, facts), "least possible"));
  // Elsewhere than at DRAM's peak, only a waste that is plain is worth a word.
  facts.least_bytes = 200e6;
  CHECK(has(advice(thrice, facts), "more than once"));
  CHECK_FALSE(has(advice(with(thrice, {{"dram_pct", 10}}), facts), "more than once"));
}

TEST_CASE("scattered loads are named") {
  CHECK_THAT(advice(with(quiet(), {{"sectors_per_load", 31.5}})),
             ContainsSubstring("sectors_per_load is 31.5"));
  CHECK_FALSE(has(advice(with(quiet(), {{"sectors_per_load", 16}})), "sectors_per_load"));
}

TEST_CASE("spills are named with the registers") {
  KernelFacts facts = h200();
  CHECK_FALSE(has(advice(quiet(), facts), "spill"));
  facts.spill_bytes = 128;
  facts.registers = 255;
  CHECK_THAT(advice(quiet(), facts), ContainsSubstring("128 bytes") && ContainsSubstring("255 registers"));
}

TEST_CASE("a wave that ends early is named") {
  KernelFacts facts = h200();
  facts.blocks = 300;
  facts.resident_blocks = 2;
  CHECK_THAT(advice(quiet(), facts), ContainsSubstring("300 blocks are 1.14 waves"));
  facts.blocks = 264;
  CHECK_FALSE(has(advice(quiet(), facts), "waves"));
  facts.blocks = 528;
  CHECK_FALSE(has(advice(quiet(), facts), "waves"));
  facts.blocks = 500;  // 1.89: the last wave is nearly full
  CHECK_FALSE(has(advice(quiet(), facts), "waves"));
  facts.blocks = 3000;  // so many waves that the last one hardly matters
  CHECK_FALSE(has(advice(quiet(), facts), "waves"));
  facts.num_sms = 0;
  facts.blocks = 1;
  CHECK_FALSE(has(advice(quiet(), facts), "blocks"));
}

TEST_CASE("blocks are counted for each launch") {
  KernelFacts facts = h200();
  facts.launches = 100;
  CHECK(has(advice(quiet(), facts), "100 blocks leave 32 of 132 SMs"));
  facts.launches = 10;
  CHECK_FALSE(has(advice(quiet(), facts), "leave"));
  facts.blocks = 132;
  CHECK_FALSE(has(advice(quiet(), facts), "leave"));
}

TEST_CASE("low occupancy is named with its cause") {
  const Metrics low = with(quiet(), {{"occupancy_pct", 20}});
  KernelFacts facts = h200();
  CHECK_THAT(advice(low, facts),
             ContainsSubstring("occupancy_pct is 20 %") && ContainsSubstring("more threads"));
  facts.shared_bytes = 100'000;
  CHECK_THAT(advice(low, facts), ContainsSubstring("100000 bytes of shared memory"));
  facts.registers = 168;
  CHECK_THAT(advice(low, facts), ContainsSubstring("168 registers"));
  CHECK_FALSE(has(advice(quiet(), facts), "occupancy"));
  CHECK_FALSE(has(advice(with(low, {{"dram_pct", 90}}), facts), "occupancy"));
}

TEST_CASE("bank conflicts are named where shared memory matters") {
  const Metrics conflicts = with(quiet(), {{"shared_wavefronts", 1000}, {"shared_conflicts", 310}});
  CHECK_THAT(advice(with(conflicts, {{"l1_pct", 40}})), ContainsSubstring("shared_conflicts are 31 %"));
  CHECK_THAT(advice(with(conflicts, {{"stall_short_scoreboard", 3}})), ContainsSubstring("shared_conflicts"));
  CHECK_FALSE(has(advice(conflicts), "shared_conflicts"));
  CHECK_FALSE(has(advice(with(conflicts, {{"l1_pct", 40}, {"shared_conflicts", 100}})), "shared_conflicts"));
}

TEST_CASE("the stall that dominates is named, each with advice of its own") {
  std::set<std::string> cures;
  for (const CounterMetric& metric : curated_metrics()) {
    const std::string name = metric.name;
    if (!name.starts_with("stall_")) continue;
    const Profile profile = profile_of(with(quiet(), {{name, 6}}), h200());
    INFO(name);
    REQUIRE(profile.advice.size() == 2);
    CHECK_THAT(profile.advice[1], ContainsSubstring(name + " is 6.0"));
    cures.insert(profile.advice[1].substr(profile.advice[1].find(':')));
  }
  CHECK(cures.size() == 8);
  CHECK(advice(quiet()).find("stall_") == std::string::npos);
  // None dominates.
  CHECK_FALSE(has(
      advice(with(quiet(),
                  {{"stall_wait", 1}, {"stall_barrier", 1}, {"stall_mio_throttle", 1}, {"stall_gmma", 1}})),
      "stall_"));
}

TEST_CASE("launches that wait for each other are named") {
  KernelFacts facts = h200();
  facts.launches = 4;
  CHECK_THAT(advice(with(quiet(), {{"sm_active_pct", 40}}), facts),
             ContainsSubstring("4 launches share 100.0 us") && ContainsSubstring("40 %"));
  CHECK_FALSE(has(advice(with(quiet(), {{"dram_pct", 90}}), facts), "launches"));
}

TEST_CASE("the profiler's own time is taken out of short kernels") {
  KernelFacts facts = h200();
  const Metrics brief = with(quiet(), {{"duration_us", 10}, {"dram_pct", 40}});
  CHECK(profile_of(brief, facts).regime == Regime::latency_bound);
  facts.median_us = 5;
  const Profile profile = profile_of(brief, facts);
  CHECK(profile.regime == Regime::memory_bound);
  CHECK_THAT(all(profile),
             ContainsSubstring("dram_pct is 80 %") && ContainsSubstring("10.0 under the profiler"));
  CHECK(profile.metrics.at("dram_pct") == 40);  // stored as counted
  facts.median_us = 1;
  CHECK(has(advice(brief, facts), "dram_pct is 100 %"));
  facts.median_us = 200;  // timed with cold caches: nothing is taken away
  CHECK(profile_of(with(brief, {{"dram_pct", 80}}), facts).regime == Regime::memory_bound);
  CHECK(profile_of(brief, facts).regime == Regime::latency_bound);
}

TEST_CASE("there are at most five sentences") {
  KernelFacts facts = h200();
  facts.spill_bytes = 8;
  facts.least_bytes = 1;
  facts.launches = 2;
  facts.median_us = 50;
  const auto profile = profile_of(with(quiet(), {{"dram_read_bytes", 10},
                                                 {"sectors_per_load", 32},
                                                 {"shared_wavefronts", 10},
                                                 {"blocks", 4},
                                                 {"shared_conflicts", 5},
                                                 {"stall_short_scoreboard", 5},
                                                 {"occupancy_pct", 5}}),
                                  facts);
  CHECK(profile.advice.size() == 5);
}

TEST_CASE("without the counters that decide there is no regime, and the profile says so") {
  for (const char* needed : {"dram_pct", "l2_pct", "fma_pct", "tensor_pct", "inst_pct"}) {
    Metrics metrics = quiet();
    metrics[needed] = std::numeric_limits<double>::quiet_NaN();
    const Profile profile = profile_of(metrics, h200());
    CHECK(profile.regime == Regime::unknown);
    CHECK_FALSE(profile.measured());
    CHECK_THAT(profile.source, ContainsSubstring(needed));
    CHECK(profile.metrics.size() == quiet().size() - 1);
  }
  CHECK(no_profile("no permission").source == "no permission");
  CHECK_FALSE(no_profile("no permission").measured());
}

TEST_CASE("metrics go by our names and units") {
  const auto metrics = metrics_of({{"gpu__time_duration.sum", 12'500},
                                   {"dram__bytes_read.sum", std::numeric_limits<double>::infinity()},
                                   {"unheard.of", 1}});
  CHECK(metrics == Metrics{{"duration_us", 12.5}});
  std::set<std::string> names, counters;
  for (const CounterMetric& metric : curated_metrics()) {
    names.insert(metric.name);
    counters.insert(metric.counter);
    CHECK(std::string_view(metric.meaning).size() > 3);
  }
  CHECK(names.size() == curated_metrics().size());
  CHECK(counters.size() == curated_counters().size());
}

TEST_CASE("plan and compile report tell the facts that need no GPU") {
  LaunchPlan plan;
  plan.launches.resize(2);
  plan.launches[0].kernel = "rows<4>";
  plan.launches[0].grid = {10, 2, 3};
  plan.launches[0].block = {64, 2, 1};
  plan.launches[0].shared_bytes = 1000;
  plan.launches[1].kernel = "finish";
  plan.launches[1].grid = {100, 1, 1};
  plan.launches[1].block = {32, 1, 1};
  const KernelFacts facts = facts_of(plan, {{"rows<4>.registers", 40},
                                            {"rows<4>.shared_bytes", 24},
                                            {"rows<4>.spill_bytes", 0},
                                            {"finish.registers", 72},
                                            {"finish.spill_bytes", 16},
                                            {"never_launched.registers", 255}});
  CHECK(facts.launches == 2);
  CHECK(facts.blocks == 60);
  CHECK(facts.registers == 72);
  CHECK(facts.spill_bytes == 16);
  CHECK(facts.shared_bytes == 1024);
  CHECK(facts_of(plan, {}).registers == 0);
}

}  // namespace
}  // namespace kevolve
