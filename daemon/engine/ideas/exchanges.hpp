#pragma once
// Exchanges: questions to models on behalf of a run. Each is asked, and paid, once: a reply is in the archive
// before it is used, and is taken from there when a killed run comes by again. Counts against the budget what
// was spent and what is under way. Belongs to the engine's thread.

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <optional>
#include <string>

#include "archive/archive.hpp"
#include "core/search/budget.hpp"
#include "daemon/engine/ideas/idea_sources.hpp"
#include "daemon/engine/report/observer.hpp"

namespace kevolve {

struct ModelAnswer {
  ExchangeId exchange;
  std::string text;
  Finish finish = Finish::unknown;
};

class Exchanges {
 public:
  /// `used`: what the job's present budget has spent before this run.
  Exchanges(boost::asio::io_context& io, Archive& archive, Observer& observer, const JobBudget& budget,
            const Usage& used)
      : io_(io),
        archive_(archive),
        observer_(observer),
        limits_(budget),
        budget_(budget, used),
        changed_(io) {
    changed_.expires_at(std::chrono::steady_clock::time_point::max());
  }

  /// Nothing when there is no answer: the source refused or gave up (the observer was told), the budget does
  /// not allow the question, or stop() was called. An Error means that the archive failed.
  boost::asio::awaitable<Result<std::optional<ModelAnswer>>> ask(ModelSource& source, RunId run,
                                                                 RoundId round, Question question);
  /// No more questions; those that wait for the budget return without an answer.
  void stop();
  [[nodiscard]] const Usage& used() const { return budget_.used(); }
  [[nodiscard]] int under_way() const { return budget_.under_way(); }
  /// Of this run: how many got an answer.
  [[nodiscard]] int answered() const { return answered_; }

 private:
  boost::asio::awaitable<bool> allowed(std::int64_t prompt_tokens);
  boost::asio::awaitable<ChatResult> put(Backend& backend, Question question);
  void note_failure(ModelSource& source, const ExchangeKey& key, const ChatError& error);

  boost::asio::io_context& io_;
  Archive& archive_;
  Observer& observer_;
  const JobBudget limits_;
  ExchangeBudget budget_;
  boost::asio::steady_timer changed_;  ///< cancelled whenever an exchange ends
  bool stopped_ = false;
  int answered_ = 0;
};

}  // namespace kevolve
