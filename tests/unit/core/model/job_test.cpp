#include "core/model/job.hpp"

#include <unistd.h>

#include <fstream>

#include "tests/catch.hpp"

namespace kevolve {
namespace {

Result<Job> parse(const char* text) {
  return parse_job(*parse_json(text, "text"), "job.json");
}

std::string error_of(const char* text) {
  const auto job = parse(text);
  REQUIRE_FALSE(job);
  return job.error().message;
}

TEST_CASE("a job needs a name and operators, everything else has a default") {
  const auto job = parse(R"({ "name": "quick", "operators": ["layernorm"] })");
  REQUIRE(job);
  CHECK(job->name == "quick");
  CHECK(job->operators.at(0).op == "layernorm");
  CHECK(job->operators.at(0).workload == "small");
  CHECK(job->device == "cpu");
  CHECK(job->seed == 1);
  REQUIRE(job->idea_sources.size() == 1);
  CHECK(job->idea_sources[0].kind == "playbook");
  CHECK(job->policy.kind == PolicyKind::evolve);
  CHECK(job->policy.rounds == 5);
  CHECK(job->policy.ideas_per_round == 3);
  CHECK(job->policy.implementations_per_idea == 4);
  CHECK(job->policy.survivors == 4);
  CHECK(job->policy.plateau_rounds == 2);
  CHECK(job->policy.plateau_gain == 0.02);
  CHECK_FALSE(job->policy.deterministic);
  CHECK(job->timing.min_samples == 10);
  CHECK_FALSE(job->budget.evaluations);
  CHECK_FALSE(job->budget.wall_seconds);
  CHECK(job->workers == 1);
  CHECK_FALSE(job->archive);
  CHECK(job->launcher.empty());
}

TEST_CASE("every field of a job is read, and written back") {
  const auto job = parse(R"({
    "name": "night", "operators": [ { "operator": "softmax", "workload": "benchmark" }, "softmax" ],
    "device": "cuda:sm_90a", "seed": 7, "idea_sources": [ { "kind": "playbook" },
      { "kind": "llm", "weight": 3, "models": ["local", { "model": "big", "weight": 0.5 }] },
      { "kind": "manual", "folder": "prompts" }, { "kind": "replay", "file": "night.jsonl" } ],
    "policy": { "kind": "refine", "rounds": 6, "ideas_per_round": 7, "implementations_per_idea": 8, "survivors": 9,
                "repair_turns": 3, "improve_turns": 0, "tunings": 4, "plateau_rounds": 10, "plateau_gain": 0.5,
                "deterministic": true },
    "timing": { "min_samples": 5, "max_samples": 50, "max_seconds": 1.5 },
    "budget": { "evaluations": 100, "wall_seconds": 3600.5, "requests": 50, "tokens": 1000000, "usd": 2.5 },
    "models": "models.json", "prompts": "words", "record": "out.jsonl", "workers": 4, "archive": "night.db",
    "launcher": ["srun", "--gres=gpu:1"] })");
  REQUIRE(job);
  CHECK(job->operators.at(0).workload == "benchmark");
  CHECK(job->policy.kind == PolicyKind::refine);
  CHECK(job->policy.plateau_gain == 0.5);
  CHECK(job->policy.deterministic);
  CHECK(job->budget.evaluations == 100);
  CHECK(job->budget.wall_seconds == 3600.5);
  CHECK(job->budget.usd == 2.5);
  REQUIRE(job->idea_sources.size() == 4);
  CHECK(job->idea_sources[0].weight == 1);
  CHECK(job->idea_sources[1].models.at(1).name == "big");
  CHECK(job->idea_sources[1].models.at(1).weight == 0.5);
  CHECK(job->idea_sources[2].folder == "prompts");
  CHECK(job->archive == "night.db");
  CHECK(job->launcher == std::vector<std::string>{"srun", "--gres=gpu:1"});
  CHECK(
      to_json(*job).dump() ==
      R"({"name":"night","operators":[{"operator":"softmax","workload":"benchmark"},)"
      R"({"operator":"softmax","workload":"small"}],"device":"cuda:sm_90a","seed":7,)"
      R"("idea_sources":[{"kind":"playbook","weight":1.0},{"kind":"llm","weight":3.0,"models":[)"
      R"({"model":"local","weight":1.0},{"model":"big","weight":0.5}]},)"
      R"({"kind":"manual","weight":1.0,"folder":"prompts"},{"kind":"replay","weight":1.0,"file":"night.jsonl"}],)"
      R"("policy":{"kind":"refine","rounds":6,"ideas_per_round":7,"implementations_per_idea":8,"survivors":9,)"
      R"("repair_turns":3,"improve_turns":0,"tunings":4,"plateau_rounds":10,"plateau_gain":0.5,)"
      R"("deterministic":true},)"
      R"("timing":{"min_samples":5,"max_samples":50,"max_seconds":1.5},)"
      R"("budget":{"evaluations":100,"wall_seconds":3600.5,"requests":50,"tokens":1000000,"usd":2.5},)"
      R"("models":"models.json","prompts":"words","record":"out.jsonl","workers":4,"archive":"night.db",)"
      R"("launcher":["srun","--gres=gpu:1"]})");
  const auto again = parse_job(to_json(*job), "again");
  REQUIRE(again);
  CHECK(to_json(*again) == to_json(*job));
}

TEST_CASE("a job for several GPUs says which, and keeps it") {
  for (const auto& [written, kept] :
       {std::pair{R"("all")", "all"}, {"4", "4"}, {R"("cuda:0,cuda:2")", "cuda:0,cuda:2"}}) {
    CAPTURE(written);
    const std::string text =
        std::string(R"({ "name": "a", "operators": ["x"], "device": "cuda:0", "gpus": )") + written + " }";
    const auto job = parse(text.c_str());
    REQUIRE(job);
    CHECK(job->gpus == kept);
    CHECK(to_json(*job)["gpus"] == *parse_json(written, "a"));
    const auto again = parse_job(to_json(*job), "again");
    REQUIRE(again);
    CHECK(again->gpus == kept);
  }
}

TEST_CASE("mistakes in a job file are named") {
  CHECK(error_of(R"({ "name": "a", "operators": ["x"], "device": "cuda:0", "gpus": "0,2" })") ==
        "job.json: gpus: found \"0,2\" (a string); expected \"all\", how many, or which, such as "
        "\"cuda:0,cuda:2\"");
  CHECK(error_of(R"({ "name": "a", "operators": ["x"], "gpus": "all" })")
            .find("job.json: gpus: device is 'cpu'; expected 'cuda:0'") == 0);
  CHECK(error_of(R"({ "name": "a", "operators": ["x"], "polcy": {} })")
            .find("job.json: unknown key 'polcy'; did you mean 'policy'? known keys: name, operators") == 0);
  CHECK(error_of(R"({ "operators": ["x"] })")
            .find("job.json: missing key 'name'; expected a name such as quickstart") == 0);
  CHECK(error_of(R"({ "name": "a", "operators": ["Layer Norm"] })") ==
        "job.json: operators[0]: found \"Layer Norm\" (a string); expected an operator's name such as "
        "layernorm");
  CHECK(error_of(R"({ "name": "a", "operators": [3] })") ==
        "job.json: operators[0]: found 3; expected an operator's name or {\"operator\": NAME, \"workload\": "
        "NAME}");
  CHECK(error_of(R"({ "name": "a", "operators": ["x"], "device": "gpu" })") ==
        "job.json: device: found \"gpu\" (a string); expected a device such as cpu, cuda:0 or cuda:sm_90a");
  CHECK(error_of(R"({ "name": "a", "operators": ["x"], "policy": { "rounds": -3 } })") ==
        "job.json: policy.rounds: found -3; expected an integer from 1 to 10000");
  CHECK(error_of(R"({ "name": "a", "operators": ["x"], "idea_sources": [ { "kind": "llm" } ] })") ==
        "job.json: idea_sources[0]: a source of kind llm needs 'models': which models to ask");
  CHECK(
      error_of(
          R"({ "name": "a", "operators": ["x"], "idea_sources": [ { "kind": "replay", "file": "a", "folder": "b" } ] })") ==
      "job.json: idea_sources[0].folder: only a source of kind manual has it; this one is replay");
  CHECK(
      error_of(
          R"({ "name": "a", "operators": ["x"], "idea_sources": [ { "kind": "playbook" }, { "kind": "playbook" } ] })") ==
      "job.json: idea_sources[1].kind: playbook is listed twice; expected each kind once");
  CHECK(error_of(R"({ "name": "a", "operators": ["x", { "operator": "x" }] })") ==
        "job.json: operators[1]: x at workload small is listed twice; expected each once");
  CHECK(error_of(R"({ "name": "a", "operators": ["x"], "timing": { "min_samples": 50 } })") ==
        "job.json: timing: min_samples 50 is above max_samples 40; expected it below or equal");
}

TEST_CASE("what a job reads lies relative to its file, what it writes does not") {
  const std::filesystem::path file =
      std::filesystem::temp_directory_path() / ("kevolve_job_" + std::to_string(::getpid()) + ".json");
  std::ofstream(file) << R"({ "name": "a", "operators": ["x"], "models": "../m.json", "archive": "a.db",
    "idea_sources": [ { "kind": "replay", "file": "r.jsonl" }, { "kind": "manual", "folder": "f" } ] })";
  const auto job = load_job(file);
  std::filesystem::remove(file);
  REQUIRE(job);
  CHECK(job->models == (file.parent_path() / "../m.json").lexically_normal());
  CHECK(job->idea_sources[0].file == file.parent_path() / "r.jsonl");
  CHECK(job->idea_sources[1].folder == "f");
  CHECK(job->archive == "a.db");
}

TEST_CASE("a job file that is not there says so") {
  const auto job = load_job("/nonexistent/job.json");
  REQUIRE_FALSE(job);
  CHECK(job.error().message.find("/nonexistent/job.json: cannot be opened") == 0);
}

}  // namespace
}  // namespace kevolve
