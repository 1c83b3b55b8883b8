#include "daemon/engine/job/admission.hpp"

#include <cstdlib>

#include "tests/unit/daemon/engine/folder.hpp"

namespace kevolve {
using namespace engine;
using namespace llm;
namespace {

namespace fs = std::filesystem;
using Catch::Matchers::ContainsSubstring;
using testing::number_of_threads;
using testing::TestFolder;

Json job_with(const Json& sources) {
  return {{"name", "night"}, {"operators", {"gelu"}}, {"idea_sources", sources}};
}

std::string refusal(const Json& document, const AdmissionRules& rules) {
  const auto admitted = admit_job(document, "job", rules);
  return admitted ? "" : admitted.error().message;
}

/// One model, at a server that nobody asks, with its key in KEVOLVE_ADMISSION_KEY.
AdmissionRules models_in(const TestFolder& folder, const std::string& price = "") {
  return {.models = folder.write("models.json",
                                 R"({ "endpoints": { "e": { "api": "openai", "url": "http://127.0.0.1:1/v1",
                                         "key": { "env": "KEVOLVE_ADMISSION_KEY" } } },
                   "models": { "m": { "endpoint": "e", "model": "x")" +
                                     price + " } } }")};
}

const Json kAsksModel = {{{"kind", "llm"}, {"models", {"m"}}}};

TEST_CASE("a job of the playbook is admitted, with its operators") {
  const auto admitted = admit_job(job_with({{{"kind", "playbook"}}}), "job", {});
  REQUIRE(admitted);
  CHECK(admitted->job.name == "night");
  REQUIRE(admitted->operators.size() == 1);
  CHECK(admitted->operators.front().name == "gelu");
}

TEST_CASE("admission names the field of the document, the operator and the workload that are wrong") {
  CHECK_THAT(refusal({{"name", "night"}}, {}), ContainsSubstring("job") && ContainsSubstring("operators"));
  CHECK_THAT(refusal({{"name", "night"}, {"operators", {"gelo"}}}, {}),
             ContainsSubstring("job: operators: there is no operator 'gelo'; did you mean 'gelu'?"));
  CHECK_THAT(
      refusal({{"name", "night"}, {"operators", {{{"operator", "gelu"}, {"workload", "nightly"}}}}}, {}),
      ContainsSubstring("job: operators: gelu has no workload 'nightly'; it has: "));
}

TEST_CASE("a manual source and a record leave nothing behind when a job is admitted") {
  const TestFolder folder;
  Json document = job_with({{{"kind", "manual"}, {"folder", folder.file("prompts/of/night")}}});
  document["record"] = folder.file("record.jsonl");
  const long threads = number_of_threads();
  CHECK(refusal(document, {}).empty());
  CHECK_FALSE(fs::exists(folder.file("prompts")));
  CHECK_FALSE(fs::exists(folder.file("record.jsonl")));
  CHECK(number_of_threads() == threads);
}

TEST_CASE("admission tells that the folder for prompts or the record could not be made") {
  const TestFolder folder;
  const std::string file = folder.write("file", "");
  CHECK_THAT(
      refusal(job_with({{{"kind", "manual"}, {"folder", file + "/prompts"}}}), {}),
      ContainsSubstring("job: cannot create the folder for prompts, " + file + "/prompts: Not a directory"));
  Json document = job_with({{{"kind", "manual"}, {"folder", folder.file("prompts")}}});
  document["record"] = folder.file("missing/record.jsonl");
  CHECK_THAT(refusal(document, {}), ContainsSubstring("to record exchanges: No such file or directory"));
  document["record"] = folder.file("");
  CHECK_THAT(refusal(document, {}), ContainsSubstring("to record exchanges: Is a directory"));
}

TEST_CASE("a job that asks models is admitted without a thread, and its keys stay in the environment") {
  const TestFolder folder;
  ::setenv("KEVOLVE_ADMISSION_KEY", "a-key", 1);
  const long threads = number_of_threads();
  CHECK(refusal(job_with(kAsksModel), models_in(folder)).empty());
  CHECK(number_of_threads() == threads);
  CHECK(std::getenv("KEVOLVE_ADMISSION_KEY") != nullptr);
  ::unsetenv("KEVOLVE_ADMISSION_KEY");
}

TEST_CASE("a job that asks models is refused without models file, model, key or, in a budget of USD, price") {
  const TestFolder folder;
  CHECK_THAT(refusal(job_with(kAsksModel), {.models = folder.file("none.json")}),
             ContainsSubstring("none.json: cannot be opened"));
  const AdmissionRules rules = models_in(folder);
  CHECK_THAT(refusal(job_with({{{"kind", "llm"}, {"models", {"other"}}}}), rules),
             ContainsSubstring("job: found the model \"other\"; expected one of the models file's: m"));
  CHECK_THAT(refusal(job_with(kAsksModel), rules),
             ContainsSubstring("the environment variable KEVOLVE_ADMISSION_KEY is not set"));
  const TakenKeys none;
  AdmissionRules service = rules;
  service.keys = &none;
  CHECK_THAT(refusal(job_with(kAsksModel), service), ContainsSubstring("KEVOLVE_ADMISSION_KEY"));
  ::setenv("KEVOLVE_ADMISSION_KEY", "a-key", 1);
  Json document = job_with({{{"kind", "llm"}, {"models", {"m", "m"}}}});
  CHECK_THAT(refusal(document, rules), ContainsSubstring("the model \"m\" is named twice"));
  document = job_with(kAsksModel);
  document["budget"] = {{"usd", 1}};
  CHECK_THAT(refusal(document, rules), ContainsSubstring("budget.usd: the model 'm' has no price"));
  CHECK(refusal(document, models_in(folder, R"(, "price": { "input": 1, "output": 2 })")).empty());
  ::unsetenv("KEVOLVE_ADMISSION_KEY");
}

TEST_CASE("a replay is read, and the folder of prompts, before a job is admitted") {
  const TestFolder folder;
  Json document = job_with({{{"kind", "replay"}, {"file", folder.file("none.jsonl")}}});
  CHECK_THAT(refusal(document, {}), ContainsSubstring("none.jsonl: cannot be opened"));
  document["idea_sources"][0]["file"] = folder.write("bad.jsonl", "{}\n");
  CHECK_THAT(refusal(document, {}), ContainsSubstring("bad.jsonl:1: not a recorded exchange"));
  document["idea_sources"][0]["file"] = folder.write("empty.jsonl", "\n");
  CHECK(refusal(document, {}).empty());
  document["prompts"] = folder.file("nowhere");
  CHECK_THAT(refusal(document, {}), ContainsSubstring("nowhere"));
}

TEST_CASE("a service takes jobs for its devices and its archive, with launchers only where it says so") {
  ServiceLimits limits{.archive = "/var/a.db", .devices = {"cpu", "cuda:0"}};
  AdmissionRules rules;
  rules.service = &limits;
  Json document = job_with({{{"kind", "playbook"}}});
  CHECK(refusal(document, rules).empty());
  document["device"] = "cuda:1";
  CHECK_THAT(refusal(document, rules), ContainsSubstring("job: device: no pool of this service has 'cuda:1'; "
                                                         "it has: cpu, cuda:0"));
  document["launcher"] = {"ssh", "host"};
  CHECK_THAT(refusal(document, rules),
             ContainsSubstring("job: launcher: this service does not let jobs name their own"));
  limits.job_launchers = true;
  CHECK(refusal(document, rules).empty());  // its launcher knows which devices there are
  document["archive"] = "/var/other.db";
  CHECK_THAT(refusal(document, rules), ContainsSubstring("job: archive: this service writes /var/a.db only"));
  document["archive"] = "/var/log/../a.db";
  CHECK(refusal(document, rules).empty());
  limits.archive.reset();
  document["archive"] = "/var/other.db";
  CHECK(refusal(document, rules).empty());
}

}  // namespace
}  // namespace kevolve
