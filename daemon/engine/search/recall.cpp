#include "daemon/engine/search/recall.hpp"

#include <algorithm>

#include "core/model/candidate.hpp"
#include "core/model/subjects.hpp"

namespace kevolve::engine {
namespace {

using namespace subjects;

/// How many times as fast as the yardstick torch.compile was in that evaluation; 0 when it was not timed.
/// Where the yardstick is the candidate itself (the naive kernel), it is not measured apart.
double compile_speedup_of(const Evaluation& evaluation, const std::string& yardstick) {
  const double compile_us = median_us_of(evaluation, kCompile);
  const double yardstick_us = median_us_of(evaluation, yardstick);
  if (compile_us <= 0) return 0;
  return (yardstick_us > 0 ? yardstick_us : median_us_of(evaluation, kCandidate)) / compile_us;
}

Result<search::Champion> champion_of(archive::Archive& archive, const search::Scale& scale,
                                     const archive::ChampionRecord& row) {
  TRY(const archive::CandidateDetail detail, archive.detail(row.candidate));
  TRY(const archive::EvaluationRecord record, archive.evaluation(row.evaluation));
  search::Champion champion;
  champion.id = detail.candidate.id;
  champion.hash = detail.candidate.hash;
  champion.source = detail.candidate.source;
  champion.idea_key = detail.idea.key;
  champion.idea = detail.idea.text;
  champion.tunables = detail.candidate.tunables;
  champion.median_us = median_us_of(record.evaluation, kCandidate);
  champion.speedup = record.evaluation.speedup;
  champion.speedup_low = record.evaluation.speedup_low;
  champion.since = row.promoted_at;
  champion.score = scale.score(champion.hash, champion.speedup);
  return champion;
}

Result<int> number_of(archive::Archive& archive, JobId job, RoundId id) {
  TRY(const std::vector<archive::RoundRecord> rounds, archive.rounds(job));
  for (const archive::RoundRecord& round : rounds) {
    if (round.id == id) return round.number;
  }
  return 0;  // of another job
}

/// The champions' times: before the series, and by the round of it that promoted each.
struct TimesOfChampions {
  double before_us = 0;
  std::map<RoundId, double> of_round;
};

Result<TimesOfChampions> times_of_champions(const SearchState& search, const search::Standing& standing,
                                            const std::vector<archive::RoundRecord>& series) {
  TRY(const std::vector<archive::ChampionRecord> promoted, search.archive.champions(search.problem.key()));
  TimesOfChampions times{search::plateau_us(standing.scale, standing.naive), {}};
  for (const archive::ChampionRecord& row : promoted) {
    TRY(const search::Champion champion, champion_of(search.archive, standing.scale, row));
    const double us = search::plateau_us(standing.scale, champion);
    const bool in_series = std::any_of(series.begin(), series.end(), [&](const archive::RoundRecord& round) {
      return round.id == row.round;
    });
    if (in_series) {
      times.of_round.insert_or_assign(*row.round, us);
    } else if (times.of_round.empty()) {
      times.before_us = us;
    }
  }
  return times;
}

/// The rounds of an interrupted series, and the best time after each, from which a plateau is told.
Result<void> recall_rounds(const SearchState& search, search::Standing& standing) {
  const Problem& problem = search.problem;
  TRY(const std::vector<archive::RoundRecord> series,
      search.archive.rounds_of_present_series(search.run.job_id));
  TRY(const TimesOfChampions times, times_of_champions(search, standing, series));
  standing.best_us = {times.before_us};
  for (const archive::RoundRecord& round : series) {
    if (round.op != problem.op_id || round.workload != problem.workload) continue;
    standing.last_round = round.number;
    ++standing.rounds_done;
    const auto promoted = times.of_round.find(round.id);
    standing.best_us.push_back(promoted == times.of_round.end() ? standing.best_us.back() : promoted->second);
    TRY(const std::vector<archive::IdeaRecord> ideas, search.archive.ideas(round.id));
    if (ideas.empty()) standing.stop_reason = search::kNothingLeft;
  }
  return {};
}

}  // namespace

Result<void> recall_champion(const SearchState& search, search::Standing& standing) {
  TRY(const std::optional<archive::ChampionRecord> best, search.archive.champion(search.problem.key()));
  if (!best) return {};
  TRY(standing.champion, champion_of(search.archive, standing.scale, *best));
  if (best->round) {
    TRY(standing.champion.round, number_of(search.archive, search.run.job_id, *best->round));
  }
  // A tuned kernel is best described by the idea in its own header.
  if (const auto header =
          parse_candidate(standing.champion.source, search.problem.op, search.problem.op.name))
    standing.champion.idea = header->idea;
  TRY(const archive::EvaluationRecord record, search.archive.evaluation(best->evaluation));
  if (const double us = median_us_of(record.evaluation, kCompile); us > 0) {
    standing.times.compile_us = us;
    standing.times.compile_speedup = compile_speedup_of(record.evaluation, search.problem.yardstick());
  }
  return {};
}

Result<search::Standing> recall_standing(const SearchState& search, search::Champion naive,
                                         const Evaluation& evaluation) {
  const std::string yardstick = search.problem.yardstick();
  naive.median_us = median_us_of(evaluation, kCandidate);
  naive.speedup = evaluation.speedup;
  naive.speedup_low = evaluation.speedup_low;
  search::Standing standing;
  standing.times.eager_us = median_us_of(evaluation, kEager);
  standing.times.compile_us = median_us_of(evaluation, kCompile);
  standing.times.compile_speedup = compile_speedup_of(evaluation, yardstick);
  standing.times.floor_us = evaluation.floor_us;
  standing.scale =
      search.run.job.policy.deterministic
          ? search::Scale::drawn(search.job_seed(), naive.hash)
          : search::Scale::measured(yardstick == kNaive ? naive.median_us : standing.times.eager_us);
  naive.score = standing.scale.score(naive.hash, naive.speedup);
  standing.naive = naive;
  standing.champion = std::move(naive);
  TRY_DO(recall_champion(search, standing));
  TRY_DO(recall_rounds(search, standing));
  return standing;
}

}  // namespace kevolve::engine
