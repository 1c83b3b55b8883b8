#pragma once
// Archive: every idea, candidate, evaluation and sample ever made, in one SQLite file
// (docs/archive_schema.md).
//
// Every attempt is a row, so that a killed run resumes from rows. Each operation below that writes is one
// durable transaction (on disk when it returns), unless a Transaction is open, which then groups them. One
// process writes; any number may open the file read-only meanwhile, also when the writer is dead. A file is
// never overwritten. An Archive belongs to one thread; open another for another thread. An Error leaves the
// archive as it was.

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "archive/kinship.hpp"
#include "archive/questions.hpp"
#include "archive/records.hpp"
#include "archive/upkeep.hpp"
#include "core/model/operator.hpp"
#include "core/model/tried.hpp"
#include "core/text/result.hpp"

namespace kevolve::archive {

enum class OpenMode {
  read_write,  ///< created when absent; older schemas are migrated
  read_only,   ///< must exist and be of this version's schema
};

struct ArchiveOptions {
  std::chrono::milliseconds busy_timeout{10'000};  ///< to wait for another writer
  std::function<Timestamp()> clock;                ///< default: the system's
  std::int64_t max_bytes = 0;                      ///< a quota on the file's size; 0: none
  bool exclusive = false;  ///< no other process may open it for writing meanwhile (a service's archive)
  /// Asked every now and then while a statement runs, in its thread; true ends it with an error.
  std::function<bool()> interrupted = {};
};

/// Groups the archive's writes: all of them or, without commit(), none. Must not outlive its Archive.
class Transaction {
 public:
  Transaction(Transaction&&) noexcept;
  Transaction& operator=(Transaction&&) = delete;
  ~Transaction();  ///< rolls back unless committed
  Result<void> commit();

 private:
  friend class Archive;
  struct Impl;
  explicit Transaction(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

struct RankingQuery {
  std::string operator_name;
  std::optional<OperatorId> op;  ///< one version of it only; default: all, newest first
  std::string workload;          ///< "" matches all
  std::string device;            ///< a device's key, name ("cpu", "cuda:0") or model; "" matches all
  std::optional<PrecisionClass> precision;
  std::string yardstick;  ///< "" matches all
  int top = 1;            ///< of each group: operator version, workload, device, precision, yardstick
  /// Among this many of the fastest of a group, retimed kernels go first: a faster figure of the search
  /// itself may have been luck. 0: rank by speedup alone.
  int retimed_first_among = 0;
};

class Archive {
 public:
  static Result<Archive> open(const std::filesystem::path& path, OpenMode mode, ArchiveOptions options = {});
  Archive(Archive&&) noexcept;
  Archive& operator=(Archive&&) noexcept;
  ~Archive();

  [[nodiscard]] const std::filesystem::path& path() const;
  Result<Transaction> begin();  ///< fails when one is open already
  Result<void> check();         ///< SQLite's integrity and foreign key checks, and the archive's own

  // What results are about. Found, or entered.
  Result<OperatorId> enter_operator(const Operator& op);
  Result<DeviceId> enter_device(const DeviceInfo& device);
  Result<Operator> operator_version(OperatorId op);  ///< parsed from the archived document
  Result<std::vector<std::string>> operator_names();

  // Jobs, runs, rounds.
  /// Begins the job, or continues it; a changed document becomes the job's next version. Its state is then
  /// `running`. One that was finished begins a new series of rounds.
  Result<JobRecord> begin_job(std::string_view name, const Json& document);
  /// As begin_job(), but it is `queued`: a service will begin it. The priority stays when none is given.
  Result<JobRecord> submit_job(std::string_view name, const Json& document, std::optional<int> priority);
  /// Sets the final state of a job, with a reason for people to read.
  Result<void> end_job(JobId job, JobState state, std::string_view reason = "");
  Result<void> prioritise_job(JobId job, int priority);
  Result<std::optional<JobRecord>> job(std::string_view name);
  Result<std::vector<JobRecord>> jobs();
  /// Runs of the job that never ended are marked `interrupted`, and their candidates in flight `proposed`
  /// again.
  Result<RunId> begin_run(const NewRun& run);
  Result<void> end_run(RunId run, RunState state);
  /// The unfinished round of (job, operator, workload), or the next one.
  Result<RoundRecord> begin_round(JobId job, OperatorId op, std::string_view workload);
  Result<void> finish_round(RoundId round);
  Result<std::vector<RoundRecord>> rounds(JobId job);
  /// Those that were finished since the job itself last was: what an interrupted series has behind it.
  Result<std::vector<RoundRecord>> rounds_of_present_series(JobId job);

  // Ideas and candidates.
  Result<IdeaId> add_idea(const NewIdea& idea);
  /// All or none, in order. Sources are shared by content.
  Result<std::vector<CandidateId>> add_candidates(IdeaId idea, const std::vector<NewCandidate>& candidates);
  Result<std::vector<IdeaRecord>> ideas(RoundId round);
  Result<std::vector<CandidateRecord>> candidates(RoundId round);  ///< in the order they were added
  Result<std::vector<CandidateRecord>> unfinished_candidates(RoundId round);  ///< not `evaluated`
  Result<CandidateRecord> candidate(CandidateId id);
  /// The newest candidate that an operator version was seeded with (idea source "seed"); of that candidate
  /// hash unless it is "".
  Result<std::optional<CandidateRecord>> seed_candidate(OperatorId op, std::string_view candidate_hash = "");
  /// The first candidate of that idea with that candidate hash.
  Result<std::optional<CandidateRecord>> find_candidate(IdeaId idea, std::string_view candidate_hash);

  // Exchanges with models.
  /// Refused when the slot of that round has a reply already.
  Result<ExchangeId> record_exchange(const NewExchange& exchange);
  /// The reply that was given there, if ever: nothing is asked, and paid, twice.
  Result<std::optional<ExchangeRecord>> find_exchange(RoundId round, std::string_view slot);
  /// Of the job, or its newest only; oldest first, messages included.
  Result<std::vector<ExchangeRecord>> exchanges(JobId job, int newest = 0);
  Result<std::optional<ExchangeRecord>> exchange(JobId job, ExchangeId id);
  /// What the job spent since it last finished: its present budget's use, also across interruptions.
  Result<Spending> spending(JobId job);
  Result<std::vector<CostRecord>> costs(std::optional<JobId> job);

  // Judgement.
  Result<void> mark_evaluating(CandidateId candidate);
  /// The evaluation, its measurements, the candidate's state and its place in the ranking, in one
  /// transaction.
  Result<EvaluationId> record_evaluation(const NewEvaluation& evaluation);
  /// The candidate is `evaluated` by an evaluation of an identical one (same candidate hash and operator).
  Result<void> reuse_evaluation(CandidateId candidate, EvaluationId evaluation);
  /// The newest evaluation of such a candidate that stopped at a gate or passed at least `last_gate`.
  Result<std::optional<EvaluationRecord>> find_evaluation(std::string_view candidate_hash, OperatorId op,
                                                          std::string_view workload, DeviceId device,
                                                          Gate last_gate = Gate::timing);
  /// All candidates that were ever judged there, but for a round whose beginning is meant.
  Result<Tried> tried(OperatorId op, std::string_view workload, DeviceId device,
                      std::optional<RoundId> except = std::nullopt);
  Result<EvaluationRecord> evaluation(EvaluationId id);
  /// The newest profile with counters of such a candidate.
  Result<std::optional<Profile>> profile(std::string_view candidate_hash, OperatorId op,
                                         std::string_view workload, DeviceId device);

  // Champions: append-only. A champion that a later evaluation refuted gives way to its predecessor.
  Result<std::optional<ChampionRecord>> champion(const ResultKey& key);
  /// Refused unless the evaluation is the candidate's own (or an identical one's), at this key, and passed
  /// timing.
  Result<void> promote(const ResultKey& key, CandidateId candidate, EvaluationId evaluation,
                       std::optional<RoundId> round);
  Result<std::vector<ChampionRecord>> champions(const ResultKey& key);  ///< oldest first

  // Questions.
  /// Verified kernels, best speed-up first within each group. Identical candidates count once.
  Result<std::vector<RankedKernel>> best(const RankingQuery& query);
  Result<std::vector<SurvivorRecord>> survivors(const RankingQuery& query);
  /// `id`: "#17", or a candidate hash or unambiguous prefix of it (at least 4 characters).
  Result<CandidateDetail> show(std::string_view id);
  Result<CandidateDetail> detail(CandidateId id);  ///< with every evaluation and standing of it: slow
  Result<std::string> idea_key(CandidateId candidate);
  /// Its ancestors up to `generations` ago (by the shortest path to each); 0: all.
  Result<LineageNode> lineage(CandidateId candidate, int generations = 0);
  Result<std::int64_t> count_ancestors(CandidateId candidate, std::int64_t most);  ///< `most` if more
  Result<Kinship> kinship(CandidateId a, CandidateId b);
  Result<std::vector<LedgerRecord>> ledger(OperatorId op, std::optional<JobId> job = std::nullopt);
  Result<Funnel> funnel(JobId job);
  Result<Funnel> funnel(RoundId round);
  Result<std::vector<RoundBest>> round_bests(JobId job);
  Result<std::vector<JobChampion>> job_champions(JobId job);
  Result<std::vector<FailureGroup>> failures(const FailureQuery& query);
  /// Why a job's own candidates failed, with the newest example of each.
  Result<std::vector<FailureGroup>> job_failures(JobId job);
  /// Ideas that hold all of the words (by their stems), best match first, but newest first where thousands
  /// hold one of the words. `operator_name`: "" matches all.
  Result<std::vector<FoundIdea>> find_ideas(const std::vector<std::string>& words,
                                            std::string_view operator_name, int limit);
  /// Workloads of the operator with verified kernels, by its versions' documents.
  Result<std::vector<Workload>> ranked_workloads(std::string_view operator_name);
  /// The axes of a workload of the operator, its newest version that has one of that name.
  Result<std::optional<Workload>> workload(std::string_view operator_name, std::string_view workload);
  Result<Growth> growth_since(const Growth::Mark& mark);
  /// One SELECT that changes nothing and opens nothing else. `?` parameters are not bound.
  Result<SqlTable> select(std::string_view sql, const SqlLimits& limits);

  // Upkeep.
  Result<ArchiveInfo> info();
  Result<std::vector<std::string>> problems();  ///< all that check() looks for, in sentences; none: sound
  /// A copy of this moment in a new file, while a writer continues. Written beside it and renamed when
  /// complete.
  Result<void> backup(const std::filesystem::path& file);
  /// Everything of `other` that is not here yet. `other` is only read. Nothing on failure.
  Result<MergeReport> merge(const std::filesystem::path& other);
  Result<PruneReport> prune(const PruneOptions& options);
  /// Every row as a line of JSON (docs/archive_schema.md, "JSON Lines"), each ended by '\n'.
  Result<void> export_lines(const std::function<bool(std::string_view)>& write);
  /// What export_lines() wrote, into an archive without rows. `read` gives a line, or false at the end.
  Result<std::int64_t> import_lines(const std::function<bool(std::string&)>& read);
  /// Autotuning results, T4 1.0.0: evaluations of one operator and workload on one device.
  Result<std::int64_t> export_tuning_results(const RankingQuery& query,
                                             const std::function<bool(std::string_view)>& write);

  struct Impl;

 private:
  explicit Archive(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace kevolve::archive
