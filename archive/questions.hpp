#pragma once
// Answers of an Archive to questions about many rows: why candidates fail, which ideas mention something,
// what a job has won. Values with a JSON form.

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "archive/records.hpp"

namespace kevolve::archive {

/// Evaluations that stopped at one gate for one reason.
struct FailureGroup {
  std::string operator_name;
  Gate gate = Gate::policy;
  Outcome outcome = Outcome::passed;
  std::int64_t count = 0;
  struct Example {
    CandidateId candidate;
    std::string candidate_hash, workload, evidence;
    Timestamp evaluated_at;
  };
  std::vector<Example> examples;  ///< newest first
};

struct FailureQuery {
  std::string operator_name;  ///< "" matches all
  std::optional<Gate> gate;
  int examples = 2;  ///< of each group
};

/// An idea that mentions what was asked for.
struct FoundIdea {
  IdeaId idea;
  std::string operator_name, source, key, text;
  std::string excerpt;  ///< of the text, the words found between « and »
  std::string job;      ///< or ""
  int attempts = 0, passed = 0;
  double best_speedup = 0;
};

/// A job's champion of one key, as it stands.
struct JobChampion {
  std::string operator_name, workload, device_model;
  PrecisionClass precision = PrecisionClass::strict_fp32;
  CandidateId candidate;
  std::string candidate_hash, idea_text;
  double speedup = 0;
  int changes = 0;  ///< how often the job replaced it, the first included
  bool refuted = false;
  Timestamp promoted_at;
};

/// Sums over the evaluations and exchanges behind a mark.
struct Growth {
  /// The newest rows that are counted already; {0}: none.
  struct Mark {
    EvaluationId evaluation;
    ExchangeId exchange;
  };
  Mark end;
  std::map<std::pair<Gate, Outcome>, std::int64_t> evaluations;
  std::map<std::pair<std::string, std::string>, std::int64_t> exchanges;  ///< by source and outcome
  std::int64_t input_tokens = 0, output_tokens = 0;
  double usd = 0;
};

struct SqlLimits {
  std::int64_t rows = 1000;
  std::chrono::milliseconds time{10'000};
};

struct SqlTable {
  std::vector<std::string> columns;
  std::vector<std::vector<Json>> rows;  ///< numbers, strings, null; a blob is {"bytes": its size}
  bool more = false;                    ///< there were more rows than the limit
};

Json to_json(const FailureGroup& group);
Json to_json(const FoundIdea& idea);
Json to_json(const JobChampion& champion);
Json to_json(const SqlTable& table);

/// How far apart two workloads of one operator are: the sum over axes of |log(size / size)|; an axis that
/// only one of them has counts as log 2.
double workload_distance(const Bindings& a, const Bindings& b);

}  // namespace kevolve::archive
