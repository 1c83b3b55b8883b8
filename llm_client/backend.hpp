#pragma once
// Backend: who answers a question: models over HTTP, a person with a chat window, a recording.

#include <compare>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "llm_client/chat.hpp"

namespace kevolve::llm {

/// Where in a search an exchange belongs. The same key in the same job is the same exchange: it is asked, and
/// paid, once, whatever happens to the process.
struct ExchangeKey {
  std::string operator_name, workload;
  int round = 1;
  /// "ideas", "idea-2/way-1", "idea-2/way-1/repair-1", "idea-2/way-1/improve-1": what is asked for, and after
  /// how many turns.
  std::string slot;

  auto operator<=>(const ExchangeKey&) const = default;
};

/// "layernorm/small/round-2/idea-1/way-3": for logs and errors.
std::string to_string(const ExchangeKey& key);
/// The same as one file name, of [a-z0-9_.-] only: "layernorm.small.round-02.idea-1.way-3".
std::string file_stem(const ExchangeKey& key);

struct Question {
  ExchangeKey key;
  std::vector<Message> messages;
  std::uint64_t seed = 0;  ///< picks among weighted models; passed on to servers that take one
};

using AnswerHandler = std::function<void(ChatResult)>;

/// ask() returns at once; the handler is called exactly once, later, on a thread of the backend's, also after
/// stop() (with `cancelled`). Every function may be called from any thread. Destruction stops and joins.
class Backend {
 public:
  virtual ~Backend() = default;
  [[nodiscard]] virtual std::string name() const = 0;  ///< "llm", "manual", "replay"
  /// True when replies in flight are paid for and arrive by themselves: a run that ends gently waits for
  /// them. False of a person, who may never reply.
  [[nodiscard]] virtual bool worth_waiting_for() const { return false; }
  /// True when a refusal is ordinary: a recording ends somewhere.
  [[nodiscard]] virtual bool may_lack_answers() const { return false; }
  virtual void ask(Question question, AnswerHandler handler) = 0;
  /// Answers all that waits with `cancelled`, soon (within a second), and refuses what is asked from now on.
  virtual void stop() = 0;
};

/// What a backend that reaches out to the world tells of it. Called on the backend's thread.
struct BackendEvents {
  /// An endpoint went away: its requests wait, without being spent, until it answers again.
  std::function<void(std::string_view endpoint, std::string_view why)> outage_began = [](auto, auto) {};
  std::function<void(std::string_view endpoint, std::chrono::milliseconds lasted)> outage_ended = [](auto,
                                                                                                     auto) {};
  /// What a reader should know and need not act on: a retry, a field dropped.
  std::function<void(std::string_view what)> noted = [](auto) {};
};

}  // namespace kevolve::llm
