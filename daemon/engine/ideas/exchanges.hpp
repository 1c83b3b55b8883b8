#pragma once
// Exchanges: questions to models on behalf of a run. Each is asked, and paid for, once: a reply is in the
// archive before anybody reads it, and a killed run that asks again gets it from there. Counts against the
// budget what was spent and what is in flight. Belongs to the engine's thread.

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <memory>
#include <optional>
#include <string>

#include "archive/archive.hpp"
#include "core/search/budget.hpp"
#include "daemon/engine/report/observer.hpp"
#include "daemon/engine/workers/signal.hpp"
#include "llm_client/backend.hpp"

namespace kevolve::engine {

/// A backend, and how it has behaved in this run.
struct Correspondent {
  std::string name;  ///< as archived with its exchanges: "llm", "manual", "replay"
  std::unique_ptr<llm::Backend> backend;
  int refusals = 0;             ///< in a row
  std::string out_of_use = {};  ///< why it is not asked any more in this run; ""
};

struct ModelAnswer {
  ExchangeId exchange;
  std::string text;
  llm::Finish finish = llm::Finish::unknown;
};

class Exchanges {
 public:
  /// `used`: what the job's present budget has spent before this run.
  Exchanges(boost::asio::io_context& io, archive::Archive& archive, Observer& observer,
            const JobBudget& budget, const search::Usage& used)
      : io_(io),
        archive_(archive),
        observer_(observer),
        limits_(budget),
        budget_(budget, used),
        changed_(io) {}

  /// Nothing when there is no answer: the correspondent refused or gave up (the observer knows), the budget
  /// does not allow the question, or stop() was called. An Error means that the archive failed.
  boost::asio::awaitable<Result<std::optional<ModelAnswer>>> ask(Correspondent& whom, RunId run,
                                                                 RoundId round, llm::Question question);
  /// No more questions. Those that wait for the budget return without an answer.
  void stop();
  [[nodiscard]] const search::Usage& used() const { return budget_.used(); }
  [[nodiscard]] int under_way() const { return budget_.under_way(); }
  /// Questions of this run that got an answer.
  [[nodiscard]] int answered() const { return answered_; }

 private:
  boost::asio::awaitable<bool> allowed(std::int64_t prompt_tokens);
  boost::asio::awaitable<llm::ChatResult> put(llm::Backend& backend, llm::Question question);
  void settle(std::int64_t prompt_tokens, const llm::ChatResult& result);
  void note_failure(Correspondent& whom, const llm::ExchangeKey& key, const llm::ChatError& error);

  boost::asio::io_context& io_;
  archive::Archive& archive_;
  Observer& observer_;
  const JobBudget limits_;
  search::ExchangeBudget budget_;
  Signal changed_;  ///< an exchange has ended
  bool stopped_ = false;
  int answered_ = 0;
};

}  // namespace kevolve::engine
