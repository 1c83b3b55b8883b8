#include "daemon/engine/ideas/pursuit.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "core/search/random.hpp"
#include "core/search/repair.hpp"
#include "core/search/tunables.hpp"
#include "core/text/words.hpp"
#include "daemon/engine/ideas/model_source.hpp"
#include "llm_client/replies/reply_parser.hpp"

namespace kevolve::engine {
namespace asio = boost::asio;
namespace {

/// Candidates taken from one reply.
constexpr std::size_t kSourcesPerReply = 4;
constexpr std::string_view kWhere = "the candidate's header";

/// What a policy allows: `sample` takes a model's first answer.
int turns_of(const JobPolicy& policy, int turns) {
  return policy.kind == PolicyKind::sample ? 0 : turns;
}

bool passed(const llm::CandidateAttempt& attempt) {
  return attempt.evaluation && attempt.evaluation->verdict.passed();
}

}  // namespace

Pursuit::Pursuit(Correspondent& model, const llm::PromptSet& prompts, RoundScope& scope, IdeaId idea_id,
                 const search::Idea& idea, WayOfIdea way)
    : model_(model),
      prompts_(prompts),
      scope_(scope),
      idea_id_(idea_id),
      idea_(idea),
      way_(way.way),
      slot_(fmt::format("idea-{}/way-{}", way.ordinal, way.way)) {}

asio::awaitable<Result<void>> Pursuit::run() {
  CO_TRY(const bool right, co_await make_right());
  if (!right) co_return Result<void>{};
  CO_TRY_DO(co_await tune());
  co_return co_await make_faster();
}

/// Asks for the idea's code, then for corrections, until it passes. False when it never did.
asio::awaitable<Result<bool>> Pursuit::make_right() {
  const JobPolicy& policy = scope_.search.run.job.policy;
  const int turns = turns_of(policy, policy.repair_turns);
  for (int turn = 0; turn <= turns; ++turn) {
    std::string slot = turn == 0 ? slot_ : fmt::format("{}/repair-{}", slot_, turn);
    auto messages =
        turn == 0
            ? llm::implement_messages(prompts_, scope_.known, idea_, way_, policy.implementations_per_idea)
            : llm::repair_messages(prompts_, scope_.known, idea_, latest_.attempt, turn, turns);
    CO_TRY(const std::optional<ModelAnswer> answer, co_await ask(std::move(slot), std::move(messages)));
    if (!answer) co_return false;
    CO_TRY(const bool judged, co_await attempt(*answer, Relation::repairs));
    if (!judged) co_return false;
    if (!latest_.attempt.evaluation) continue;  // no candidate: the next turn tells the model why
    if (passed(latest_.attempt)) co_return true;
    if (!search::is_repairable(latest_.attempt.evaluation->verdict.outcome)) co_return false;
  }
  co_return false;
}

/// Asks for faster versions of a right one, until one is wrong or no faster. The best stays.
asio::awaitable<Result<void>> Pursuit::make_faster() {
  const JobPolicy& policy = scope_.search.run.job.policy;
  const int turns = turns_of(policy, policy.improve_turns);
  for (int turn = 1; turn <= turns; ++turn) {
    const Version best = latest_;
    CO_TRY(const bool better, co_await improve_once(turn, turns));
    if (!better) {
      latest_ = best;
      break;
    }
    CO_TRY_DO(co_await tune());
  }
  co_return Result<void>{};
}

asio::awaitable<Result<bool>> Pursuit::improve_once(int turn, int turns) {
  const double best_us = latest_.attempt.us;
  auto messages = llm::improve_messages(prompts_, scope_.known, idea_, latest_.attempt, turn, turns);
  CO_TRY(const std::optional<ModelAnswer> answer,
         co_await ask(fmt::format("{}/improve-{}", slot_, turn), std::move(messages)));
  if (!answer) co_return false;
  CO_TRY(const bool judged, co_await attempt(*answer, Relation::improves));
  co_return judged&& passed(latest_.attempt) && latest_.attempt.us < best_us;
}

/// Tries other choices of the latest version's tunables: numbers are swept mechanically, no model is asked
/// about them. The next turn tells the model how each fared.
asio::awaitable<Result<void>> Pursuit::tune() {
  const Problem& problem = scope_.search.problem;
  llm::CandidateAttempt& tuned = latest_.attempt;
  const auto header = parse_candidate(tuned.source, problem.op, std::string(kWhere));
  const Workload* workload = problem.op.workload(problem.workload);
  if (!header || header->tunables.empty() || workload == nullptr) co_return Result<void>{};
  const search::TunableSpace space(*header, problem.op, workload->axes, scope_.known.limits);
  search::Random random(search::derive_seed(scope_.known.seed, fmt::format("tune {} {}", idea_.key, way_)));
  const auto skip = [&](const Bindings& choice) {
    return choice == tuned.tunables || scope_.known.tried.contains(candidate_hash(tuned.source, choice));
  };
  const auto count = static_cast<std::size_t>(scope_.search.run.job.policy.tunings);
  for (const Bindings& choice : space.sample(count, random, skip)) {
    const archive::ParentRecord parent{*latest_.candidate, Relation::mutates_tunables_of};
    archive::NewCandidate candidate{tuned.source, choice, {parent}, latest_.exchange};
    CO_TRY(const Judged* judged, co_await judge(std::move(candidate)));
    if (judged == nullptr) break;
    tuned.tunings.push_back({choice, us(*judged)});
  }
  co_return Result<void>{};
}

asio::awaitable<Result<std::optional<ModelAnswer>>> Pursuit::ask(std::string slot,
                                                                 std::vector<llm::Message> messages) {
  llm::Question question = question_of(scope_, std::move(slot), std::move(messages));
  co_return co_await scope_.exchanges.ask(model_, scope_.search.run.run_id, scope_.round.id,
                                          std::move(question));
}

/// Makes the answer the latest version and has it judged. An answer may hold several files: all are judged,
/// the last one first, and the first one is followed. False when no verdict came: the budget is spent.
asio::awaitable<Result<bool>> Pursuit::attempt(const ModelAnswer& answer, Relation relation) {
  const std::vector<archive::ParentRecord> parents = parents_of_next(relation);
  latest_.exchange = answer.exchange;
  latest_.candidate.reset();
  const auto reply = llm::parse_candidates(answer.text, answer.finish);
  if (!reply) {
    llm::CandidateAttempt without_code;
    without_code.source = latest_.attempt.source;  // the file to correct is still the last one
    without_code.complaint = reply.error().message;
    latest_.attempt = std::move(without_code);
    co_return true;
  }
  llm::CandidateAttempt first;
  for (std::size_t i = std::min(reply->sources.size(), kSourcesPerReply); i-- > 0;) {
    CO_TRY(std::optional<llm::CandidateAttempt> attempted,
           co_await attempt_source(reply->sources[i], parents));
    if (!attempted) co_return false;
    first = std::move(*attempted);
  }
  latest_.attempt = std::move(first);
  co_return true;
}

/// A corrected or improved candidate comes from the one before it, a first one from the survivors that the
/// model was shown.
std::vector<archive::ParentRecord> Pursuit::parents_of_next(Relation relation) const {
  if (latest_.candidate) return {{*latest_.candidate, relation}};
  std::vector<archive::ParentRecord> parents;
  for (const search::Survivor& survivor : scope_.known.survivors)
    parents.push_back({scope_.known_ids.at(survivor.candidate_hash), Relation::seeded_by});
  return parents;
}

/// One file of an answer: complained of, or judged. Nothing when no verdict came.
asio::awaitable<Result<std::optional<llm::CandidateAttempt>>> Pursuit::attempt_source(
    std::string source, std::vector<archive::ParentRecord> parents) {
  llm::CandidateAttempt attempt;
  attempt.source = std::move(source);
  latest_.candidate.reset();
  const auto header = parse_candidate(attempt.source, scope_.search.problem.op, std::string(kWhere));
  if (!header) {
    attempt.complaint = header.error().message;
    co_return std::move(attempt);
  }
  attempt.tunables = default_tunables(*header);
  archive::NewCandidate candidate{attempt.source, attempt.tunables, std::move(parents), latest_.exchange};
  CO_TRY(const Judged* judged, co_await judge(std::move(candidate)));
  if (judged == nullptr) co_return std::nullopt;
  latest_.candidate = judged->candidate.id;
  attempt.evaluation = judged->evaluation;
  attempt.us = scope_.search.standing.scale.us(judged->score);
  co_return std::move(attempt);
}

/// Archives a candidate and hands it in. Null when no verdict came: the budget is spent.
asio::awaitable<Result<const Judged*>> Pursuit::judge(archive::NewCandidate candidate) {
  CO_TRY(archive::CandidateRecord row, enter(candidate));
  CO_TRY(std::optional<Judged> judged, co_await scope_.desk.judge(std::move(row), scope_.round.number));
  if (!judged) co_return nullptr;
  judged_.push_back(std::move(*judged));
  co_return &judged_.back();
}

/// The row of the idea's candidate with that content; added when it is not there yet.
Result<archive::CandidateRecord> Pursuit::enter(const archive::NewCandidate& candidate) {
  archive::Archive& archive = scope_.search.archive;
  TRY(std::optional<archive::CandidateRecord> known,
      archive.find_candidate(idea_id_, candidate_hash(candidate.source, candidate.tunables)));
  if (known) return std::move(*known);
  TRY(const std::vector<CandidateId> ids, archive.add_candidates(idea_id_, {candidate}));
  return archive.candidate(ids.front());
}

double Pursuit::us(const Judged& judged) const {
  return judged.evaluation.verdict.passed() ? scope_.search.standing.scale.us(judged.score) : 0;
}

}  // namespace kevolve::engine
