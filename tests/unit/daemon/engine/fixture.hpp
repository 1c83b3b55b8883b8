#pragma once
// What the engine's tests share: a search over a small operator in an archive that goes away, and fakes of
// all that a search waits for: a desk, a backend, an observer.

#include <boost/asio/co_spawn.hpp>
#include <fstream>
#include <set>

#include "daemon/engine/ideas/exchanges.hpp"
#include "daemon/engine/ideas/idea_source.hpp"
#include "daemon/engine/search/recall.hpp"
#include "tests/unit/archive/fixture.hpp"
#include "tests/unit/core/search/fixture.hpp"

namespace kevolve::testing {

namespace asio = boost::asio;

/// Runs a coroutine to its end.
template <class T>
Result<T> finish(asio::io_context& io, asio::awaitable<Result<T>> work) {
  Result<T> result = failure("the coroutine did not end");
  asio::co_spawn(io, std::move(work), [&](const std::exception_ptr& thrown, Result<T> value) {
    result = thrown ? failure("the coroutine threw") : std::move(value);
  });
  io.restart();
  io.run_for(std::chrono::seconds(20));
  return result;
}

/// Remembers what it hears.
class Notes final : public engine::Observer {
 public:
  void heard(const engine::RunEvent& event) override {
    if (const auto* warned = std::get_if<events::Warned>(&event)) warnings.emplace_back(warned->what);
    if (const auto* promoted = std::get_if<events::Promoted>(&event))
      champions.push_back(promoted->champion.candidate_hash);
    if (const auto* exchanged = std::get_if<events::Exchanged>(&event))
      slots.push_back(exchanged->exchange.slot);
    if (const auto* started = std::get_if<events::RoundStarted>(&event)) ideas = started->ideas;
    if (const auto* ended = std::get_if<events::OperatorStopped>(&event)) stopped = ended->summary.note;
  }

  std::vector<std::string> warnings, champions, slots, ideas;
  std::string stopped;
};

/// Verdicts as a test wants them, archived as a desk has to.
class FakeDesk final : public engine::JudgeDesk {
 public:
  explicit FakeDesk(engine::SearchState& search) : search_(search) {}

  std::function<Evaluation(const archive::CandidateRecord&)> first = [](const auto&) { return passed(1.2); };
  std::function<Evaluation(const archive::CandidateRecord&)> again = [](const auto&) { return passed(1.2); };
  std::set<std::string> racing;  ///< hashes
  bool broken = false;           ///< the workers fail
  std::vector<std::string> judged, retimed;

  asio::awaitable<Result<Evaluation>> judge_seed(const archive::CandidateRecord& naive) override {
    CO_TRY_DO(record(naive, passed(1), archive::Purpose::search));
    co_return passed(1);
  }
  asio::awaitable<Result<std::optional<engine::Judged>>> judge(archive::CandidateRecord candidate,
                                                               int) override {
    if (broken || !search_.allowance.may_evaluate()) co_return std::nullopt;
    judged.push_back(candidate.hash);
    Evaluation evaluation = first(candidate);
    if (candidate.evaluation) {
      CO_TRY(archive::EvaluationRecord known, search_.archive.evaluation(*candidate.evaluation));
      evaluation = known.evaluation;
    } else {
      search_.allowance.take();
      CO_TRY(candidate.evaluation, record(candidate, evaluation, archive::Purpose::search));
    }
    const EvaluationId id = *candidate.evaluation;
    const double score = search_.standing.scale.score(candidate.hash, evaluation.speedup);
    co_return engine::Judged{std::move(candidate), "key", id, std::move(evaluation), score};
  }
  asio::awaitable<Result<std::optional<engine::Retimed>>> retime(const archive::CandidateRecord& contender,
                                                                 bool) override {
    if (broken) co_return std::nullopt;
    retimed.push_back(contender.hash);
    search_.allowance.take();
    Evaluation evaluation = again(contender);
    CO_TRY(const EvaluationId id, record(contender, evaluation, archive::Purpose::retime));
    co_return engine::Retimed{id, std::move(evaluation)};
  }
  asio::awaitable<bool> shows_no_race(const archive::CandidateRecord& contender) override {
    co_return !racing.contains(contender.hash);
  }

 private:
  Result<EvaluationId> record(const archive::CandidateRecord& candidate, const Evaluation& evaluation,
                              archive::Purpose purpose) {
    archive::NewEvaluation row;
    row.candidate = candidate.id;
    row.run = search_.run.run_id;
    row.workload = search_.problem.workload;
    row.yardstick = evaluation.measurements.empty() ? "" : "naive";
    row.purpose = purpose;
    row.evaluation = evaluation;
    return search_.archive.record_evaluation(row);
  }
  engine::SearchState& search_;
};

/// Answers by slot. A slot that it does not know is refused.
class FakeBackend final : public llm::Backend {
 public:
  std::map<std::string, std::string> replies;
  std::vector<llm::Question> questions;
  llm::ChatError::Kind refusal = llm::ChatError::Kind::refused;
  bool paid = false, partial = false, stopped = false, silent = false;

  [[nodiscard]] std::string name() const override { return "fake"; }
  [[nodiscard]] bool worth_waiting_for() const override { return paid; }
  [[nodiscard]] bool may_lack_answers() const override { return partial; }
  void ask(llm::Question question, llm::AnswerHandler handler) override {
    questions.push_back(question);
    if (silent) return;
    const auto found = replies.find(question.key.slot);
    if (found == replies.end())
      return handler(tl::unexpected(llm::ChatError{refusal, "it knows no such slot"}));
    llm::ChatReply reply;
    reply.text = found->second;
    reply.model = "fake";
    reply.finish = llm::Finish::stop;
    reply.usage = {100, 0, 50, 0};
    handler(std::move(reply));
  }
  void stop() override { stopped = true; }

  [[nodiscard]] std::vector<std::string> slots() const {
    std::vector<std::string> all;
    for (const llm::Question& question : questions) all.push_back(question.key.slot);
    return all;
  }
};

inline std::string fenced(const std::string& source) {
  return "Here it is:\n\n```cuda\n" + source + "\n```\n";
}

/// A reply with these ideas.
inline std::string ideas_reply(const std::vector<std::string>& texts) {
  Json list = Json::array();
  for (const std::string& text : texts) list.push_back({{"idea", text}, {"bottleneck", "memory"}});
  return list.dump();
}

/// A search over the operator of tests/unit/core/search/fixture.hpp, with `wide` as its playbook, after its
/// seed.
struct SearchFixture {
  explicit SearchFixture(const JobPolicy& policy = {}) {
    job.name = "night";
    job.seed = 7;
    job.policy = policy;
    std::filesystem::create_directories(op.folder);
    write("naive", naive_source);
    write("wide", entry(op, "wide").source);
    search.problem.op_id = must(archive.enter_operator(op));
    search::Champion naive;
    naive.source = naive_source;
    naive.hash = candidate_hash(naive_source, {});
    const IdeaId idea = must(archive.add_idea({search.problem.op_id, std::nullopt, "seed", "naive", "One."}));
    naive.id = must(archive.add_candidates(idea, {{naive.source, {}, {}}})).front();
    const Evaluation evaluation = must(finish(io, desk.judge_seed(must(archive.candidate(naive.id)))));
    search.standing = must(engine::recall_standing(search, naive, evaluation));
  }

  void write(const std::string& stem, const std::string& source) const {
    std::ofstream(op.folder / (stem + ".cu")) << source;
  }
  Operator make() const {
    Operator made = doubling_operator();
    made.folder = folder / "doubling";
    return made;
  }
  archive::RoundRecord begin_round() {
    return must(archive.begin_round(job_id, search.problem.op_id, "small"));
  }
  /// As a new process would find it.
  void restart() {
    search.standing = must(engine::recall_standing(search, search.standing.naive, passed(1)));
  }

  TemporaryFolder folder;
  Operator op = make();
  std::string naive_source =
      "/*kevolve { \"idea\": \"One thread an element.\", \"launches\": [ { \"kernel\": \"k\", \"grid\": "
      "[\"N\"], "
      "\"block\": [\"1\"], \"args\": [\"x\", \"y\"] } ] } */\n__global__ void k(const float* x, float* y) "
      "{}\n";
  archive::Archive archive = must(archive::Archive::open(folder / "a.db", archive::OpenMode::read_write));
  DeviceInfo device = make_device();
  DeviceId device_id = must(archive.enter_device(device));
  Job job;
  JobId job_id = must(archive.begin_job("night", {{"operators", {"doubling"}}})).id;
  RunId run = must(archive.begin_run({job_id, device, "7", {{"kevolve", "0"}}}));
  asio::io_context io{1};
  Notes heard;
  bool open = true;
  int limit = 1000;
  engine::Allowance allowance{[this] { return open && allowance.taken() < limit; }};
  engine::SearchState search{archive, heard, allowance, engine::RunIdentity{job, job_id, run},
                             engine::Problem{op, "small", device, device_id}};
  FakeDesk desk{search};
  engine::Exchanges exchanges{io, archive, heard, job.budget, search::Usage{}};
};

}  // namespace kevolve::testing
