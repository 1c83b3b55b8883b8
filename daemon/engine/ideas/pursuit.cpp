#include "daemon/engine/ideas/pursuit.hpp"

#include <fmt/format.h>

#include <cctype>

#include "core/search/novelty.hpp"
#include "core/search/random.hpp"
#include "core/search/repair.hpp"
#include "core/search/tunables.hpp"
#include "llm_client/replies/reply_parser.hpp"

namespace kevolve {
namespace asio = boost::asio;
namespace {

/// Times that a source is asked for ideas in one round, when the first reply holds too few new ones.
constexpr int kIdeaTurns = 2;
/// Candidates taken from one reply.
constexpr std::size_t kSourcesPerReply = 4;

}  // namespace

Idea as_idea(const IdeaRecord& row, std::vector<std::string> parents) {
  Idea idea{row.source, row.key, row.text, std::move(parents)};
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
    if (plain) key += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    in_word = plain;
  }
  return key.substr(0, 40) + '-' + sha256_hex(text).substr(0, 4);
}

asio::awaitable<Result<std::optional<ModelAnswer>>> OperatorSearch::ask(ModelSource& source,
                                                                        const RoundRecord& round,
                                                                        std::string slot,
                                                                        std::vector<Message> messages) {
  Question question;
  question.seed = derive_seed(static_cast<std::uint64_t>(env_.job.seed),
                              fmt::format("{} {} round {} {}", op_.name, workload_, round.number, slot));
  question.key = {op_.name, workload_, round.number, std::move(slot)};
  question.messages = std::move(messages);
  co_return co_await env_.exchanges.ask(source, env_.run_id, round.id, std::move(question));
}

/// Near-duplicates of what was tried, or was proposed already this round, are left out before any code is
/// asked for.
asio::awaitable<Result<std::vector<OperatorSearch::ModelIdea>>> OperatorSearch::ideas_of(
    ModelSource& source, std::size_t number, const RoundRecord& round, const RoundContext& known, int count,
    std::vector<std::string>& siblings) {
  std::vector<std::string> tried = siblings;
  for (const LedgerEntry& entry : known.ledger) tried.push_back(entry.idea_text);
  std::vector<ModelIdea> ideas;
  for (int turn = 1; turn <= kIdeaTurns && static_cast<int>(ideas.size()) < count; ++turn) {
    const int wanted = count - static_cast<int>(ideas.size());
    std::string slot = turn == 1 ? "ideas" : fmt::format("ideas-{}", turn);
    if (number > 0) slot = fmt::format("source-{}/{}", number + 1, slot);
    const auto answer =
        co_await ask(source, round, slot, ideas_messages(env_.ideas.prompts, known, wanted, siblings));
    if (!answer) co_return failure(answer.error());
    if (!*answer) break;
    auto reply = parse_ideas((*answer)->text, (*answer)->finish, static_cast<std::size_t>(wanted) * 2);
    if (!reply) {
      env_.observer.warned(fmt::format("{} round {}: a reply of {} held no ideas: {}", label_, round.number,
                                       source.name, reply.error().message));
      continue;
    }
    for (Idea& idea : reply->ideas) {
      if (static_cast<int>(ideas.size()) == count) break;
      if (near_duplicate(idea.text, tried)) continue;
      idea.source = source.name;
      idea.key = idea_key(idea.text);
      tried.push_back(idea.text);
      siblings.push_back(idea.text);
      NewIdea row{op_id_, round.id, source.name, idea.key, idea.text};
      row.bottleneck = idea.bottleneck;
      row.predicted_us = idea.predicted_us;
      row.exchange = (*answer)->exchange;
      for (const std::string& parent : idea.parents) {
        for (const Survivor& survivor : known.survivors) {
          if (survivor.idea_key == parent) row.parents.push_back(ids_.at(survivor.candidate_hash));
        }
      }
      ideas.push_back({std::move(row), std::move(idea)});
    }
  }
  co_return std::move(ideas);
}

/// The candidate of that idea with that content; added when it is not there yet.
Result<CandidateRecord> OperatorSearch::enter(IdeaId idea, const NewCandidate& candidate) {
  const auto known = env_.archive.find_candidate(idea, candidate_hash(candidate.source, candidate.tunables));
  if (!known) return failure(known.error());
  if (*known) return **known;
  const auto ids = env_.archive.add_candidates(idea, {candidate});
  if (!ids) return failure(ids.error());
  return env_.archive.candidate(ids->front());
}

/// Makes the answer the pursuit's latest attempt and has it judged. False when that came to nothing: the
/// budget is spent.
asio::awaitable<Result<bool>> OperatorSearch::attempt(Pursuit& p, const ModelAnswer& answer,
                                                      Relation relation) {
  CandidateAttempt attempt;
  const std::optional<CandidateId> before = p.latest_id;
  p.exchange = answer.exchange;
  p.latest_id.reset();
  const auto reply = parse_candidates(answer.text, answer.finish);
  if (!reply) {
    attempt.source = p.latest.source;  // what there is to correct is still the last one
    attempt.complaint = reply.error().message;
    p.latest = std::move(attempt);
    co_return true;
  }
  for (std::size_t i = std::min(reply->sources.size(), kSourcesPerReply); i-- > 0;) {
    const std::string& source = reply->sources[i];
    attempt = {};
    attempt.source = source;
    p.latest_id.reset();
    const auto header = parse_candidate(source, op_, "the candidate's header");
    if (!header) {
      attempt.complaint = header.error().message;
      continue;
    }
    attempt.tunables = default_tunables(*header);
    NewCandidate row{source, attempt.tunables, {}, answer.exchange};
    if (before) row.parents.push_back({*before, relation});
    if (!before) {
      for (const Survivor& survivor : p.known.survivors)
        row.parents.push_back({ids_.at(survivor.candidate_hash), Relation::seeded_by});
    }
    const auto candidate = enter(p.row.id, row);
    if (!candidate) co_return failure(candidate.error());
    auto judged = co_await judge(*candidate, p.round.number);
    if (!judged) co_return failure(judged.error());
    if (!*judged) co_return false;
    p.latest_id = candidate->id;
    attempt.evaluation = (*judged)->evaluation;
    attempt.us = scaled_us((*judged)->figure);
    p.judged.push_back(std::move(**judged));
  }
  p.latest = std::move(attempt);  // the reply's first file is the one that is followed
  co_return true;
}

/// Asks for the idea's code, then for corrections, until it passes. False when it never did.
asio::awaitable<Result<bool>> OperatorSearch::make_right(Pursuit& p) {
  const PromptSet& prompts = env_.ideas.prompts;
  const JobPolicy& policy = env_.job.policy;
  const int turns = policy.kind == PolicyKind::sample ? 0 : policy.repair_turns;
  std::string slot = fmt::format("idea-{}/way-{}", p.ordinal, p.way);
  for (int turn = 0; turn <= turns; ++turn) {
    auto messages = turn == 0
                        ? implement_messages(prompts, p.known, p.idea, p.way, policy.implementations_per_idea)
                        : repair_messages(prompts, p.known, p.idea, p.latest, turn, turns);
    if (turn > 0) slot = fmt::format("idea-{}/way-{}/repair-{}", p.ordinal, p.way, turn);
    const auto answer = co_await ask(p.source, p.round, slot, std::move(messages));
    if (!answer) co_return failure(answer.error());
    if (!*answer) co_return false;
    const auto judged = co_await attempt(p, **answer, Relation::repairs);
    if (!judged) co_return failure(judged.error());
    if (!*judged) co_return false;
    if (!p.latest.evaluation) continue;  // a complaint: the next turn is told
    if (p.latest.evaluation->verdict.passed()) co_return true;
    if (!is_repairable(p.latest.evaluation->verdict.outcome)) co_return false;
  }
  co_return false;
}

/// Asks for a faster version of a right one. An attempt that is wrong, or slower, ends it; the best stays.
asio::awaitable<Result<void>> OperatorSearch::make_faster(Pursuit& p) {
  const JobPolicy& policy = env_.job.policy;
  const int turns = policy.kind == PolicyKind::sample ? 0 : policy.improve_turns;
  for (int turn = 1; turn <= turns; ++turn) {
    const CandidateAttempt best = p.latest;
    const auto best_id = p.latest_id;
    const auto best_exchange = p.exchange;
    const auto answer =
        co_await ask(p.source, p.round, fmt::format("idea-{}/way-{}/improve-{}", p.ordinal, p.way, turn),
                     improve_messages(env_.ideas.prompts, p.known, p.idea, best, turn, turns));
    if (!answer) co_return failure(answer.error());
    bool better = false;
    if (*answer) {
      const auto judged = co_await attempt(p, **answer, Relation::improves);
      if (!judged) co_return failure(judged.error());
      better =
          *judged && p.latest.evaluation && p.latest.evaluation->verdict.passed() && p.latest.us < best.us;
    }
    if (!better) {
      p.latest = best;
      p.latest_id = best_id;
      p.exchange = best_exchange;
      break;
    }
    if (const auto done = co_await tune(p); !done) co_return failure(done.error());
  }
  co_return Result<void>{};
}

/// Other choices of its tunables: numbers are swept mechanically, no model is asked about them. The next turn
/// is told how each fared.
asio::awaitable<Result<void>> OperatorSearch::tune(Pursuit& p) {
  const auto header = parse_candidate(p.latest.source, op_, "the candidate's header");
  const Workload* workload = op_.workload(workload_);
  if (!header || header->tunables.empty() || workload == nullptr) co_return Result<void>{};
  const TunableSpace space(*header, op_, workload->axes, p.known.limits);
  Random random(derive_seed(p.known.seed, fmt::format("tune {} {}", p.row.key, p.way)));
  const auto skip = [&](const Bindings& choice) {
    return choice == p.latest.tunables || p.known.tried.contains(candidate_hash(p.latest.source, choice));
  };
  for (const Bindings& choice :
       space.sample(static_cast<std::size_t>(env_.job.policy.tunings), random, skip)) {
    NewCandidate row{p.latest.source, choice, {{*p.latest_id, Relation::mutates_tunables_of}}, p.exchange};
    const auto candidate = enter(p.row.id, row);
    if (!candidate) co_return failure(candidate.error());
    auto judged = co_await judge(*candidate, p.round.number);
    if (!judged) co_return failure(judged.error());
    if (!*judged) break;
    const Evaluation& evaluation = (*judged)->evaluation;
    p.latest.tunings.push_back({choice, evaluation.verdict.passed() ? scaled_us((*judged)->figure) : 0});
    p.judged.push_back(std::move(**judged));
  }
  co_return Result<void>{};
}

asio::awaitable<Result<void>> OperatorSearch::pursue(std::shared_ptr<Pursuit> pursuit) {
  const Result<bool> right = co_await make_right(*pursuit);
  if (!right) co_return failure(right.error());
  if (!*right) co_return Result<void>{};
  if (const auto done = co_await tune(*pursuit); !done) co_return failure(done.error());
  co_return co_await make_faster(*pursuit);
}

}  // namespace kevolve
