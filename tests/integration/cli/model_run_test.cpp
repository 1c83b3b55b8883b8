// Jobs whose ideas come from a model: recorded replies, replies by hand, interruptions.

#include "tests/integration/cli/model_fixture.hpp"

using namespace kevolve;
using namespace kevolve::archive;
using namespace kevolve::process;
using namespace kevolve::testing;

namespace {

std::string line(const std::string& slot, const std::string& text) {
  return Json{{"operator", "gelu"}, {"workload", "small"}, {"round", 1},          {"slot", slot},
              {"model", "big"},     {"input_tokens", 900}, {"output_tokens", 90}, {"text", text}}
             .dump() +
         "\n";
}

/// What a model once replied: a first try that does not compile and is corrected, then improved; a second
/// idea that stays wrong.
std::string recording() {
  const std::string naive = seed_source("naive.cu");
  return line("ideas", kIdeas) +
         line("idea-1/way-1", fenced(replaced(naive, "__global__ void", "__global__ viod"))) +
         line("idea-1/way-1/repair-1", fenced(seed_source("vector_loads.cu"))) +
         line("idea-1/way-1/improve-1", fenced(replaced(naive, "0.5f", "0.25f"))) +
         line("idea-2/way-1", "I would rather not write code today.") +
         line("idea-2/way-1/repair-1", fenced(replaced(naive, "0.5f", "0.75f")));
}

std::string model_job(const std::string& source, const std::string& more = "") {
  return fmt::format(
      R"({{ "name": "model", "operators": ["gelu"], "idea_sources": [ {} ], "policy": {{ "rounds": 1,
        "ideas_per_round": 2, "implementations_per_idea": 1, "repair_turns": 1, "improve_turns": 1, "tunings": 1 }},
        "timing": {{ "min_samples": 3, "max_samples": 5, "max_seconds": 0.5 }}{} }})",
      source, more);
}

}  // namespace

TEST_CASE("recorded replies become ideas, candidates, corrections and improvements") {
  const Folder folder;
  (void)folder.write("r.jsonl", recording());
  const std::string job = folder.write("job.json", model_job(R"({ "kind": "replay", "file": "r.jsonl" })"));
  const std::string archive = folder.file("a.db");
  const CommandResult run = kevolve::testing::kevolve({"run", job, "--archive", archive});
  INFO(run.out << run.err);
  REQUIRE(run.exit_code == 0);
  CHECK(holds(run.out, "models: 6 answers in this run"));

  const Found found = look_into(archive);
  CHECK(found.exchanges.size() == 6);
  REQUIRE(found.ideas.size() == 2);
  CHECK(found.ideas[0].text == "Let each thread take many contiguous elements.");
  CHECK(found.ideas[0].source == "replay");
  CHECK(found.ideas[0].bottleneck == "threads");
  CHECK(found.ideas[1].predicted_us == 500.0);
  CHECK(found.outcomes.at("idea-1/way-1") == Outcome::compile_error);
  CHECK(found.outcomes.at("idea-1/way-1/repair-1") == Outcome::passed);
  CHECK(found.outcomes.at("idea-1/way-1/improve-1") == Outcome::wrong_result);
  CHECK(found.outcomes.at("idea-2/way-1/repair-1") == Outcome::wrong_result);
  // The right one, and one other choice of its tunables.
  REQUIRE(found.candidates.size() == 5);
  const auto relation = [&](std::size_t i) {
    return found.candidates[i].parents.empty() ? "none"
                                               : std::string(name(found.candidates[i].parents[0].relation));
  };
  std::map<std::string, int> relations;
  for (std::size_t i = 0; i < 5; ++i) ++relations[relation(i)];
  CHECK(relations["repairs"] == 1);
  CHECK(relations["improves"] == 1);
  CHECK(relations["mutates tunables of"] == 1);

  const CommandResult costs = kevolve::testing::kevolve({"costs", "--archive", archive, "--json"});
  REQUIRE(costs.exit_code == 0);
  const Json rows = Json::parse(costs.out);
  REQUIRE(rows.size() == 1);
  CHECK(rows[0]["model"] == "big");
  CHECK(rows[0]["exchanges"] == 6);
  CHECK(rows[0]["input_tokens"] == 5400);
  CHECK(rows[0]["ideas"] == 2);
  CHECK(rows[0]["candidates"] == 5);
  CHECK(rows[0]["verified"] == 2);
  CHECK(holds(kevolve::testing::kevolve({"costs", "--archive", archive}).out, "USD/verified"));
  CHECK(kevolve::testing::kevolve({"costs", "--archive", archive, "--job", "other"}).exit_code == 4);

  // What was exchanged can be read, and made into a recording again.
  const std::string id = std::to_string(found.exchanges[0].id.value);
  const CommandResult shown =
      kevolve::testing::kevolve({"exchanges", "model", "--archive", archive, "--show", id});
  CHECK(holds(shown.out, "Propose 2"));
  CHECK(holds(shown.out, "many contiguous elements"));
  CHECK(holds(kevolve::testing::kevolve({"exchanges", "model", "--archive", archive}).out,
              "idea-1/way-1/repair-1"));
  const std::string copy = folder.file("copy.jsonl");
  REQUIRE(
      kevolve::testing::kevolve({"exchanges", "model", "--archive", archive, "--record", copy}).exit_code ==
      0);
  const std::string again =
      folder.write("again.json", model_job(R"({ "kind": "replay", "file": "copy.jsonl" })"));
  const CommandResult replayed =
      kevolve::testing::kevolve({"run", again, "--archive", folder.file("b.db"), "--lines"});
  INFO(replayed.out);
  CHECK(holds(replayed.out, "models: 6 answers in this run"));
}

TEST_CASE("a job by hand that is killed asks nothing twice") {
  const Folder folder;
  const std::string prompts = folder.file("prompts");
  const std::string job =
      folder.write("job.json", model_job(fmt::format(R"({{ "kind": "manual", "folder": "{}" }})", prompts)));
  const std::string archive = folder.file("a.db");
  std::filesystem::create_directories(prompts);
  std::ofstream(prompts + "/gelu.small.round-01.ideas.reply.md") << kIdeas;
  // The ideas are answered; it is killed while it waits for code.
  shell(
      fmt::format("{0} run {1} --archive {2} --lines > {3} & pid=$!; "
                  "for i in $(seq 600); do [ -e {4}/gelu.small.round-01.idea-2.way-1.prompt.md ] && break; "
                  "sleep 0.1; done; kill -KILL $pid; wait $pid",
                  kProgram, job, archive, folder.file("log"), prompts));
  REQUIRE(look_into(archive).exchanges.size() == 1);
  std::filesystem::remove(prompts + "/gelu.small.round-01.ideas.reply.md");
  std::filesystem::remove(prompts + "/gelu.small.round-01.ideas.prompt.md");
  for (const char* idea : {"1", "2"}) {
    std::ofstream(fmt::format("{}/gelu.small.round-01.idea-{}.way-1.reply.md", prompts, idea))
        << fenced(seed_source(*idea == '1' ? "vector_loads.cu" : "naive.cu"));
    for (const char* turn : {"repair-1", "improve-1"})
      std::ofstream(fmt::format("{}/gelu.small.round-01.idea-{}.way-1.{}.reply.md", prompts, idea, turn))
          << "No.";
  }
  const CommandResult resumed = kevolve::testing::kevolve({"run", job, "--archive", archive});
  INFO(resumed.out << resumed.err);
  REQUIRE(resumed.exit_code == 0);
  CHECK_FALSE(std::filesystem::exists(prompts + "/gelu.small.round-01.ideas.prompt.md"));
  const Found found = look_into(archive);
  CHECK(found.ideas.size() == 2);
  CHECK(found.exchanges.size() == 5);
  CHECK(found.outcomes.at("idea-1/way-1") == Outcome::passed);
}

TEST_CASE("a job may mix sources by weight") {
  const Folder folder;
  (void)folder.write("r.jsonl", recording());
  const std::string job = folder.write("job.json", R"({ "name": "model", "operators": ["gelu"],
        "idea_sources": [ { "kind": "playbook" }, { "kind": "replay", "file": "r.jsonl", "weight": 2 } ],
        "policy": { "rounds": 1, "ideas_per_round": 3, "implementations_per_idea": 1, "repair_turns": 0,
        "improve_turns": 0, "tunings": 0 }, "timing": { "min_samples": 3, "max_samples": 5, "max_seconds": 0.5 } })");
  const std::string archive = folder.file("a.db");
  const CommandResult run = kevolve::testing::kevolve({"run", job, "--archive", archive});
  INFO(run.out << run.err);
  REQUIRE(run.exit_code == 0);
  const Found found = look_into(archive);
  std::map<std::string, int> sources;
  for (const IdeaRecord& idea : found.ideas) ++sources[idea.source];
  CHECK(sources == std::map<std::string, int>{{"playbook", 1}, {"replay", 2}});
  CHECK(found.exchanges.size() == 3);
}

TEST_CASE("money cannot be limited where a model has no price") {
  const Folder folder;
  (void)folder.write("models.json",
                     R"({ "endpoints": { "e": { "api": "openai", "url": "http://127.0.0.1:1/v1" } },
    "models": { "dear": { "endpoint": "e", "model": "x" } } })");
  const std::string job =
      folder.write("job.json", model_job(R"({ "kind": "llm", "models": ["dear"] })",
                                         R"(, "models": "models.json", "budget": { "usd": 1.0 })"));
  const CommandResult run = kevolve::testing::kevolve({"run", job, "--archive", folder.file("a.db")});
  CHECK(run.exit_code == 2);
  CHECK(holds(run.err, "the model 'dear' has no price"));
}

TEST_CASE("a budget of requests ends a job cleanly and says so") {
  const Folder folder;
  (void)folder.write("r.jsonl", recording());
  const std::string job = folder.write("job.json", model_job(R"({ "kind": "replay", "file": "r.jsonl" })",
                                                             R"(, "budget": { "requests": 2 })"));
  const std::string archive = folder.file("a.db");
  const CommandResult run = kevolve::testing::kevolve({"run", job, "--archive", archive});
  INFO(run.out << run.err);
  CHECK(run.exit_code == 0);
  CHECK(holds(run.out, "budget: 2 requests to models spent"));
  CHECK(look_into(archive).exchanges.size() == 2);
}

TEST_CASE("Ctrl-C ends a job that waits for a reply at once") {
  const Folder folder;
  const std::string prompts = folder.file("prompts");
  const std::string job =
      folder.write("job.json", model_job(fmt::format(R"({{ "kind": "manual", "folder": "{}" }})", prompts)));
  const CommandResult interrupted =
      shell(fmt::format("{0} run {1} --archive {2} --lines > {3} & pid=$!; "
                        "for i in $(seq 600); do [ -e {4}/gelu.small.round-01.ideas.prompt.md ] && break; "
                        "sleep 0.1; done; kill -INT $pid; timeout 30 tail --pid=$pid -f /dev/null; wait $pid",
                        kProgram, job, folder.file("a.db"), folder.file("log"), prompts));
  CHECK(interrupted.exit_code == 130);
}

TEST_CASE("sources that cannot be opened are the job's author's mistakes") {
  const Folder folder;
  const auto run = [&](const std::string& text) {
    return kevolve::testing::kevolve(
        {"run", folder.write("job.json", text), "--archive", folder.file("a.db")});
  };
  const CommandResult replay = run(model_job(R"({ "kind": "replay", "file": "none.jsonl" })"));
  CHECK(replay.exit_code == 2);
  CHECK(holds(replay.err, "none.jsonl: cannot be opened"));
  const CommandResult prompts = run(model_job(R"({ "kind": "manual", "folder": "/proc/nowhere" })"));
  CHECK(prompts.exit_code == 2);
  CHECK(holds(prompts.err, "/proc/nowhere"));
}
