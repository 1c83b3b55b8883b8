#pragma once
// A round that knows something of everything, and the parts of messages.

#include <string>
#include <vector>

#include "core/model/operator.hpp"
#include "llm_client/prompts/messages.hpp"
#include "tests/catch.hpp"

namespace kevolve::testing {

inline Operator operator_here(const std::string& name) {
  const auto op = load_operator(KEVOLVE_SOURCE_DIR "/tests/unit/llm_client/prompts/" + name);
  if (!op) FAIL(op.error().message);
  return *op;
}

inline Operator peak_distance() {
  return operator_here("peak_distance");
}

inline llm::PromptSet prompts() {
  const auto set = llm::load_prompts(std::nullopt);
  if (!set) FAIL(set.error().message);
  return *set;
}

/// Champion, two survivors, two ledger entries, on an H200.
inline search::RoundContext known_round(const Operator& op) {
  search::RoundContext context;
  context.op = &op;
  context.workload = "small";
  context.device = {"cuda:0", "NVIDIA H200", "sm_90a", "13.0", "NVRTC 13.0", "2.11.0", 132};
  context.limits.num_sms = 132;
  context.limits.memory_bytes = 150'000'000'000;
  context.round = 3;
  context.champion_us = 180;
  context.floor_us = 100;
  context.yardstick = "eager";
  context.naive_us = 4000;
  context.eager_us = 360;
  context.compile_us = 250;
  context.champion_profile =
      Profile{Regime::memory_bound, {{"dram_pct", 71.5}}, {"Fuse the passes."}, "counters"};
  context.champion_hash = "h1";
  context.survivors = {{"h1",
                        "split_rows",
                        "/*kevolve {} */\n__global__ void best_kernel() {}\n",
                        {{"BLOCK", 128}},
                        2.0,
                        context.champion_profile,
                        180},
                       {"h2", "llm:wide", "__global__ void second_kernel() {}\n", {}, 1.5, {}, 240}};
  search::LedgerEntry good{"split_rows", "Split each row over blocks.", 12, 9, 2.0, 180, 150.0,
                           "",           {{"passed", 9}, {"race", 3}}};
  search::LedgerEntry bad{
      "llm:atomics",        "Use atomics throughout.", 4, 0, 0, 0, 90.0, "y[7] is NaN; expected 1.",
      {{"wrong_result", 4}}};
  context.ledger = {bad, good};
  return context;
}

inline search::Idea wide_loads() {
  search::Idea idea{"llm", "llm:wide", "Use 128-bit loads in both passes."};
  idea.bottleneck = "Issue slots at 80 %";
  idea.predicted_us = 170;
  idea.parents = {"split_rows"};
  return idea;
}

inline std::string all_text(const std::vector<llm::Message>& messages) {
  std::string text;
  for (const llm::Message& message : messages) text += message.text + "\n";
  return text;
}

}  // namespace kevolve::testing
