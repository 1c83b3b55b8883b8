#include "core/model/job.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "core/model/gpu_choice.hpp"
#include "core/text/schema.hpp"

namespace kevolve {
namespace {

constexpr std::array<std::string_view, 3> kPolicyKinds = {"evolve", "sample", "refine"};

// The schema has accepted what these read.
template <class Value>
void maybe(const Json& json, const char* key, Value& target) {
  if (json.contains(key)) target = json[key].get<Value>();
}
template <class Value>
void maybe(const Json& json, const char* key, std::optional<Value>& target) {
  if (json.contains(key)) target = json[key].get<Value>();
}

Result<std::vector<JobOperator>> read_operators(const Json& list) {
  std::vector<JobOperator> operators;
  for (std::size_t i = 0; i < list.size(); ++i) {
    JobOperator entry;
    if (list[i].is_string()) {
      entry.op = list[i];
    } else {
      entry.op = list[i]["operator"];
      maybe(list[i], "workload", entry.workload);
    }
    const auto same = [&](const JobOperator& other) {
      return other.op == entry.op && other.workload == entry.workload;
    };
    if (std::any_of(operators.begin(), operators.end(), same)) {
      return failure(fmt::format("operators[{}]: {} at workload {} is listed twice; expected each once", i,
                                 entry.op, entry.workload));
    }
    operators.push_back(std::move(entry));
  }
  return operators;
}

JobModel read_model(const Json& json) {
  if (json.is_string()) return {json.get<std::string>(), 1};
  JobModel model{json["model"], 1};
  maybe(json, "weight", model.weight);
  return model;
}

struct SourceField {
  const char* key;
  const char* kind;
  const char* purpose;
};
constexpr std::array<SourceField, 3> kSourceFields = {{
    {"models", "llm", "which models to ask"},
    {"folder", "manual", "where prompts and replies lie"},
    {"file", "replay", "where the recorded exchanges are"},
}};

/// Each kind has one field of its own, and must have it.
Result<JobIdeaSource> read_source(const Json& json, std::size_t index) {
  JobIdeaSource source;
  source.kind = json["kind"];
  for (const SourceField& field : kSourceFields) {
    const bool own = source.kind == field.kind;
    if (json.contains(field.key) == own) continue;
    return failure(own ? fmt::format("idea_sources[{}]: a source of kind {} needs '{}': {}", index,
                                     source.kind, field.key, field.purpose)
                       : fmt::format("idea_sources[{}].{}: only a source of kind {} has it; this one is {}",
                                     index, field.key, field.kind, source.kind));
  }
  maybe(json, "weight", source.weight);
  for (const Json& model : json.value("models", Json::array())) source.models.push_back(read_model(model));
  source.folder = json.value("folder", "");
  source.file = json.value("file", "");
  return source;
}

Result<std::vector<JobIdeaSource>> read_sources(const Json& list) {
  std::vector<JobIdeaSource> sources;
  for (std::size_t i = 0; i < list.size(); ++i) {
    auto source = read_source(list[i], i);
    if (!source) return failure(source.error());
    for (std::size_t j = 0; j < i; ++j) {
      if (sources[j].kind == source->kind)
        return failure(fmt::format("idea_sources[{}].kind: {} is listed twice; expected each kind once", i,
                                   source->kind));
    }
    sources.push_back(std::move(*source));
  }
  return sources;
}

Json to_json(const JobIdeaSource& source) {
  Json json = {{"kind", source.kind}, {"weight", source.weight}};
  if (!source.models.empty()) {
    json["models"] = Json::array();
    for (const JobModel& model : source.models)
      json["models"].push_back({{"model", model.name}, {"weight", model.weight}});
  }
  if (!source.folder.empty()) json["folder"] = source.folder.string();
  if (!source.file.empty()) json["file"] = source.file.string();
  return json;
}

JobPolicy read_policy(const Json& json) {
  JobPolicy policy;
  if (json.contains("kind")) {
    const auto kind = std::find(kPolicyKinds.begin(), kPolicyKinds.end(), json["kind"].get<std::string>());
    policy.kind = static_cast<PolicyKind>(kind - kPolicyKinds.begin());
  }
  maybe(json, "rounds", policy.rounds);
  maybe(json, "ideas_per_round", policy.ideas_per_round);
  maybe(json, "implementations_per_idea", policy.implementations_per_idea);
  maybe(json, "survivors", policy.survivors);
  maybe(json, "repair_turns", policy.repair_turns);
  maybe(json, "improve_turns", policy.improve_turns);
  maybe(json, "tunings", policy.tunings);
  maybe(json, "plateau_rounds", policy.plateau_rounds);
  maybe(json, "plateau_gain", policy.plateau_gain);
  maybe(json, "deterministic", policy.deterministic);
  return policy;
}

Result<TimingSettings> read_timing(const Json& json) {
  TimingSettings timing;
  maybe(json, "min_samples", timing.min_samples);
  maybe(json, "max_samples", timing.max_samples);
  maybe(json, "max_seconds", timing.max_seconds);
  if (timing.min_samples > timing.max_samples) {
    return failure(fmt::format("timing: min_samples {} is above max_samples {}; expected it below or equal",
                               timing.min_samples, timing.max_samples));
  }
  return timing;
}

}  // namespace

std::string_view name(PolicyKind kind) {
  return kPolicyKinds[static_cast<std::size_t>(kind)];
}

Result<Job> parse_job(const Json& document, std::string_view where) {
  if (auto valid = validate(document, "job", where); !valid) return failure(valid.error());
  Job job;
  job.name = document["name"];
  auto operators = read_operators(document["operators"]);
  if (!operators) return failure(operators.error().in(where));
  job.operators = std::move(*operators);
  maybe(document, "device", job.device);
  maybe(document, "seed", job.seed);
  if (document.contains("idea_sources")) {
    auto sources = read_sources(document["idea_sources"]);
    if (!sources) return failure(sources.error().in(where));
    job.idea_sources = std::move(*sources);
  }
  if (document.contains("policy")) job.policy = read_policy(document["policy"]);
  const auto timing = read_timing(document.value("timing", Json::object()));
  if (!timing) return failure(timing.error().in(where));
  job.timing = *timing;
  if (document.contains("budget")) {
    const Json& budget = document["budget"];
    maybe(budget, "evaluations", job.budget.evaluations);
    maybe(budget, "wall_seconds", job.budget.wall_seconds);
    maybe(budget, "requests", job.budget.requests);
    maybe(budget, "tokens", job.budget.tokens);
    maybe(budget, "usd", job.budget.usd);
  }
  for (const auto& [key, path] :
       {std::pair{"models", &job.models}, {"prompts", &job.prompts}, {"record", &job.record}}) {
    if (document.contains(key)) *path = document[key].get<std::string>();
  }
  maybe(document, "workers", job.workers);
  auto gpus = gpus_from_json(document, job.device);
  if (!gpus) return failure(gpus.error().in(where));
  job.gpus = std::move(*gpus);
  if (document.contains("archive")) job.archive = document["archive"].get<std::string>();
  maybe(document, "launcher", job.launcher);
  return job;
}

Result<Job> load_job(const std::filesystem::path& file) {
  const Result<Json> document = read_json_file(file);
  if (!document) return failure(document.error());
  Result<Job> job = parse_job(*document, file.string());
  if (!job) return job;
  const auto beside = [&](std::filesystem::path& path) {
    if (!path.empty()) path = (file.parent_path() / path).lexically_normal();
  };
  if (job->models) beside(*job->models);
  if (job->prompts) beside(*job->prompts);
  for (JobIdeaSource& source : job->idea_sources) beside(source.file);
  return job;
}

Json to_json(const Job& job) {
  Json json = {{"name", job.name}, {"operators", Json::array()}, {"device", job.device}, {"seed", job.seed}};
  for (const JobOperator& entry : job.operators) {
    json["operators"].push_back({{"operator", entry.op}, {"workload", entry.workload}});
  }
  json["idea_sources"] = Json::array();
  for (const JobIdeaSource& source : job.idea_sources) {
    json["idea_sources"].push_back(to_json(source));
  }
  json["policy"] = {{"kind", name(job.policy.kind)},
                    {"rounds", job.policy.rounds},
                    {"ideas_per_round", job.policy.ideas_per_round},
                    {"implementations_per_idea", job.policy.implementations_per_idea},
                    {"survivors", job.policy.survivors},
                    {"repair_turns", job.policy.repair_turns},
                    {"improve_turns", job.policy.improve_turns},
                    {"tunings", job.policy.tunings},
                    {"plateau_rounds", job.policy.plateau_rounds},
                    {"plateau_gain", job.policy.plateau_gain},
                    {"deterministic", job.policy.deterministic}};
  json["timing"] = {{"min_samples", job.timing.min_samples},
                    {"max_samples", job.timing.max_samples},
                    {"max_seconds", job.timing.max_seconds}};
  json["budget"] = Json::object();
  if (job.budget.evaluations) json["budget"]["evaluations"] = *job.budget.evaluations;
  if (job.budget.wall_seconds) json["budget"]["wall_seconds"] = *job.budget.wall_seconds;
  if (job.budget.requests) json["budget"]["requests"] = *job.budget.requests;
  if (job.budget.tokens) json["budget"]["tokens"] = *job.budget.tokens;
  if (job.budget.usd) json["budget"]["usd"] = *job.budget.usd;
  if (job.models) json["models"] = job.models->string();
  if (job.prompts) json["prompts"] = job.prompts->string();
  if (job.record) json["record"] = job.record->string();
  json["workers"] = job.workers;
  if (!job.gpus.empty()) json["gpus"] = gpus_to_json(job.gpus);
  if (job.archive) json["archive"] = job.archive->string();
  json["launcher"] = job.launcher;
  return json;
}

}  // namespace kevolve
