#pragma once
// ModelSource: a model behind a backend (or a person, or a recording) as a source of ideas. It is asked for
// ideas in English first; a Pursuit then leads each of them through code, corrections and improvements.
// Belongs to the engine's thread.

#include <memory>

#include "daemon/engine/ideas/exchanges.hpp"
#include "daemon/engine/ideas/idea_source.hpp"
#include "llm_client/prompts/messages.hpp"
#include "llm_client/replies/reply_parser.hpp"

namespace kevolve::engine {

class ModelSource final : public IdeaSource {
 public:
  /// `number`: its place among the job's models, from 1.
  ModelSource(Correspondent model, double weight, int number, std::shared_ptr<const llm::PromptSet> prompts);

  [[nodiscard]] std::string out_of_use() const override { return model_.out_of_use; }
  boost::asio::awaitable<Result<std::vector<Proposal>>> propose(RoundScope& scope, int count,
                                                                std::vector<std::string>& siblings) override;
  boost::asio::awaitable<Result<std::vector<Judged>>> carry_out(
      RoundScope& scope, const archive::IdeaRecord& idea,
      const std::vector<archive::IdeaRecord>& ideas) override;
  void stop(Stop how) override;

 private:
  [[nodiscard]] std::string slot_of_ideas(int turn) const;
  [[nodiscard]] Proposal proposal_of(const search::Idea& idea, ExchangeId exchange,
                                     const RoundScope& scope) const;

  Correspondent model_;
  const int number_;
  const std::shared_ptr<const llm::PromptSet> prompts_;
};

/// A question at a slot of this round; its seed follows from the job's and the slot.
llm::Question question_of(const RoundScope& scope, std::string slot, std::vector<llm::Message> messages);

/// An archived idea as its source proposed it; `parents`: keys of the ideas it builds on.
search::Idea as_idea(const archive::IdeaRecord& row, std::vector<std::string> parents);

/// A name for an idea that has none: its first telling words and four digits of its hash,
/// "split-each-row-over-3fa2".
std::string idea_key(std::string_view text);

}  // namespace kevolve::engine
