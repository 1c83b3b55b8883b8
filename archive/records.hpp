#pragma once
// What goes into the archive and what comes out of it: plain values with a JSON form (`kevolve … --json`
// prints it). Enumerations are stored by name: never rename. Times are UTC, milliseconds; ISO 8601 in JSON.

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/model/evaluation.hpp"
#include "core/model/expression.hpp"
#include "core/model/ids.hpp"
#include "core/model/lineage.hpp"

namespace kevolve::archive {

using Timestamp = std::chrono::sys_time<std::chrono::milliseconds>;
std::string to_iso8601(Timestamp time);  ///< "2026-01-31T23:59:59.123Z"

enum class JobState {
  queued,     ///< waits for its turn in a service
  running,    ///< being worked on, or to be continued: also when its process was killed
  paused,     ///< by request; continues on request
  finished,   ///< its rounds or its budget are over; running it again is a new series of rounds
  failed,     ///< the reason says why; may be continued
  cancelled,  ///< by request; continues only on request
};
enum class RunState { running, finished, failed, interrupted };
enum class RoundState { open, finished };
enum class CandidateState { proposed, evaluating, evaluated };
enum class Purpose {
  search,  ///< the first judgement in a search
  manual,  ///< `kevolve evaluate`
  retime,  ///< timed again in a fresh process with a new seed: the figure that counts
  verify,  ///< an archived result judged again later
};
/// Whether the figures shown were taken again in a fresh process, or are those of the search itself.
enum class Figure { retimed, search };

std::string_view name(JobState state);
std::string_view name(RunState state);
std::string_view name(RoundState state);
std::string_view name(CandidateState state);
std::string_view name(Purpose purpose);
std::string_view name(Figure figure);

struct JobRecord {
  JobId id;
  std::string name;
  int version = 1;  ///< of the document: 1, 2, …
  Json document;
  JobState state = JobState::running;
  std::string reason;                     ///< why it is in that state; may be ""
  int priority = 0;                       ///< in a service: the higher, the more of the workers
  std::optional<Timestamp> submitted_at;  ///< to a service, which then continues it unasked
  Timestamp created_at, changed_at;       ///< changed_at: when its state last did
  Timestamp series_began_at;              ///< of its present rounds: policy.rounds of them, over all runs
  bool continued = false;                 ///< begin_job() found it
  bool document_changed = false;          ///< … with another document than the one given now
};

struct NewRun {
  JobId job;
  DeviceInfo device;
  std::string seed;
  Json versions;  ///< of kevolve, worker, compiler, …
};

struct RoundRecord {
  RoundId id;
  JobId job;
  OperatorId op;
  std::string workload;
  int number = 1;  ///< from 1 within (job, operator, workload)
  RoundState state = RoundState::open;
  Timestamp began_at;
  std::optional<Timestamp> finished_at;
  bool resumed = false;  ///< begin_round() found it unfinished
};

struct NewIdea {
  OperatorId op;
  std::optional<RoundId> round;             ///< absent for manual evaluations
  std::string source;                       ///< "seed", "playbook", "llm", "manual"
  std::string key;                          ///< within the source, e.g. a playbook entry's stem; may be ""
  std::string text;                         ///< English
  std::vector<CandidateId> parents = {};    ///< candidates it was drawn from
  std::string bottleneck = {};              ///< what it attacks; may be ""
  std::optional<double> predicted_us = {};  ///< the time its author expects
  std::optional<ExchangeId> exchange = {};  ///< in which a model proposed it
};

struct IdeaRecord : NewIdea {
  IdeaId id;
  Timestamp created_at;
};

struct ParentRecord {
  CandidateId candidate;
  Relation relation = Relation::seeded_by;
};

struct NewCandidate {
  std::string source;  ///< the .cu text, header included
  Bindings tunables;
  std::vector<ParentRecord> parents;
  std::optional<ExchangeId> exchange = {};  ///< in which a model wrote it
};

struct CandidateRecord : NewCandidate {
  CandidateId id;
  IdeaId idea;
  OperatorId op;
  std::optional<RoundId> round;
  std::string hash;         ///< candidate_hash(source, tunables)
  std::string source_hash;  ///< SHA-256 of the exact source text
  CandidateState state = CandidateState::proposed;
  std::optional<EvaluationId> evaluation;  ///< the one that decided it; may belong to an identical candidate
  Timestamp created_at;
};

struct NewEvaluation {
  CandidateId candidate;
  std::optional<RunId> run;
  std::string workload;
  /// The class it is ranked in (what the candidate claims); the measured one, in `evaluation`, satisfies it.
  PrecisionClass precision = PrecisionClass::strict_fp32;
  std::string yardstick;  ///< subject that `speedup` is against: "naive", "eager"; "" when nothing was timed
  Purpose purpose = Purpose::search;
  Evaluation evaluation;  ///< its `device` is entered into the archive as needed
};

struct EvaluationRecord : NewEvaluation {
  EvaluationId id;
  OperatorId op;
  Timestamp evaluated_at;
};

/// Where results may be compared with each other. A result's yardstick belongs to it as well.
struct ResultKey {
  OperatorId op;
  std::string workload;
  DeviceId device;
  PrecisionClass precision = PrecisionClass::strict_fp32;
};

struct ChampionRecord {
  ResultKey key;
  CandidateId candidate;
  EvaluationId evaluation;
  std::optional<RoundId> round;
  Timestamp promoted_at;
  double speedup = 0;
};

/// A verified kernel at its place in the ranking of one key and yardstick.
struct RankedKernel {
  int rank = 1;  ///< within its group
  std::string operator_name, operator_hash, workload, yardstick;
  OperatorId op;
  PrecisionClass precision = PrecisionClass::strict_fp32;
  DeviceId device;
  DeviceInfo device_info;
  CandidateId candidate;
  std::string candidate_hash;
  EvaluationId evaluation;  ///< where the figures come from
  Figure figure = Figure::search;
  double median_us = 0, low_us = 0, high_us = 0;
  double yardstick_us = 0;  ///< of the same evaluation
  double speedup = 0, speedup_low = 0;
  IdeaId idea;
  std::string idea_source, idea_key, idea_text;
  std::optional<int> round_number;  ///< in which the candidate first appeared; absent: evaluated by hand
  std::string job;                  ///< its name, or ""
  Bindings tunables;
};

/// A ranked kernel with what the next round needs to go on from it.
struct SurvivorRecord {
  RankedKernel kernel;
  std::string source;
};

/// How a kernel stands at one place where results compare.
struct StandingRecord {
  std::string workload, yardstick;
  DeviceId device;
  DeviceInfo device_info;
  PrecisionClass precision = PrecisionClass::strict_fp32;
  bool refuted = false;     ///< a later evaluation took back that it is right
  EvaluationId evaluation;  ///< where the figure comes from, or which refuted it
  Figure figure = Figure::search;
  double speedup = 0;
};

struct CandidateDetail {
  CandidateRecord candidate;
  std::string operator_name;
  IdeaRecord idea;
  std::vector<EvaluationRecord> evaluations;  ///< of this candidate or an identical one, oldest first
  std::vector<StandingRecord> standings;      ///< by workload
};

/// How many generations of a lineage are shown: a long search makes chains of thousands.
constexpr int kLineageGenerations = 20;

/// A candidate among its ancestors. A shared ancestor is expanded only where it is met first.
struct LineageNode {
  CandidateId candidate;
  std::string hash, idea_text;
  Bindings tunables;
  std::optional<int> round_number;
  std::optional<Verdict> verdict;
  double speedup = 0;                ///< 0 unless its evaluation passed timing
  std::optional<Relation> relation;  ///< how its child came from it; absent at the root
  bool repeated = false;             ///< already expanded elsewhere in this tree
  bool cut = false;                  ///< it has parents, which are too many generations ago to be here
  std::vector<LineageNode> parents;
};

struct LedgerRecord {
  IdeaId idea;
  std::optional<RoundId> round;
  std::optional<int> round_number;
  std::string workload;  ///< of its round, or ""
  std::string source, key, text;
  std::optional<double> predicted_us;
  int attempts = 0, evaluated = 0, passed = 0;  ///< candidates; passed: verified through timing
  double best_speedup = 0, best_us = 0;         ///< 0 when none passed
  std::map<std::string, int> outcomes;          ///< by outcome name
  std::string last_failure;                     ///< evidence of the last candidate that did not pass; or ""
};

struct ExchangeMessage {
  std::string role, text;
};

/// A question to a model and what came of it. Never holds a key.
struct NewExchange {
  RunId run;
  RoundId round;
  std::string slot;    ///< what was asked for within the round, and after how many turns
  std::string source;  ///< "llm", "manual", "replay"
  std::string model, served_by;
  std::vector<ExchangeMessage> messages;
  std::string outcome = "replied";  ///< otherwise why there is no reply: "refused", "quota", "exhausted"
  std::string error;                ///< in words, when there is no reply
  std::string reply, reasoning, finish;
  std::int64_t input_tokens = 0, cached_tokens = 0;      ///< input includes cached
  std::int64_t output_tokens = 0, reasoning_tokens = 0;  ///< output includes reasoning
  bool usage_estimated = false;
  std::optional<double> cost_usd;  ///< absent when the model has no price
  double latency_ms = 0;
  int attempts = 1;  ///< requests sent, retries included
};

struct ExchangeRecord : NewExchange {
  ExchangeId id;
  Timestamp answered_at;
  std::string operator_name, workload;  ///< of its round
  int round_number = 0;
};

/// What was spent: sums over rows.
struct Spending {
  std::int64_t evaluations = 0, requests = 0;
  std::int64_t input_tokens = 0, cached_tokens = 0, output_tokens = 0, reasoning_tokens = 0;
  double usd = 0;
  std::int64_t unpriced = 0;  ///< exchanges of models that have no price: not in `usd`
  double wall_seconds = 0;
};

/// What one model cost one job, and what came of it.
struct CostRecord {
  std::string job, source, model;
  std::int64_t exchanges = 0;
  Spending spent;
  std::int64_t ideas = 0, candidates = 0, verified = 0, wins = 0;  ///< wins: became champion
};

/// How many candidates stopped where.
struct Funnel {
  struct Stop {
    Gate gate = Gate::policy;
    Outcome outcome = Outcome::passed;
    int candidates = 0;
  };
  int proposed = 0, evaluating = 0, evaluated = 0;  ///< by state
  std::vector<Stop> stops;                          ///< of the evaluated ones, in gate order
  [[nodiscard]] int stopped_at(Gate gate) const;    ///< not counting those that passed
  [[nodiscard]] int passed() const;
};

struct RoundBest {
  RoundRecord round;
  std::string operator_name;
  CandidateId candidate;  ///< {0} when none of the round passed
  double speedup = 0, median_us = 0;
};

Json to_json(const RankedKernel& kernel);
Json to_json(const StandingRecord& standing);
Json to_json(const CandidateDetail& detail);
Json to_json(const EvaluationRecord& record);
Json to_json(const LineageNode& node);
Json to_json(const LedgerRecord& entry);
Json to_json(const CostRecord& cost);
Json to_json(const ExchangeRecord& exchange);
Json to_json(const Funnel& funnel);
Json to_json(const RoundBest& best);

}  // namespace kevolve::archive
