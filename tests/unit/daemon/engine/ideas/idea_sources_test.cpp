#include "daemon/engine/ideas/idea_sources.hpp"

#include <fstream>

#include "tests/unit/archive/fixture.hpp"

namespace kevolve {
using namespace engine;
using namespace llm;
namespace {

using Catch::Matchers::ContainsSubstring;

std::vector<std::string> names_of(const IdeaSources& sources) {
  std::vector<std::string> all;
  for (const auto& source : sources.list) all.push_back(source->name());
  return all;
}

Job job_of(std::vector<JobIdeaSource> sources) {
  Job job;
  job.idea_sources = std::move(sources);
  return job;
}

TEST_CASE("sources are listed playbook first, then as in the job") {
  const TemporaryFolder folder;
  const auto recording = folder / "r.jsonl";
  std::ofstream(recording) << "";
  JobIdeaSource replay{"replay", 2, {}, {}, recording}, manual{"manual", 3, {}, folder / "prompts", {}},
      playbook{"playbook", 1, {}, {}, {}};
  const auto sources = must(open_idea_sources(job_of({replay, manual, playbook}), "models.json"));
  CHECK(names_of(*sources) == std::vector<std::string>{"playbook", "replay", "manual"});
  CHECK(sources->list[1]->weight() == 2);
  CHECK(sources->list[0]->fills_up());
  CHECK_FALSE(sources->list[1]->fills_up());
  CHECK(sources->named("manual") == sources->list[2].get());
  CHECK(sources->named("llm") == nullptr);
  sources->stop(IdeaSource::Stop::now);
}

TEST_CASE("a source that cannot be opened is the job's author's to mend") {
  const auto missing = open_idea_sources(job_of({{"replay", 1, {}, {}, "/nowhere/r.jsonl"}}), "models.json");
  CHECK_THAT(error_of(missing), ContainsSubstring("/nowhere/r.jsonl"));
  const auto model = open_idea_sources(job_of({{"llm", 1, {{"m", 1}}, {}, {}}}), "/nowhere/models.json");
  CHECK_THAT(error_of(model), ContainsSubstring("/nowhere/models.json"));
}

TEST_CASE("a model without a price cannot be counted against a budget in USD") {
  const TemporaryFolder folder;
  const auto file = folder / "models.json";
  std::ofstream(file) << R"({ "endpoints": { "local": { "api": "openai", "url": "http://127.0.0.1:1/v1" } },
                              "models": { "m": { "endpoint": "local", "model": "m" } } })";
  Job job = job_of({{"llm", 1, {{"m", 1}}, {}, {}}});
  job.budget.usd = 1;
  CHECK_THAT(error_of(open_idea_sources(job, file)), ContainsSubstring("the model 'm' has no price in"));
}

TEST_CASE("news of backends are kept until they are taken") {
  BackendNews news;
  const BackendEvents events = news.events();
  events.outage_began("local", "connection refused");
  events.outage_ended("local", std::chrono::milliseconds(1500));
  events.noted("a retry");
  const auto items = news.take();
  REQUIRE(items.size() == 3);
  CHECK(items[0].text == "connection refused");
  CHECK(items[1].text == "1.5 s");
  CHECK(items[2].text == "a retry");
  CHECK(news.take().empty());
}

}  // namespace
}  // namespace kevolve
