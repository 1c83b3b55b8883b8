#include "daemon/engine/judging/search_state.hpp"

#include <fmt/format.h>

#include "core/model/common_scale.hpp"

namespace kevolve::engine {
namespace {

/// Why a search has no winner, for its summary.
std::string nothing_won(const search::Standing& standing) {
  std::vector<std::string> parts;
  for (const auto& [outcome, count] : standing.counts.outcomes)
    parts.push_back(fmt::format("{} {}", count, outcome));
  return fmt::format("nothing beat the naive kernel: {} of {} candidates were verified ({}){}{}",
                     standing.counts.passed, standing.counts.judged, fmt::join(parts, ", "),
                     standing.stop_reason.empty() ? "" : "; ", standing.stop_reason);
}

}  // namespace

std::string Problem::label() const {
  return workload == "small" ? op.name : op.name + "/" + workload;
}

archive::ResultKey Problem::key() const {
  return {op_id, workload, device_id, op.precision};
}

archive::RankingQuery Problem::ranking(int top) const {
  archive::RankingQuery query;
  query.operator_name = op.name;
  query.op = op_id;
  query.workload = workload;
  query.device = device.key();
  query.precision = op.precision;
  query.yardstick = yardstick();
  query.top = top;
  return query;
}

OperatorSummary SearchState::summary() const {
  const search::Champion& champion = standing.champion;
  OperatorSummary summary;
  summary.name = problem.op.name;
  summary.workload = problem.workload;
  summary.label = problem.label();
  summary.yardstick = problem.yardstick();
  const ComparedTimes times = on_common_scale(
      {standing.naive.median_us, standing.times.eager_us, standing.times.compile_us, champion.median_us},
      problem.yardstick(), champion.speedup, standing.naive.speedup, standing.times.compile_speedup);
  summary.naive_us = times.naive_us;
  summary.eager_us = times.eager_us;
  summary.compile_us = times.compile_us;
  summary.best_us = times.best_us;
  summary.floor_us = standing.times.floor_us;
  summary.speedup = champion.speedup;
  summary.speedup_low = champion.speedup_low;
  summary.idea_key = champion.idea_key;
  summary.idea = champion.idea;
  summary.tunables = champion.tunables;
  summary.candidate_hash = champion.hash;
  summary.round = champion.round;
  summary.rounds = standing.last_round;
  summary.evaluations = standing.counts.judged;
  summary.passed = standing.counts.passed;
  summary.note =
      standing.naive_leads() && standing.counts.judged > 0 ? nothing_won(standing) : standing.stop_reason;
  return summary;
}

double median_us_of(const Evaluation& evaluation, std::string_view subject) {
  const Measurement* measurement = evaluation.measurement(subject);
  return measurement == nullptr ? 0 : measurement->median_us;
}

}  // namespace kevolve::engine
