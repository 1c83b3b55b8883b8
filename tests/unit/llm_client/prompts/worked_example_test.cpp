// The worked examples are real candidates: they are read, resolved and pass the policy.

#include "core/gates/policy.hpp"
#include "core/model/launch_plan.hpp"
#include "llm_client/replies/reply_parser.hpp"
#include "tests/unit/llm_client/prompts/fixture.hpp"

using namespace kevolve;
using namespace kevolve::gates;
using namespace kevolve::llm;
using namespace kevolve::testing;
using Catch::Matchers::ContainsSubstring;

TEST_CASE("the contract's example passes all that can be checked without compiling it") {
  const auto found = parse_candidates(prompts().texts.at("contract"), Finish::stop);
  if (!found) FAIL(found.error().message);
  REQUIRE(found->sources.size() == 1);
  const std::string& source = found->sources[0];
  const Operator op = peak_distance();
  const auto header = parse_candidate(source, op, "example");
  if (!header) FAIL(header.error().message);
  CHECK(header->tunables.size() == 2);
  CHECK_FALSE(check_policy(source));
  int resolved = 0;
  for (const std::int64_t split : header->tunables.at("SPLIT")) {
    for (const std::int64_t block : header->tunables.at("BLOCK")) {
      const auto plan =
          resolve(*header, op, op.workload("small")->axes, {{"SPLIT", split}, {"BLOCK", block}}, {});
      if (!plan) INFO(plan.error().evidence);
      if (plan) ++resolved;
    }
  }
  CHECK(resolved >= 19);
}

TEST_CASE("so does the example for Hopper GPUs, which shows what the other does not") {
  const std::string guide = prompts().texts.at("device_sm_90a");
  const auto found = parse_candidates(guide, Finish::stop);
  if (!found) FAIL(found.error().message);
  REQUIRE(found->sources.size() == 1);
  const std::string& source = found->sources[0];
  for (const char* shown :
       {"tensor_map", "cp.async.bulk.tensor", "mbarrier", "swizzle", "ldmatrix", "mma.sync"})
    CHECK_THAT(source, ContainsSubstring(shown));
  const Operator op = operator_here("scaled_product");
  const auto header = parse_candidate(source, op, "example");
  if (!header) FAIL(header.error().message);
  CHECK_FALSE(check_policy(source));
  const auto plan = resolve(*header, op, op.workload("small")->axes, {}, {.num_sms = 132});
  if (!plan) FAIL(plan.error().evidence);
  for (const auto& [axis, size] : op.workload("small")->axes)  // the sizes that the text names
    CHECK_THAT(guide, ContainsSubstring(axis + " = " + std::to_string(size)));
}

TEST_CASE(
    "the Hopper guide has figures for exchanges, cooperative launches and fills, and where they come from") {
  const std::string guide = prompts().texts.at("device_sm_90a");
  for (const char* fact :
       {"measured on an H200", "`__syncthreads` of", "`cluster.sync`", "`this_grid().sync()`",
        "cooperative launch, which by itself", "`output_fill`): 4 bytes"})
    CHECK_THAT(guide, ContainsSubstring(fact));
}

TEST_CASE(
    "the contract names every field of the header's schema, every outcome of a lie, and the alignment") {
  const std::string contract = prompts().texts.at("contract");
  const auto schema = read_json_file(KEVOLVE_SOURCE_DIR "/config/schema/candidate.schema.json");
  REQUIRE(schema);
  for (const auto& [field, ignored] : (*schema)["properties"].items()) {
    if (field != "playbook") CHECK_THAT(contract, ContainsSubstring("`" + field + "`"));
  }
  for (const char* part : {"launch", "tensor_map", "scratch"}) {
    for (const auto& [field, ignored] : (*schema)["$defs"][part]["properties"].items())
      CHECK_THAT(contract, ContainsSubstring(field));
  }
  for (const char* fact : {"aligned to 16 bytes and no more", "macro", "1e-05f", "ceil_div", "num_sms",
                           "`NUM_SMS`", "cooperative", "spin on a flag or counter in scratch", "prepare",
                           "strict_fp32", "NaN", "<cuda_fp16.h>", "printf", "clock64", "writable globals"})
    CHECK_THAT(contract, ContainsSubstring(fact));
}
