#include "daemon/engine/ideas/playbook_source.hpp"

namespace kevolve::engine {
namespace asio = boost::asio;

asio::awaitable<Result<std::vector<Proposal>>> PlaybookSource::propose(RoundScope& scope, int count,
                                                                       std::vector<std::string>& siblings) {
  CO_TRY(const std::vector<search::Idea> ideas, playbook_.propose(scope.known, count));
  std::vector<Proposal> proposals;
  for (const search::Idea& idea : ideas) {
    CO_TRY(std::vector<archive::NewCandidate> candidates, candidates_of(idea, scope));
    if (candidates.empty()) continue;
    const archive::NewIdea row{scope.search.problem.op_id, scope.round.id, idea.source, idea.key, idea.text};
    proposals.push_back({row, std::move(candidates)});
    siblings.push_back(idea.text);
  }
  co_return std::move(proposals);
}

/// None that the round, or an earlier one, tries already.
Result<std::vector<archive::NewCandidate>> PlaybookSource::candidates_of(const search::Idea& idea,
                                                                         RoundScope& scope) {
  const int wanted = scope.search.run.job.policy.implementations_per_idea;
  TRY(const std::vector<search::Implementation> implementations,
      playbook_.implement(idea, scope.known, wanted));
  std::vector<archive::NewCandidate> candidates;
  for (const search::Implementation& implementation : implementations) {
    const std::string hash = candidate_hash(implementation.source, implementation.tunables);
    if (!scope.known.tried.insert(hash)) continue;
    archive::NewCandidate candidate{implementation.source, implementation.tunables, {}};
    for (const search::Parent& parent : implementation.parents) {
      const auto id = scope.known_ids.find(parent.candidate_hash);
      if (id != scope.known_ids.end()) candidate.parents.push_back({id->second, parent.relation});
    }
    candidates.push_back(std::move(candidate));
  }
  return candidates;
}

/// Its files are read when a round needs them.
Result<void> check_playbook(const JobIdeaSource& /*settings*/, const Opening& /*opening*/) {
  return {};
}

OpenedSource open_playbook(const JobIdeaSource& settings, Opening& /*opening*/) {
  return std::make_unique<PlaybookSource>(settings.weight);
}

}  // namespace kevolve::engine
