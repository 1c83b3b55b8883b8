#include "daemon/answers/report.hpp"

#include <map>

#include "core/model/common_scale.hpp"

namespace kevolve::answers {
namespace {

template <class T>
Json list_json(const std::vector<T>& records) {
  Json list = Json::array();
  for (const T& record : records) list.push_back(to_json(record));
  return list;
}

}  // namespace

Result<std::optional<JobReport>> answer_report(archive::Archive& archive, const std::string& name) {
  const auto job = archive.job(name);
  if (!job) return failure(job.error());
  if (!*job) return std::optional<JobReport>();
  JobReport report;
  report.job = **job;
  const auto funnel = archive.funnel(report.job.id);
  if (!funnel) return failure(funnel.error());
  const auto rounds = archive.round_bests(report.job.id);
  if (!rounds) return failure(rounds.error());
  const auto champions = archive.job_champions(report.job.id);
  if (!champions) return failure(champions.error());
  const auto costs = archive.costs(report.job.id);
  if (!costs) return failure(costs.error());
  report.funnel = *funnel;
  report.rounds = *rounds;
  put_on_common_scale(report.rounds);
  report.champions = *champions;
  report.costs = *costs;
  return std::optional<JobReport>(std::move(report));
}

void put_on_common_scale(std::vector<archive::RoundBest>& rounds) {
  std::map<std::pair<std::string, std::string>, const archive::RoundBest*>
      fastest;  // by operator and workload
  for (const archive::RoundBest& best : rounds) {
    const archive::RoundBest*& known = fastest[{best.operator_name, best.round.workload}];
    if (known == nullptr || best.speedup > known->speedup) known = &best;
  }
  std::map<std::pair<std::string, std::string>, CommonScale> scales;
  for (const auto& [place, best] : fastest) scales[place] = CommonScale::of(best->median_us, best->speedup);
  for (archive::RoundBest& best : rounds)
    best.median_us = scales[{best.operator_name, best.round.workload}].us(best.speedup);
}

Json to_json(const JobReport& report) {
  return {{"job", report.job.name},
          {"state", name(report.job.state)},
          {"funnel", to_json(report.funnel)},
          {"champions", list_json(report.champions)},
          {"rounds", list_json(report.rounds)},
          {"costs", list_json(report.costs)}};
}

}  // namespace kevolve::answers
