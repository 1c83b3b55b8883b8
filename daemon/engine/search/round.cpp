// One round of an OperatorSearch: what the search knows, ideas, their implementations, judgement, promotion.

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "core/search/apportion.hpp"
#include "core/search/inspiration.hpp"
#include "core/search/random.hpp"
#include "core/search/regime.hpp"
#include "core/search/selection.hpp"
#include "daemon/engine/ideas/pursuit.hpp"
#include "daemon/engine/job/places.hpp"
#include "daemon/engine/search/operator_search.hpp"
#include "daemon/engine/workers/task_group.hpp"

namespace kevolve {
namespace asio = boost::asio;
namespace {

/// Verified kernels that survivors are selected from.
constexpr int kRankingDepth = 64;
/// How often a round's candidates are gone through until all of them are judged.
constexpr int kPasses = 5;
/// Other operators' kernels that a model is shown, and how much faster than the yardstick they must be.
constexpr std::size_t kInspirations = 2;
constexpr double kInspiring = 1.5;

/// 0 when the operator has no such workload.
double operations_at(const Operator& op, const std::string& workload) {
  const Workload* found = op.workload(workload);
  return found == nullptr ? 0 : operations_per_byte(op, found->axes);
}

/// The ledger's rows of a workload, one entry an idea, in the order in which they were first tried; without
/// those of the round that it is for.
std::vector<LedgerEntry> by_idea(const std::vector<LedgerRecord>& records, const std::string& workload,
                                 RoundId round) {
  std::vector<LedgerEntry> ledger;
  std::map<std::string, std::size_t> places;
  for (const LedgerRecord& record : records) {
    if (record.workload != workload || record.round == round) continue;
    const auto [place, fresh] = places.emplace(record.key, ledger.size());
    if (fresh) ledger.emplace_back();
    LedgerEntry& entry = ledger[place->second];
    entry.idea_key = record.key;
    entry.idea_text = record.text;
    entry.attempts += record.attempts;
    entry.passed += record.passed;
    entry.best_speedup = std::max(entry.best_speedup, record.best_speedup);
    if (record.predicted_us) entry.predicted_us = record.predicted_us;
    if (!record.last_failure.empty()) entry.evidence = record.last_failure;
    for (const auto& [outcome, count] : record.outcomes) entry.outcomes[outcome] += count;
  }
  for (LedgerEntry& entry : ledger) {
    if (entry.passed > 0) entry.evidence.clear();
  }
  return ledger;
}

}  // namespace

/// The fastest verified kernels, best first, as they were known when the round began: one that is resumed
/// makes the choices that it would have made.
Result<std::vector<SurvivorRecord>> OperatorSearch::verified_before(const RoundRecord& round) {
  const auto own = env_.archive.candidates(round.id);
  if (!own) return failure(own.error());
  std::set<CandidateId> of_round;
  for (const CandidateRecord& candidate : *own) of_round.insert(candidate.id);
  const int depth =
      deterministic() ? std::numeric_limits<int>::max() : kRankingDepth + static_cast<int>(of_round.size());
  auto ranked = env_.archive.best(ranking(depth));
  if (!ranked) return failure(ranked.error());
  std::erase_if(*ranked, [&](const RankedKernel& kernel) { return of_round.contains(kernel.candidate); });
  if (deterministic()) {
    for (RankedKernel& kernel : *ranked) kernel.speedup = figure_of(kernel.candidate_hash, kernel.speedup);
    std::sort(ranked->begin(), ranked->end(), [](const RankedKernel& a, const RankedKernel& b) {
      return std::pair(-a.speedup, a.candidate_hash) < std::pair(-b.speedup, b.candidate_hash);
    });
  }
  if (ranked->size() > kRankingDepth) ranked->resize(kRankingDepth);
  std::vector<SurvivorRecord> verified;
  for (RankedKernel& kernel : *ranked) {
    Result<CandidateRecord> candidate = env_.archive.candidate(kernel.candidate);
    if (!candidate) return failure(candidate.error());
    verified.push_back({std::move(kernel), std::move(candidate->source)});
  }
  return verified;
}

/// What the search knew when the round began.
Result<RoundContext> OperatorSearch::context(const RoundRecord& round) {
  RoundContext context;
  context.op = &op_;
  context.workload = workload_;
  context.device = env_.device;
  context.limits.num_sms = env_.device.num_sms;
  context.round = round.number;
  context.seed = derive_seed(static_cast<std::uint64_t>(env_.job.seed),
                             fmt::format("{} {} round {}", op_.name, workload_, round.number));
  context.champion_hash = champion_.hash;
  context.yardstick = yardstick_;
  add_times(context);
  const auto ranked = verified_before(round);
  if (!ranked) return failure(ranked.error());
  std::vector<Survivor> verified;
  for (const SurvivorRecord& record : *ranked) {
    const RankedKernel& kernel = record.kernel;
    ids_[kernel.candidate_hash] = kernel.candidate;
    Survivor survivor{kernel.candidate_hash, kernel.idea_key, record.source, kernel.tunables, kernel.speedup};
    survivor.us = scaled_us(kernel.speedup);
    verified.push_back(std::move(survivor));
  }
  context.survivors = select_survivors(verified, static_cast<std::size_t>(env_.job.policy.survivors));
  for (Survivor& survivor : context.survivors) {
    for (const Survivor& other : verified) {
      if (other.source == survivor.source && other.candidate_hash != survivor.candidate_hash)
        survivor.tunings.push_back({other.tunables, other.us});
    }
  }
  if (!deterministic()) {  // all measured
    if (const auto told = add_profiles(context); !told) return failure(told.error());
    if (const auto told = add_inspirations(context); !told) return failure(told.error());
  }
  const auto ledger = env_.archive.ledger(op_id_, env_.job_id);
  if (!ledger) return failure(ledger.error());
  context.ledger = by_idea(*ledger, workload_, round.id);
  for (LedgerEntry& entry : context.ledger) {
    // A whole idea has no hash; what it gained is told to models only.
    if (deterministic() && entry.passed > 0) entry.best_speedup = figure_of(sha256_hex(entry.idea_text), 1);
    entry.best_us = scaled_us(entry.best_speedup);
  }
  auto tried = env_.archive.tried(op_id_, workload_, env_.device_id, round.id);
  if (!tried) return failure(tried.error());
  context.tried = std::move(*tried);
  return visible_to(env_.job.policy.kind, std::move(context));
}

/// Times to beat, and limits; of a deterministic job only what figures stand for.
void OperatorSearch::add_times(RoundContext& context) const {
  if (deterministic()) {
    context.champion_us = scaled_us(champion_.figure);
    context.naive_us = scaled_us(naive_.figure);
    return;
  }
  context.champion_us = champion_.id == naive_.id ? naive_.median_us : scaled_us(champion_.figure);
  context.floor_us = floor_us_;
  if (const Workload* workload = op_.workload(workload_);
      workload != nullptr && env_.device.memory_bytes_per_us > 0) {
    const auto bytes = static_cast<double>(op_.bytes.evaluate(workload->axes).value_or(0));
    context.memory_us = bytes / env_.device.memory_bytes_per_us;
  }
  context.naive_us = naive_.median_us;
  context.eager_us = eager_us_;
  context.compile_us = scaled_us(compile_speedup_);
}

/// What counters said of the kernels that the next round may build on, where they were ever read.
Result<void> OperatorSearch::add_profiles(RoundContext& context) {
  const auto look_up = [&](const std::string& hash, std::optional<Profile>& profile) -> Result<void> {
    auto found = env_.archive.profile(hash, op_id_, workload_, env_.device_id);
    if (!found) return failure(found.error());
    profile = std::move(*found);
    return {};
  };
  for (Survivor& survivor : context.survivors) {
    if (const auto told = look_up(survivor.candidate_hash, survivor.profile); !told) return told;
  }
  return look_up(champion_.hash, context.champion_profile);
}

/// What won elsewhere on this device may win here: the best kernels of a few other operators, kindred ones
/// first, else drawn by lot.
Result<void> OperatorSearch::add_inspirations(RoundContext& context) {
  Result<std::vector<std::string>> names = env_.archive.operator_names();
  if (!names) return failure(names.error());
  Random random(derive_seed(context.seed, "inspirations"));
  random.shuffle(*names);
  std::vector<Inspiration> all;
  for (const std::string& name : *names) {
    if (name == op_.name) continue;
    RankingQuery query;
    query.operator_name = name;
    query.device = env_.device.key();
    const auto best = env_.archive.survivors(query);
    if (!best) return failure(best.error());
    if (best->empty() || best->front().kernel.speedup < kInspiring) continue;
    const auto& [kernel, source] = best->front();
    Inspiration other{name, kernel.idea_text, source, kernel.tunables, kernel.speedup};
    const auto profile =
        env_.archive.profile(kernel.candidate_hash, kernel.op, kernel.workload, kernel.device);
    if (!profile) return failure(profile.error());
    other.regime = regime_of(*profile, Regime::unknown);
    if (const auto known = find_operator(name))
      other.operations_per_byte = operations_at(*known, kernel.workload);
    all.push_back(std::move(other));
  }
  context.inspirations =
      kindred_first(std::move(all), regime_of(context.champion_profile, infer_regime(context)),
                    operations_at(op_, workload_), kInspirations);
  return {};
}

/// The playbook's share, ideas with their candidates. Inside the caller's transaction.
Result<std::vector<std::string>> OperatorSearch::propose_from_playbook(const RoundRecord& round,
                                                                       RoundContext& known, int count) {
  const Result<std::vector<Idea>> ideas = env_.ideas.playbook.propose(known, count);
  if (!ideas) return failure(ideas.error());
  std::vector<std::string> texts;
  for (const Idea& idea : *ideas) {
    const auto implementations =
        env_.ideas.playbook.implement(idea, known, env_.job.policy.implementations_per_idea);
    if (!implementations) return failure(implementations.error());
    std::vector<NewCandidate> candidates;
    for (const Implementation& implementation : *implementations) {
      if (!known.tried.insert(candidate_hash(implementation.source, implementation.tunables))) continue;
      NewCandidate candidate{implementation.source, implementation.tunables, {}};
      for (const Parent& parent : implementation.parents) {
        const auto id = ids_.find(parent.candidate_hash);
        if (id != ids_.end()) candidate.parents.push_back({id->second, parent.relation});
      }
      candidates.push_back(std::move(candidate));
    }
    if (candidates.empty()) continue;
    const Result<IdeaId> id = env_.archive.add_idea({op_id_, round.id, idea.source, idea.key, idea.text});
    if (!id) return failure(id.error());
    if (const auto added = env_.archive.add_candidates(*id, candidates); !added)
      return failure(added.error());
    texts.push_back(idea.text);
  }
  return texts;
}

/// Every source's share of the round's ideas, into the archive in one transaction: a run that is killed here
/// finds either no idea of this round or all of them. Models are asked first; what they replied is archived
/// by then.
asio::awaitable<Result<void>> OperatorSearch::propose(const RoundRecord& round, RoundContext& known) {
  IdeaSources& sources = env_.ideas;
  std::vector<double> weights = {sources.playbook_weight};
  for (const ModelSource& source : sources.models)
    weights.push_back(source.out_of_use.empty() ? source.weight : 0);
  const std::vector<int> shares = apportion(env_.job.policy.ideas_per_round, weights, round.number);
  std::vector<ModelIdea> from_models;
  std::vector<std::string> siblings;
  for (std::size_t i = 0; i < sources.models.size(); ++i) {
    if (shares[i + 1] == 0) continue;
    auto ideas = co_await ideas_of(sources.models[i], i, round, known, shares[i + 1], siblings);
    if (!ideas) co_return failure(ideas.error());
    from_models.insert(from_models.end(), ideas->begin(), ideas->end());
  }
  if (!env_.may_evaluate()) co_return Result<void>{};
  Result<Transaction> transaction = env_.archive.begin();
  if (!transaction) co_return failure(transaction.error());
  // What models left of their share is the playbook's.
  const int missing = env_.job.policy.ideas_per_round - static_cast<int>(from_models.size());
  std::vector<std::string> texts;
  if (sources.playbook_weight > 0) {
    auto proposed = propose_from_playbook(round, known, std::max(shares[0], missing));
    if (!proposed) co_return failure(proposed.error());
    texts = std::move(*proposed);
  }
  for (const ModelIdea& idea : from_models) {
    if (const auto added = env_.archive.add_idea(idea.row); !added) co_return failure(added.error());
    texts.push_back(idea.row.text);
  }
  if (const auto committed = transaction->commit(); !committed) co_return failure(committed.error());
  env_.observer.round_started(label_, round.number, texts);
  co_return Result<void>{};
}

/// Candidates of the playbook are judged while models write theirs.
asio::awaitable<Result<std::vector<OperatorSearch::Judged>>> OperatorSearch::work(const RoundRecord& round,
                                                                                  const RoundContext& known) {
  const auto candidates = env_.archive.candidates(round.id);
  if (!candidates) co_return failure(candidates.error());
  const auto ideas = env_.archive.ideas(round.id);
  if (!ideas) co_return failure(ideas.error());
  std::vector<Judged> judged;
  TaskGroup tasks(env_.io);
  for (const CandidateRecord& candidate : *candidates) {
    if (!candidate.exchange) tasks.spawn(judge_into(candidate, round.number, judged));
  }
  int ordinal = 0;
  for (const IdeaRecord& idea : *ideas) {
    if (!idea.exchange) continue;
    ++ordinal;  // among the models' ideas: what was recorded answers whatever the playbook's share is
    std::vector<std::string> parents;
    for (const CandidateId parent : idea.parents) {
      auto key = env_.archive.idea_key(parent);
      if (!key) co_return failure(key.error());
      parents.push_back(std::move(*key));
    }
    for (ModelSource& source : env_.ideas.models) {
      if (source.name != idea.source) continue;
      const int ways = env_.job.policy.implementations_per_idea;
      for (int way = 1; way <= ways; ++way) {
        tasks.spawn(pursue(std::make_shared<Pursuit>(
            Pursuit{source, round, known, judged, idea, as_idea(idea, parents), ordinal, way})));
      }
    }
  }
  const Result<void> done = co_await tasks.wait();
  if (!done) co_return failure(done.error());
  co_return std::move(judged);
}

asio::awaitable<Result<void>> OperatorSearch::round() {
  const Result<RoundRecord> round = env_.archive.begin_round(env_.job_id, op_id_, workload_);
  if (!round) co_return failure(round.error());
  Result<RoundContext> known = context(*round);
  if (!known) co_return failure(known.error());
  const auto present = env_.archive.ideas(round->id);
  if (!present) co_return failure(present.error());
  if (present->empty()) {
    if (const auto proposed = co_await propose(*round, *known); !proposed)
      co_return failure(proposed.error());
    if (!env_.may_evaluate()) co_return Result<void>{};
    const auto ideas = env_.archive.ideas(round->id);
    if (!ideas) co_return failure(ideas.error());
    if (ideas->empty()) {
      stop_reason_ = kNothingLeft;
      note_stop();
      co_return env_.archive.finish_round(round->id);
    }
  }
  Result<std::vector<Judged>> judged = co_await work(*round, *known);
  // What the workers could not judge (they were killed again and again) is gone over once more from the rows:
  // a finished round is not come back to.
  for (int pass = 1; pass < kPasses && judged && env_.may_evaluate(); ++pass) {
    const auto unfinished = env_.archive.unfinished_candidates(round->id);
    if (!unfinished) co_return failure(unfinished.error());
    if (unfinished->empty()) break;
    judged = co_await work(*round, *known);
  }
  if (!judged) co_return failure(judged.error());
  if (!env_.may_evaluate()) co_return Result<void>{};  // the round stays open: the next run goes on with it
  const Result<bool> promoted = co_await promote_best(std::move(*judged), *round);
  if (!promoted) co_return failure(promoted.error());
  if (!*promoted) co_return Result<void>{};
  if (const auto finished = env_.archive.finish_round(round->id); !finished)
    co_return failure(finished.error());
  last_round_ = round->number;
  ++rounds_done_;
  best_us_.push_back(plateau_us(champion_));
  note_stop();
  co_return Result<void>{};
}

}  // namespace kevolve
