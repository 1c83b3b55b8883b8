#include "daemon/engine/search/round_context.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <set>

#include "core/search/inspiration.hpp"
#include "core/search/random.hpp"
#include "core/search/regime.hpp"
#include "core/search/selection.hpp"
#include "core/text/sha256.hpp"

namespace kevolve::engine {
namespace {

/// Verified kernels that survivors are selected from.
constexpr int kRankingDepth = 64;
/// Other operators' kernels that a model is shown, and how much faster than the yardstick they must be.
constexpr std::size_t kInspirations = 2;
constexpr double kInspiring = 1.5;

/// 0 when the operator has no such workload.
double operations_at(const Operator& op, const std::string& workload) {
  const Workload* found = op.workload(workload);
  return found == nullptr ? 0 : search::operations_per_byte(op, found->axes);
}

/// Puts kernels in the order of a scale that is not the archive's.
void rank_by(const search::Scale& scale, std::vector<archive::RankedKernel>& kernels) {
  for (archive::RankedKernel& kernel : kernels)
    kernel.speedup = scale.score(kernel.candidate_hash, kernel.speedup);
  std::sort(kernels.begin(), kernels.end(),
            [](const archive::RankedKernel& a, const archive::RankedKernel& b) {
              return std::pair(-a.speedup, a.candidate_hash) < std::pair(-b.speedup, b.candidate_hash);
            });
}

}  // namespace

Result<RoundKnowledge> RoundContextBuilder::build(const archive::RoundRecord& round) {
  const Problem& problem = search_.problem;
  RoundKnowledge known;
  search::RoundContext& context = known.context;
  context.op = &problem.op;
  context.workload = problem.workload;
  context.device = problem.device;
  context.limits.num_sms = problem.device.num_sms;
  context.round = round.number;
  context.seed = search::derive_seed(
      search_.job_seed(), fmt::format("{} {} round {}", problem.op.name, problem.workload, round.number));
  context.champion_hash = search_.standing.champion.hash;
  context.yardstick = problem.yardstick();
  add_times(context);
  TRY_DO(add_survivors(known, round));
  if (search_.standing.scale.is_measured()) {
    TRY_DO(add_profiles(context));
    TRY_DO(add_inspirations(context));
  }
  TRY_DO(add_ledger(context, round));
  TRY(context.tried, search_.archive.tried(problem.op_id, problem.workload, problem.device_id, round.id));
  context = search::visible_to(search_.run.job.policy.kind, std::move(context));
  return known;
}

/// Times to beat, and limits.
void RoundContextBuilder::add_times(search::RoundContext& context) const {
  const search::Standing& standing = search_.standing;
  const search::Scale& scale = standing.scale;
  const Problem& problem = search_.problem;
  context.naive_us = scale.own_us(standing.naive.median_us, standing.naive.score);
  context.champion_us = standing.naive_leads() ? context.naive_us : scale.us(standing.champion.score);
  context.eager_us = scale.told(standing.times.eager_us);
  context.compile_us = scale.told(scale.us(standing.times.compile_speedup));
  context.floor_us = scale.told(standing.times.floor_us);
  const Workload* workload = problem.op.workload(problem.workload);
  if (workload == nullptr || problem.device.memory_bytes_per_us <= 0) return;
  const auto bytes = static_cast<double>(problem.op.bytes.evaluate(workload->axes).value_or(0));
  context.memory_us = scale.told(bytes / problem.device.memory_bytes_per_us);
}

/// The fastest verified kernels, best first, as they were known when the round began: a resumed round makes
/// the choices that it would have made.
Result<std::vector<archive::SurvivorRecord>> RoundContextBuilder::verified_before(
    const archive::RoundRecord& round) {
  const search::Scale& scale = search_.standing.scale;
  TRY(const std::vector<archive::CandidateRecord> own, search_.archive.candidates(round.id));
  std::set<CandidateId> of_round;
  for (const archive::CandidateRecord& candidate : own) of_round.insert(candidate.id);
  const int depth = scale.is_measured() ? kRankingDepth + static_cast<int>(of_round.size())
                                        : std::numeric_limits<int>::max();
  TRY(std::vector<archive::RankedKernel> ranked, search_.archive.best(search_.problem.ranking(depth)));
  std::erase_if(ranked,
                [&](const archive::RankedKernel& kernel) { return of_round.contains(kernel.candidate); });
  if (!scale.is_measured()) rank_by(scale, ranked);
  if (ranked.size() > kRankingDepth) ranked.resize(kRankingDepth);
  std::vector<archive::SurvivorRecord> verified;
  for (archive::RankedKernel& kernel : ranked) {
    TRY(archive::CandidateRecord candidate, search_.archive.candidate(kernel.candidate));
    verified.push_back({std::move(kernel), std::move(candidate.source)});
  }
  return verified;
}

Result<void> RoundContextBuilder::add_survivors(RoundKnowledge& known, const archive::RoundRecord& round) {
  TRY(const std::vector<archive::SurvivorRecord> rows, verified_before(round));
  std::vector<search::Survivor> verified;
  for (const auto& [kernel, source] : rows) {
    known.ids[kernel.candidate_hash] = kernel.candidate;
    search::Survivor survivor{kernel.candidate_hash, kernel.idea_key, source, kernel.tunables,
                              kernel.speedup};
    survivor.us = search_.standing.scale.us(kernel.speedup);
    verified.push_back(std::move(survivor));
  }
  std::vector<search::Survivor>& survivors = known.context.survivors;
  survivors = search::select_survivors(verified, static_cast<std::size_t>(search_.run.job.policy.survivors));
  for (search::Survivor& survivor : survivors) {
    for (const search::Survivor& other : verified) {
      if (other.source == survivor.source && other.candidate_hash != survivor.candidate_hash)
        survivor.tunings.push_back({other.tunables, other.us});
    }
  }
  return {};
}

/// What counters said of the kernels that the round may build on, where they were ever read.
Result<void> RoundContextBuilder::add_profiles(search::RoundContext& context) {
  const Problem& problem = search_.problem;
  const auto profile_of = [&](const std::string& hash) {
    return search_.archive.profile(hash, problem.op_id, problem.workload, problem.device_id);
  };
  for (search::Survivor& survivor : context.survivors) {
    TRY(survivor.profile, profile_of(survivor.candidate_hash));
  }
  TRY(context.champion_profile, profile_of(search_.standing.champion.hash));
  return {};
}

/// What won elsewhere on this device may win here: the best kernels of a few other operators, kindred ones
/// first, otherwise drawn by lot.
Result<void> RoundContextBuilder::add_inspirations(search::RoundContext& context) {
  TRY(std::vector<std::string> names, search_.archive.operator_names());
  search::Random random(search::derive_seed(context.seed, "inspirations"));
  random.shuffle(names);
  std::vector<search::Inspiration> all;
  for (const std::string& name : names) {
    if (name == search_.problem.op.name) continue;
    TRY(std::optional<search::Inspiration> other, inspiration_of(name));
    if (other) all.push_back(std::move(*other));
  }
  const Regime regime = search::regime_of(context.champion_profile, search::infer_regime(context));
  context.inspirations = search::kindred_first(
      std::move(all), regime, operations_at(search_.problem.op, search_.problem.workload), kInspirations);
  return {};
}

/// The best kernel of another operator on this device; nothing when it is not fast enough.
Result<std::optional<search::Inspiration>> RoundContextBuilder::inspiration_of(
    const std::string& operator_name) {
  archive::RankingQuery query;
  query.operator_name = operator_name;
  query.device = search_.problem.device.key();
  TRY(const std::vector<archive::SurvivorRecord> best, search_.archive.survivors(query));
  if (best.empty() || best.front().kernel.speedup < kInspiring) return std::nullopt;
  const auto& [kernel, source] = best.front();
  search::Inspiration other{operator_name, kernel.idea_text, source, kernel.tunables, kernel.speedup};
  TRY(const std::optional<Profile> profile,
      search_.archive.profile(kernel.candidate_hash, kernel.op, kernel.workload, kernel.device));
  other.regime = search::regime_of(profile, Regime::unknown);
  if (const auto known = find_operator_(operator_name))
    other.operations_per_byte = operations_at(*known, kernel.workload);
  return other;
}

Result<void> RoundContextBuilder::add_ledger(search::RoundContext& context,
                                             const archive::RoundRecord& round) {
  const search::Scale& scale = search_.standing.scale;
  TRY(const std::vector<archive::LedgerRecord> rows,
      search_.archive.ledger(search_.problem.op_id, search_.run.job_id));
  context.ledger = by_idea(rows, search_.problem.workload, round.id);
  for (search::LedgerEntry& entry : context.ledger) {
    // An idea as a whole has no candidate hash: its text stands for it.
    if (entry.passed > 0) entry.best_speedup = scale.score(sha256_hex(entry.idea_text), entry.best_speedup);
    entry.best_us = scale.us(entry.best_speedup);
  }
  return {};
}

std::vector<search::LedgerEntry> by_idea(const std::vector<archive::LedgerRecord>& rows,
                                         const std::string& workload, RoundId except) {
  std::vector<search::LedgerEntry> ledger;
  std::map<std::string, std::size_t> places;
  for (const archive::LedgerRecord& row : rows) {
    if (row.workload != workload || row.round == except) continue;
    const auto [place, fresh] = places.emplace(row.key, ledger.size());
    if (fresh) ledger.emplace_back();
    search::LedgerEntry& entry = ledger[place->second];
    entry.idea_key = row.key;
    entry.idea_text = row.text;
    entry.attempts += row.attempts;
    entry.passed += row.passed;
    entry.best_speedup = std::max(entry.best_speedup, row.best_speedup);
    if (row.predicted_us) entry.predicted_us = row.predicted_us;
    if (!row.last_failure.empty()) entry.evidence = row.last_failure;
    for (const auto& [outcome, count] : row.outcomes) entry.outcomes[outcome] += count;
  }
  for (search::LedgerEntry& entry : ledger) {
    if (entry.passed > 0) entry.evidence.clear();
  }
  return ledger;
}

}  // namespace kevolve::engine
