// Whole jobs over servers of models that fail, against the same job over one that does not.

#include <set>

#include "tests/fault_server/fault_server.hpp"
#include "tests/integration/cli/model_fixture.hpp"

using namespace kevolve;
using namespace kevolve::archive;
using namespace kevolve::process;
using namespace kevolve::testing;

namespace {

const std::string kKey = "sk-test-J7rQ2mVx9KdLw4TzYb8NcP5h";

/// One for all tests of the process, with the answers of a model that errs first and corrects itself.
const FaultServer& server() {
  static const FaultServer the_server;
  static const bool taught = [] {
    const std::string naive = seed_source("naive.cu");
    const std::string broken = replaced(naive, "__global__ void", "__global__ viod");
    the_server.set_answers(Json::array({
        {{"match", "viod"}, {"text", fenced(seed_source("vector_loads.cu"))}},
        {{"match", "optimisation turn"}, {"text", "I see nothing that would make it faster."}},
        {{"match", "Propose 2"}, {"text", kIdeas}},
        {{"match", "Let each thread take many"}, {"text", fenced(broken)}},
        {{"match", "Replace the error function"}, {"text", fenced(replaced(naive, "0.5f", "0.75f"))}},
    }));
    return true;
  }();
  (void)taught;
  return the_server;
}

/// Everything a job over that endpoint leaves but for times.
struct Remains {
  std::set<std::string> replies, candidates, ideas;
  std::size_t exchanges = 0;
  bool operator==(const Remains&) const = default;
};

Remains outcome_of(const Found& found) {
  Remains outcome;
  for (const ExchangeRecord& x : found.exchanges)
    outcome.replies.insert(x.slot + " " + x.outcome + " " + x.reply);
  for (const CandidateRecord& c : found.candidates) outcome.candidates.insert(c.hash);
  for (const auto& [slot, verdict] : found.outcomes)
    outcome.candidates.insert(slot + " " + std::string(name(verdict)));
  for (const IdeaRecord& idea : found.ideas) outcome.ideas.insert(idea.text);
  outcome.exchanges = found.exchanges.size();
  return outcome;
}

struct Finished {
  CommandResult run;
  Found found;
  bool key_seen = false;  ///< in any file that the job left, or in what it printed
};

Finished run_over(const std::string& script, const std::string& more = "") {
  const Folder folder;
  (void)folder.write(
      "models.json",
      fmt::format(
          R"({{ "endpoints": {{ "e": {{ "api": "openai", "url": "{}", "key": {{ "env": "KEVOLVE_TEST_KEY" }},
                       "max_retries": 12, "timeouts": {{ "stall_seconds": 3, "first_byte_seconds": 20 }} }} }},
                       "models": {{ "m": {{ "endpoint": "e", "model": "served", "price": {{ "input": 1, "output": 2 }} }} }} }})",
          server().url(script)));
  const std::string job = folder.write(
      "job.json", fmt::format(R"({{ "name": "model", "operators": ["gelu"], "models": "models.json",
        "idea_sources": [ {{ "kind": "llm", "models": ["m"] }} ], "record": "{}", "policy": {{ "rounds": 1,
        "ideas_per_round": 2, "implementations_per_idea": 1, "repair_turns": 1, "improve_turns": 1, "tunings": 1 }},
        "timing": {{ "min_samples": 3, "max_samples": 5, "max_seconds": 0.5 }}{} }})",
                              folder.file("record.jsonl"), more));
  Finished finished;
  finished.run =
      shell(fmt::format("KEVOLVE_TEST_KEY={} {} run {} --archive {} 2>&1 | tee {}; exit ${{PIPESTATUS[0]}}",
                        kKey, kProgram, job, folder.file("a.db"), folder.file("output")));
  INFO(finished.run.out);
  const CommandResult grep =
      shell(fmt::format("grep -r -a -l -e {} -e $(printf %s {} | base64) {}", kKey, kKey, folder.file("")));
  finished.key_seen = !grep.out.empty();
  finished.found = look_into(folder.file("a.db"));
  return finished;
}

const Remains& healthy() {
  static const Remains outcome = [] {
    const Finished finished = run_over("healthy");
    INFO(finished.run.out);
    REQUIRE(finished.run.exit_code == 0);
    CHECK_FALSE(finished.key_seen);
    CHECK(finished.found.outcomes.at("idea-1/way-1/repair-1") == Outcome::passed);
    CHECK(finished.found.exchanges.size() == 6);
    return outcome_of(finished.found);
  }();
  return outcome;
}

}  // namespace

TEST_CASE("a job over a server with every passing fault ends with the archive of a healthy one") {
  // Of all requests in order; after the last one the server is well.
  const std::string script =
      "all-faults:status=500,truncated+json,ok,status=529+ms=1,reset,status=503,partial,ok,reset-mid,empty,"
      "sse-error,sse-cut,no-text,status=429+ms=1,status=502+html,ok+gzip,stall,bytes,status=408,status=409,"
      "ok+wrong-type,error-200+json,ok+comments+crlf";
  const Finished finished = run_over(script);
  INFO(finished.run.out);
  REQUIRE(finished.run.exit_code == 0);
  CHECK_FALSE(finished.key_seen);
  CHECK(outcome_of(finished.found) == healthy());
  // Every request to the server is counted, and counted once.
  std::size_t attempts = 0;
  for (const ExchangeRecord& x : finished.found.exchanges) attempts += static_cast<std::size_t>(x.attempts);
  CHECK(server().log("all-faults").size() >= 20);
  CHECK(attempts <= server().log("all-faults").size());
}

TEST_CASE("a key that the server refuses, and echoes, ends the source and appears nowhere") {
  const Finished finished = run_over("bad:status=401+echo");
  INFO(finished.run.out);
  CHECK(finished.run.exit_code == 0);
  CHECK(holds(finished.run.out, "401"));
  CHECK_FALSE(finished.key_seen);
  CHECK(finished.found.candidates.empty());
}

TEST_CASE("an account that is exhausted ends the source at once") {
  const Finished finished = run_over("quota:status=429+quota");
  INFO(finished.run.out);
  CHECK(finished.run.exit_code == 0);
  CHECK(holds(finished.run.out, "quota"));
  CHECK(server().log("quota").size() == 1);
}

TEST_CASE("an outage pauses a job without spending its budget") {
  // Away for its first 8 requests: longer than the wall time, which stands still meanwhile.
  const Finished finished = run_over("all-away:reset,reset,reset,reset,reset,reset,reset,reset,ok",
                                     R"(, "budget": { "requests": 20 })");
  INFO(finished.run.out);
  REQUIRE(finished.run.exit_code == 0);
  CHECK(holds(finished.run.out, "is away"));
  CHECK(holds(finished.run.out, "answers again"));
  CHECK(outcome_of(finished.found) == healthy());
}
