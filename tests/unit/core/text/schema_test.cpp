#include "core/text/schema.hpp"

#include "core/text/schema_text.hpp"
#include "tests/catch.hpp"
#include "tests/unit/core/model/fixtures.hpp"

namespace kevolve {
namespace {

std::string candidate_error(const Json& header) {
  const auto valid = validate(header, "candidate", "a.cu");
  REQUIRE_FALSE(valid);
  return valid.error().message;
}

std::string job_error(const char* text) {
  const auto valid = validate(*parse_json(text, "text"), "job", "job.json");
  REQUIRE_FALSE(valid);
  return valid.error().message;
}

TEST_CASE("an unknown key brings the nearest known one and all others") {
  Json header = fixture::header();
  header["lauches"] = header["launches"];
  CHECK(candidate_error(header) ==
        "a.cu: unknown key 'lauches'; did you mean 'launches'? known keys: idea, tunables, constraints, "
        "scratch, "
        "output_fill, prepare, launches, precision, deterministic, playbook");
  header.erase("lauches");
  header["launches"][0]["zzzzzz"] = 1;
  CHECK(candidate_error(header) ==
        "a.cu: launches[0]: unknown key 'zzzzzz'; known keys: kernel, grid, block, shared_bytes, cluster, "
        "cooperative, max_registers, args");
}

TEST_CASE("a missing key says what belongs there") {
  Json header = fixture::header();
  header.erase("idea");
  CHECK(candidate_error(header) ==
        "a.cu: missing key 'idea'; expected a string of 1 to 4000 characters: The optimization idea in "
        "English.");
}

TEST_CASE("all problems are listed, each on its line") {
  CHECK(job_error(R"({ "name": "a b", "operators": [], "workers": 0, "oops": 1 })") ==
        "job.json: name: found \"a b\" (a string); expected a name such as quickstart (letters, digits, _ "
        "and -)\n"
        "job.json: operators: found [] (an array of 0); expected an array of 1 to 64 entries\n"
        "job.json: workers: found 0; expected an integer from 1 to 256\n"
        "job.json: unknown key 'oops'; known keys: name, operators, device, seed, idea_sources, policy, "
        "timing, budget, "
        "models, prompts, record, workers, gpus, archive, launcher");
}

TEST_CASE("numbers are held to type and bounds") {
  CHECK(job_error(R"({ "name": "a", "operators": ["x"], "workers": 1.0 })") ==
        "job.json: workers: found 1.0; expected an integer from 1 to 256");
  CHECK(job_error(R"({ "name": "a", "operators": ["x"], "seed": 9223372036854775808 })") ==
        "job.json: seed: found 9223372036854775808; expected an integer of at least 0");
  CHECK(job_error(R"({ "name": "a", "operators": ["x"], "budget": { "wall_seconds": 0 } })") ==
        "job.json: budget.wall_seconds: found 0; expected a number above 0, at most 31536000");
  CHECK(job_error(R"({ "name": "a", "operators": ["x"], "policy": { "plateau_gain": -0.5 } })") ==
        "job.json: policy.plateau_gain: found -0.5; expected a number from 0 to 10");
}

TEST_CASE("a word that is not allowed brings the nearest allowed one") {
  CHECK(job_error(R"({ "name": "a", "operators": ["x"], "policy": { "kind": "evolv" } })") ==
        "job.json: policy.kind: found \"evolv\" (a string); expected one of \"evolve\", \"sample\", "
        "\"refine\"; did you mean "
        "\"evolve\"?");
}

TEST_CASE("objects are told apart by their constant property") {
  Json document = fixture::operator_document();
  Json& draw = document["distributions"]["normal"]["draws"]["*"];
  const auto error = [&] {
    const auto valid = validate(document, "operator", "operator.json");
    REQUIRE_FALSE(valid);
    return valid.error().message;
  };
  draw["kind"] = "uniforn";
  CHECK(error().find(
            "operator.json: distributions.normal.draws.*.kind: found \"uniforn\" (a string); expected one of "
            "\"normal\", \"uniform\"") == 0);
  CHECK(error().find("did you mean \"uniform\"?") != std::string::npos);
  draw = Json::object();
  CHECK(error().find(
            "operator.json: distributions.normal.draws.*: missing key 'kind'; expected one of \"normal\"") ==
        0);
  draw = {{"kind", "uniform"}, {"mean", 0}};
  CHECK(error() ==
        "operator.json: distributions.normal.draws.*: unknown key 'mean'; known keys: kind, low, high");
}

TEST_CASE("foreign text may be as long as it likes") {
  Json header = fixture::header();
  header["launches"][0]["kernel"] = std::string(1 << 20, 'a');
  const std::string error = candidate_error(header);
  CHECK(error.find("a.cu: launches[0].kernel: found \"aaaa") == 0);
  CHECK(error.size() < 400);
  header = fixture::header();
  header["tunables"][std::string(1 << 20, 'A')] = Json::array({1});
  CHECK(candidate_error(header).find("expected keys that match ^[A-Za-z]") != std::string::npos);
  header = fixture::header();
  for (int i = 0; i < 1000; ++i) header["unknown" + std::to_string(i)] = i;
  const std::string many = candidate_error(header);
  CHECK(std::count(many.begin(), many.end(), '\n') == 7);
}

// The schemas are documentation as well.
void check_described(const Json& schema, const std::string& path) {
  for (const char* group : {"properties", "patternProperties"}) {
    if (!schema.contains(group)) continue;
    for (const auto& [key, member] : schema[group].items()) {
      INFO(path << "." << key);
      CHECK((member.contains("description") || member.contains("$ref")));
    }
  }
  for (const auto& [key, member] : schema.items()) {
    if (member.is_structured()) check_described(member, path + "." + key);
  }
}

TEST_CASE("every field of every schema is described, and only known keywords are used") {
  const std::set<std::string> keywords = {"$schema",
                                          "$ref",
                                          "$defs",
                                          "title",
                                          "description",
                                          "type",
                                          "properties",
                                          "required",
                                          "enum",
                                          "const",
                                          "minimum",
                                          "maximum",
                                          "minItems",
                                          "maxItems",
                                          "minLength",
                                          "maxLength",
                                          "pattern",
                                          "oneOf",
                                          "items",
                                          "minProperties",
                                          "maxProperties",
                                          "patternProperties",
                                          "additionalProperties",
                                          "exclusiveMinimum"};
  for (const SchemaText& text : kSchemaTexts) {
    const auto schema = parse_json(text.text, text.name);
    REQUIRE(schema);
    check_described(*schema, std::string(text.name));
    const std::function<void(const Json&, bool)> check_keywords = [&](const Json& node, bool names) {
      if (!node.is_structured()) return;
      for (const auto& [key, member] : node.items()) {
        if (node.is_object() && !names) {
          INFO(text.name << ": " << key);
          CHECK(keywords.count(key) == 1);
        }
        const bool named = !names && (key == "properties" || key == "patternProperties" || key == "$defs");
        check_keywords(member, named);
      }
    };
    check_keywords(*schema, false);
  }
}

}  // namespace
}  // namespace kevolve
