#pragma once
// Pursuit: one way of carrying out one idea of a model's, through all its turns:
//
//   make_right()   code → verdict → correction → verdict → … until it passes
//   tune()         other tunables of the same code, without the model
//   make_faster()  improvement → verdict → tune() → … until one is no faster
//
// All of it can be repeated from the archive: replies are found by their slots, candidates by their hash,
// verdicts by their candidate. Belongs to the engine's thread.

#include "daemon/engine/ideas/exchanges.hpp"
#include "daemon/engine/ideas/idea_source.hpp"
#include "llm_client/prompts/messages.hpp"

namespace kevolve::engine {

/// Both from 1: the idea among those of models in its round, and the way of carrying it out.
struct WayOfIdea {
  int ordinal = 1, way = 1;
};

class Pursuit {
 public:
  /// All references must outlive run().
  Pursuit(Correspondent& model, const llm::PromptSet& prompts, RoundScope& scope, IdeaId idea_id,
          const search::Idea& idea, WayOfIdea way);

  boost::asio::awaitable<Result<void>> run();
  /// All of its candidates that got a verdict.
  [[nodiscard]] std::vector<Judged>& judged() { return judged_; }

 private:
  /// What the next turn is about.
  struct Version {
    llm::CandidateAttempt attempt = {};
    std::optional<CandidateId> candidate = {};  ///< where it became one
    std::optional<ExchangeId> exchange = {};    ///< that wrote it
  };

  boost::asio::awaitable<Result<bool>> make_right();
  boost::asio::awaitable<Result<void>> make_faster();
  boost::asio::awaitable<Result<bool>> improve_once(int turn, int turns);
  boost::asio::awaitable<Result<void>> tune();
  boost::asio::awaitable<Result<std::optional<ModelAnswer>>> ask(std::string slot,
                                                                 std::vector<llm::Message> messages);
  boost::asio::awaitable<Result<bool>> attempt(const ModelAnswer& answer, Relation relation);
  boost::asio::awaitable<Result<std::optional<llm::CandidateAttempt>>> attempt_source(
      std::string source, std::vector<archive::ParentRecord> parents);
  boost::asio::awaitable<Result<const Judged*>> judge(archive::NewCandidate candidate);
  [[nodiscard]] std::vector<archive::ParentRecord> parents_of_next(Relation relation) const;
  Result<archive::CandidateRecord> enter(const archive::NewCandidate& candidate);
  /// A verified candidate's time, on the scale of the round; 0 when it did not pass.
  [[nodiscard]] double us(const Judged& judged) const;

  Correspondent& model_;
  const llm::PromptSet& prompts_;
  RoundScope& scope_;
  const IdeaId idea_id_;
  const search::Idea& idea_;
  const int way_;
  const std::string slot_;  ///< of the first question: "idea-2/way-1"
  Version latest_;
  std::vector<Judged> judged_;
};

}  // namespace kevolve::engine
