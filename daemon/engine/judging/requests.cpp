#include "daemon/engine/judging/requests.hpp"

#include "core/model/subjects.hpp"

namespace kevolve::engine {

using namespace subjects;

EvaluateRequest first_request(const SearchState& search, const archive::CandidateRecord& candidate) {
  const Problem& problem = search.problem;
  const search::Champion &naive = search.standing.naive, &champion = search.standing.champion;
  const std::string yardstick = problem.yardstick();
  EvaluateRequest request;
  request.device = problem.device.name;
  request.operator_document = problem.op.document;
  request.workload = problem.workload;
  request.source = candidate.source;
  request.tunables = candidate.tunables;
  request.timing = search.run.job.timing;
  const bool to_improve = candidate.exchange && search.run.job.policy.improve_turns > 0;
  if (to_improve && problem.device.traits().has_counters) request.last_gate = Gate::profile;
  const bool is_naive = candidate.id == naive.id;
  request.yardstick = yardstick == kNaive && is_naive ? "" : yardstick;
  request.baselines.clear();
  if (yardstick == kEager) request.baselines.emplace_back(kEager);
  if (yardstick == kNaive && !is_naive)
    request.compare_with.push_back({std::string(kNaive), naive.source, naive.tunables});
  if (!search.standing.naive_leads() && candidate.id != champion.id)
    request.compare_with.push_back({std::string(kIncumbent), champion.source, champion.tunables});
  return request;
}

EvaluateRequest seed_request(const SearchState& search, const archive::CandidateRecord& naive) {
  EvaluateRequest request = first_request(search, naive);
  request.baselines = {std::string(kEager), std::string(kCompile)};
  return request;
}

EvaluateRequest retiming_request(const SearchState& search, const archive::CandidateRecord& contender,
                                 bool last) {
  EvaluateRequest request = first_request(search, contender);
  request.fresh_draws = true;
  if (last && search.problem.device.traits().has_counters) request.last_gate = Gate::profile;
  request.baselines.emplace_back(kCompile);
  return request;
}

std::optional<EvaluateRequest> race_request(const SearchState& search,
                                            const archive::CandidateRecord& contender) {
  const Problem& problem = search.problem;
  if (problem.device.traits().shows_races || problem.op.workload("small") == nullptr) return std::nullopt;
  EvaluateRequest request = first_request(search, contender);
  request.device = kCpuDevice;
  request.workload = "small";
  request.compare_with.clear();
  request.baselines.clear();
  request.yardstick.clear();
  request.last_gate = Gate::correctness;
  return request;
}

}  // namespace kevolve::engine
