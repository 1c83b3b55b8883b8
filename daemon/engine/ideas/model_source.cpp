#include "daemon/engine/ideas/model_source.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/this_coro.hpp>
#include <cctype>

#include "core/search/novelty.hpp"
#include "core/search/random.hpp"
#include "core/text/sha256.hpp"
#include "core/text/words.hpp"
#include "daemon/engine/ideas/pursuit.hpp"
#include "daemon/engine/workers/task_group.hpp"

namespace kevolve::engine {
namespace asio = boost::asio;
namespace {

/// Times that a model is asked for ideas in one round, when its first reply holds too few new ones.
constexpr int kIdeaTurns = 2;

/// The idea's number among those of models in its round, from 1. Ideas of other sources do not count, so that
/// a recording answers whatever the playbook's share is.
int ordinal_of(const archive::IdeaRecord& idea, const std::vector<archive::IdeaRecord>& ideas) {
  int ordinal = 0;
  for (const archive::IdeaRecord& other : ideas) {
    if (other.exchange) ++ordinal;
    if (other.id == idea.id) break;
  }
  return ordinal;
}

Result<std::vector<std::string>> keys_of(archive::Archive& archive,
                                         const std::vector<CandidateId>& candidates) {
  std::vector<std::string> keys;
  for (const CandidateId candidate : candidates) {
    TRY(std::string key, archive.idea_key(candidate));
    keys.push_back(std::move(key));
  }
  return keys;
}

/// Runs one pursuit and adds what it had judged to `all`.
asio::awaitable<Result<void>> pursue(Pursuit& pursuit, std::vector<Judged>& all) {
  CO_TRY_DO(co_await pursuit.run());
  std::move(pursuit.judged().begin(), pursuit.judged().end(), std::back_inserter(all));
  co_return Result<void>{};
}

}  // namespace

ModelSource::ModelSource(Correspondent model, double weight, int number,
                         std::shared_ptr<const llm::PromptSet> prompts)
    : IdeaSource(model.name, weight),
      model_(std::move(model)),
      number_(number),
      prompts_(std::move(prompts)) {}

/// Near-duplicates of what was tried, or was proposed already this round, are left out before anybody asks
/// for their code.
asio::awaitable<Result<std::vector<Proposal>>> ModelSource::propose(RoundScope& scope, int count,
                                                                    std::vector<std::string>& siblings) {
  std::vector<std::string> tried = siblings;
  for (const search::LedgerEntry& entry : scope.known.ledger) tried.push_back(entry.idea_text);
  std::vector<Proposal> proposals;
  for (int turn = 1; turn <= kIdeaTurns && static_cast<int>(proposals.size()) < count; ++turn) {
    const int wanted = count - static_cast<int>(proposals.size());
    llm::Question question = question_of(scope, slot_of_ideas(turn),
                                         llm::ideas_messages(*prompts_, scope.known, wanted, siblings));
    CO_TRY(
        const std::optional<ModelAnswer> answer,
        co_await scope.exchanges.ask(model_, scope.search.run.run_id, scope.round.id, std::move(question)));
    if (!answer) break;
    auto reply = llm::parse_ideas(answer->text, answer->finish, static_cast<std::size_t>(wanted) * 2);
    if (!reply) {
      scope.search.observer.warned(fmt::format("{} round {}: a reply of {} held no ideas: {}",
                                               scope.search.problem.label(), scope.round.number, name(),
                                               reply.error().message));
      continue;
    }
    for (const search::Idea& idea : reply->ideas) {
      if (static_cast<int>(proposals.size()) == count) break;
      if (search::near_duplicate(idea.text, tried)) continue;
      tried.push_back(idea.text);
      siblings.push_back(idea.text);
      proposals.push_back(proposal_of(idea, answer->exchange, scope));
    }
  }
  co_return std::move(proposals);
}

std::string ModelSource::slot_of_ideas(int turn) const {
  const std::string slot = turn == 1 ? "ideas" : fmt::format("ideas-{}", turn);
  return number_ == 1 ? slot : fmt::format("source-{}/{}", number_, slot);
}

Proposal ModelSource::proposal_of(const search::Idea& idea, ExchangeId exchange,
                                  const RoundScope& scope) const {
  archive::NewIdea row{scope.search.problem.op_id, scope.round.id, name(), idea_key(idea.text), idea.text};
  row.bottleneck = idea.bottleneck;
  row.predicted_us = idea.predicted_us;
  row.exchange = exchange;
  for (const std::string& parent : idea.parents) {
    for (const search::Survivor& survivor : scope.known.survivors) {
      if (survivor.idea_key == parent) row.parents.push_back(scope.known_ids.at(survivor.candidate_hash));
    }
  }
  return {std::move(row)};
}

asio::awaitable<Result<std::vector<Judged>>> ModelSource::carry_out(
    RoundScope& scope, const archive::IdeaRecord& row, const std::vector<archive::IdeaRecord>& ideas) {
  CO_TRY(std::vector<std::string> parents, keys_of(scope.search.archive, row.parents));
  const search::Idea idea = as_idea(row, std::move(parents));
  const int ordinal = ordinal_of(row, ideas), ways = scope.search.run.job.policy.implementations_per_idea;
  std::vector<std::unique_ptr<Pursuit>> pursuits;
  std::vector<Judged> judged;
  TaskGroup tasks(co_await asio::this_coro::executor);
  for (int way = 1; way <= ways; ++way) {
    pursuits.push_back(
        std::make_unique<Pursuit>(model_, *prompts_, scope, row.id, idea, WayOfIdea{ordinal, way}));
    tasks.spawn(pursue(*pursuits.back(), judged));
  }
  CO_TRY_DO(co_await tasks.wait());
  co_return std::move(judged);
}

void ModelSource::stop(Stop how) {
  if (how == Stop::now || !model_.backend->worth_waiting_for()) model_.backend->stop();
}

llm::Question question_of(const RoundScope& scope, std::string slot, std::vector<llm::Message> messages) {
  const Problem& problem = scope.search.problem;
  llm::Question question;
  question.seed = search::derive_seed(
      scope.search.job_seed(),
      fmt::format("{} {} round {} {}", problem.op.name, problem.workload, scope.round.number, slot));
  question.key = {problem.op.name, problem.workload, scope.round.number, std::move(slot)};
  question.messages = std::move(messages);
  return question;
}

search::Idea as_idea(const archive::IdeaRecord& row, std::vector<std::string> parents) {
  search::Idea idea{row.source, row.key, row.text, std::move(parents)};
  idea.bottleneck = row.bottleneck;
  idea.predicted_us = row.predicted_us;
  return idea;
}

std::string idea_key(std::string_view text) {
  constexpr std::size_t kWords = 4;
  std::string key;
  std::size_t words = 0;
  bool in_word = false;
  for (const char c : text) {
    const bool plain = std::isalnum(static_cast<unsigned char>(c)) != 0;
    if (!plain && in_word && ++words == kWords) break;
    if (plain && !in_word && !key.empty()) key += '-';
    if (plain) key += lower(c);
    in_word = plain;
  }
  return key.substr(0, 40) + '-' + sha256_hex(text).substr(0, 4);
}

}  // namespace kevolve::engine
