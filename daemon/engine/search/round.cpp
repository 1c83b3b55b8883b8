#include "daemon/engine/search/round.hpp"

#include <algorithm>
#include <boost/asio/this_coro.hpp>
#include <iterator>

#include "core/search/apportion.hpp"
#include "daemon/engine/workers/task_group.hpp"

namespace kevolve::engine {
namespace asio = boost::asio;
namespace {

/// Times that a round's candidates are gone through until all of them are judged.
constexpr int kPasses = 5;

std::vector<int> shares_of(const IdeaSources& sources, int ideas, int round) {
  std::vector<double> weights;
  for (const auto& source : sources.list)
    weights.push_back(source->out_of_use().empty() ? source->weight() : 0);
  return search::apportion(ideas, weights, round);
}

}  // namespace

asio::awaitable<Result<Round::End>> Round::play() {
  CO_TRY(std::vector<archive::IdeaRecord> ideas, search_.archive.ideas(scope_.round.id));
  if (ideas.empty()) {
    CO_TRY_DO(co_await propose());
    if (!may_evaluate()) co_return End::open;
    CO_TRY(ideas, search_.archive.ideas(scope_.round.id));
    if (ideas.empty()) co_return End::nothing_left;
  }
  CO_TRY(std::vector<Judged> judged, co_await work());
  if (!may_evaluate()) co_return End::open;
  CO_TRY(const bool settled, co_await promoter_.promote_best(std::move(judged), scope_.round));
  co_return settled ? End::over : End::open;
}

// -------------------------------------------------------------------------------------------- propose

/// A run that is killed here finds either no idea of this round or all of them. Replies of models are in the
/// archive by then: they are not paid for again.
asio::awaitable<Result<void>> Round::propose() {
  CO_TRY(const std::vector<std::vector<Proposal>> proposals, co_await ask_sources());
  if (!may_evaluate()) co_return Result<void>{};
  co_return write(proposals);
}

/// Every source's share of the round's ideas, in the order of the sources. Those that fill up come last, and
/// get what the others left.
asio::awaitable<Result<std::vector<std::vector<Proposal>>>> Round::ask_sources() {
  const int wanted = search_.run.job.policy.ideas_per_round;
  const std::vector<int> shares = shares_of(sources_, wanted, scope_.round.number);
  std::vector<std::vector<Proposal>> proposals(sources_.list.size());
  std::vector<std::string> siblings;
  for (const bool filling_up : {false, true}) {
    const int missing = wanted - static_cast<int>(siblings.size());
    for (std::size_t i = 0; i < sources_.list.size(); ++i) {
      IdeaSource& source = *sources_.list[i];
      if (source.fills_up() != filling_up) continue;
      const int count = filling_up ? std::max(shares[i], missing) : shares[i];
      if (count == 0 || (filling_up && !may_evaluate())) continue;
      CO_TRY(proposals[i], co_await source.propose(scope_, count, siblings));
    }
  }
  co_return std::move(proposals);
}

Result<void> Round::write(const std::vector<std::vector<Proposal>>& proposals) {
  std::vector<std::string> texts;
  TRY(archive::Transaction transaction, search_.archive.begin());
  for (const std::vector<Proposal>& of_source : proposals) {
    for (const Proposal& proposal : of_source) {
      TRY(const IdeaId id, search_.archive.add_idea(proposal.idea));
      if (!proposal.candidates.empty()) {
        TRY_DO(search_.archive.add_candidates(id, proposal.candidates));
      }
      texts.push_back(proposal.idea.text);
    }
  }
  TRY_DO(transaction.commit());
  search_.observer.round_started(search_.problem.label(), scope_.round.number, texts);
  return {};
}

// ----------------------------------------------------------------------------------------------- work

/// Workers may die again and again on their way. This is the last chance of what they did not judge: once
/// finished, a round is never reopened.
asio::awaitable<Result<std::vector<Judged>>> Round::work() {
  Result<std::vector<Judged>> judged = co_await work_once();
  for (int pass = 1; pass < kPasses && judged && may_evaluate(); ++pass) {
    CO_TRY(const auto unfinished, search_.archive.unfinished_candidates(scope_.round.id));
    if (unfinished.empty()) break;
    judged = co_await work_once();
  }
  co_return judged;
}

/// Candidates that came with their ideas are judged while sources write others.
asio::awaitable<Result<std::vector<Judged>>> Round::work_once() {
  CO_TRY(const std::vector<archive::CandidateRecord> candidates, search_.archive.candidates(scope_.round.id));
  CO_TRY(const std::vector<archive::IdeaRecord> ideas, search_.archive.ideas(scope_.round.id));
  std::vector<Judged> judged;
  TaskGroup tasks(co_await asio::this_coro::executor);
  for (const archive::CandidateRecord& candidate : candidates) {
    if (!candidate.exchange) tasks.spawn(judge(candidate, judged));
  }
  for (const archive::IdeaRecord& idea : ideas) tasks.spawn(carry_out(idea, ideas, judged));
  CO_TRY_DO(co_await tasks.wait());
  co_return std::move(judged);
}

asio::awaitable<Result<void>> Round::judge(archive::CandidateRecord candidate, std::vector<Judged>& judged) {
  CO_TRY(std::optional<Judged> one, co_await scope_.desk.judge(std::move(candidate), scope_.round.number));
  if (one) judged.push_back(std::move(*one));
  co_return Result<void>{};
}

asio::awaitable<Result<void>> Round::carry_out(const archive::IdeaRecord& idea,
                                               const std::vector<archive::IdeaRecord>& ideas,
                                               std::vector<Judged>& judged) {
  IdeaSource* const source = sources_.named(idea.source);
  if (source == nullptr) co_return Result<void>{};  // the job was changed meanwhile
  CO_TRY(std::vector<Judged> some, co_await source->carry_out(scope_, idea, ideas));
  std::move(some.begin(), some.end(), std::back_inserter(judged));
  co_return Result<void>{};
}

}  // namespace kevolve::engine
