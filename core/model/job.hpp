#pragma once
// Job: what a user asks for in a job file: operators, a device, idea sources, a policy and a budget.
//
// config/schema/job.schema.json is the file's specification: every field, its default and its bounds. Only
// `name` and `operators` are required. Plain data, immutable after load.

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "core/model/device_traits.hpp"
#include "core/model/worker_protocol.hpp"
#include "core/text/json.hpp"

namespace kevolve {

/// One operator at one workload. Whether they exist is for the reader of kernels/seed to say.
struct JobOperator {
  std::string op;
  std::string workload = "small";
};

/// A name of the models file.
struct JobModel {
  std::string name;
  double weight = 1;
};

struct JobIdeaSource {
  std::string kind = "playbook";      ///< "playbook", "llm", "manual", "replay"
  double weight = 1;                  ///< its share of a round's ideas
  std::vector<JobModel> models = {};  ///< llm
  std::filesystem::path folder = {};  ///< manual
  std::filesystem::path file = {};    ///< replay
};

enum class PolicyKind { evolve, sample, refine };

std::string_view name(PolicyKind kind);  ///< "evolve", "sample", "refine"

struct JobPolicy {
  PolicyKind kind = PolicyKind::evolve;
  int rounds = 5;  ///< for each operator
  int ideas_per_round = 3;
  int implementations_per_idea = 4;
  int survivors = 4;
  int repair_turns = 2;        ///< a model's corrections of one candidate
  int improve_turns = 1;       ///< a model's attempts to make one verified candidate faster
  int tunings = 3;             ///< further tunables tried of a model's verified candidate
  int plateau_rounds = 2;      ///< an operator ends after so many rounds without a gain
  double plateau_gain = 0.02;  ///< relative improvement of the best time that counts as a gain
  /// The search goes by figures drawn from seed and candidate hash instead of measured times, so that the
  /// same job makes the same choices again: for tests of the search and exact re-runs, never for faster
  /// kernels.
  bool deterministic = false;
};

struct JobBudget {  ///< for the whole job; empty: no limit
  std::optional<std::int64_t> evaluations;
  std::optional<double> wall_seconds;
  std::optional<std::int64_t> requests, tokens;
  std::optional<double> usd;
};

struct Job {
  std::string name;
  std::vector<JobOperator> operators;  ///< at least one; no two equal
  std::string device{kCpuDevice};
  std::int64_t seed = 1;  ///< of the search; the judge's inputs have secret seeds
  std::vector<JobIdeaSource> idea_sources{JobIdeaSource{}};
  JobPolicy policy;
  TimingSettings timing;
  JobBudget budget;
  int workers = 1;
  std::string
      gpus;  ///< of each worker: "all", "4" (how many) or "cuda:0,cuda:2" (which); "": its device alone
  std::optional<std::filesystem::path> archive;  ///< as written: relative to the working directory
  std::vector<std::string> launcher;             ///< argv prefix of the workers; empty: started directly
  std::optional<std::filesystem::path> models;   ///< the models file
  std::optional<std::filesystem::path> prompts;  ///< a folder of prompt texts
  std::optional<std::filesystem::path> record;   ///< what exchanges are appended to
};

/// `where` starts every error ("config/quickstart.json").
Result<Job> parse_job(const Json& document, std::string_view where);
/// What the job reads (models, prompts, a replay's file) lies relative to the job file, and comes back
/// relative to the working directory, as what it writes is.
Result<Job> load_job(const std::filesystem::path& file);

/// Every field, defaults filled in: what an archive keeps. parse_job() reads it back.
Json to_json(const Job& job);

}  // namespace kevolve
