#pragma once
// PlaybookSource: the operator's own playbook as a source of ideas (core/search/playbook.hpp). It needs no
// network; its ideas come with their candidates. Belongs to the engine's thread.

#include "core/search/playbook.hpp"
#include "daemon/engine/ideas/opening.hpp"

namespace kevolve::engine {

class PlaybookSource final : public IdeaSource {
 public:
  explicit PlaybookSource(double weight) : IdeaSource("playbook", weight) {}

  [[nodiscard]] bool fills_up() const override { return true; }
  boost::asio::awaitable<Result<std::vector<Proposal>>> propose(RoundScope& scope, int count,
                                                                std::vector<std::string>& siblings) override;

 private:
  Result<std::vector<archive::NewCandidate>> candidates_of(const search::Idea& idea, RoundScope& scope);

  search::Playbook playbook_;
};

Result<void> check_playbook(const JobIdeaSource& settings, const Opening& opening);
OpenedSource open_playbook(const JobIdeaSource& settings, Opening& opening);

}  // namespace kevolve::engine
