#include "daemon/engine/ideas/exchanges.hpp"

#include <fmt/format.h>

#include <boost/asio/post.hpp>

namespace kevolve::engine {
namespace asio = boost::asio;
namespace {

constexpr std::size_t kCharactersPerToken = 4;
/// A correspondent that refuses this many times in a row will refuse again.
constexpr int kMostRefusals = 3;

std::int64_t estimated_tokens(const std::vector<llm::Message>& messages) {
  std::size_t characters = 0;
  for (const llm::Message& message : messages) characters += message.text.size();
  return static_cast<std::int64_t>(characters / kCharactersPerToken) + 1;
}

archive::NewExchange make_row(const Correspondent& whom, RunId run, RoundId round, const std::string& slot,
                              const std::vector<llm::Message>& messages, const llm::ChatResult& result) {
  archive::NewExchange row;
  row.run = run;
  row.round = round;
  row.slot = slot;
  row.source = whom.name;
  for (const llm::Message& message : messages)
    row.messages.push_back({std::string(name(message.role)), message.text});
  const llm::TokenUsage& took = result ? result->usage : result.error().usage;
  row.input_tokens = took.input;
  row.cached_tokens = took.cached_input;
  row.output_tokens = took.output;
  row.reasoning_tokens = took.reasoning;
  row.cost_usd = result ? result->cost_usd : result.error().cost_usd;
  if (!result) {
    row.outcome = name(result.error().kind);
    row.error = result.error().message;
    return row;
  }
  row.model = result->model;
  row.served_by = result->served_by;
  row.reply = result->text;
  row.reasoning = result->reasoning;
  row.finish = name(result->finish);
  row.usage_estimated = result->usage_estimated;
  row.latency_ms = static_cast<double>(result->latency.count());
  row.attempts = result->attempts;
  return row;
}

/// Requests that were sent, retries included. The budget does not pay for a cancelled one.
int attempts_of(const llm::ChatResult& result) {
  if (result) return result->attempts;
  return result.error().kind == llm::ChatError::Kind::cancelled ? 0 : 1;
}

}  // namespace

/// Waits while requests in flight might use the budget up.
asio::awaitable<bool> Exchanges::allowed(std::int64_t prompt_tokens) {
  while (!stopped_ && search::spent_limit(limits_, budget_.used()).empty()) {
    if (budget_.may_ask(prompt_tokens)) co_return true;
    co_await changed_.wait();
  }
  co_return false;
}

/// The backend's answer, brought to this thread.
asio::awaitable<llm::ChatResult> Exchanges::put(llm::Backend& backend, llm::Question question) {
  struct Pending {
    explicit Pending(asio::io_context& io) : arrived(io) {}
    Signal arrived;
    std::optional<llm::ChatResult> result;
  };
  const auto pending = std::make_shared<Pending>(io_);
  backend.ask(std::move(question), [pending, &io = io_](llm::ChatResult result) {
    asio::post(io, [pending, result = std::move(result)]() mutable {
      pending->result = std::move(result);
      pending->arrived.notify();
    });
  });
  while (!pending->result) co_await pending->arrived.wait();
  co_return std::move(*pending->result);
}

void Exchanges::note_failure(Correspondent& whom, const llm::ExchangeKey& key, const llm::ChatError& error) {
  if (error.kind == llm::ChatError::Kind::cancelled) return;
  const bool refused = error.kind == llm::ChatError::Kind::refused;
  if (refused && whom.backend->may_lack_answers()) return;
  observer_.warned(fmt::format("{}: no answer to {}: {}", whom.name, llm::to_string(key), error.message));
  if (refused) ++whom.refusals;
  if (error.kind == llm::ChatError::Kind::quota || whom.refusals >= kMostRefusals) {
    whom.out_of_use = error.message;
    observer_.warned(fmt::format("{}: asked nothing more in this run", whom.name));
  }
}

asio::awaitable<Result<std::optional<ModelAnswer>>> Exchanges::ask(Correspondent& whom, RunId run,
                                                                   RoundId round, llm::Question question) {
  const llm::ExchangeKey key = question.key;
  CO_TRY(const std::optional<archive::ExchangeRecord> known, archive_.find_exchange(round, key.slot));
  if (known)
    co_return ModelAnswer{known->id, known->reply,
                          llm::finish_from_name(known->finish).value_or(llm::Finish::unknown)};
  const std::int64_t prompt_tokens = estimated_tokens(question.messages);
  if (!whom.out_of_use.empty() || !co_await allowed(prompt_tokens)) co_return std::nullopt;
  const std::vector<llm::Message> messages = question.messages;
  budget_.asked(prompt_tokens);
  const llm::ChatResult result = co_await put(*whom.backend, std::move(question));
  settle(prompt_tokens, result);
  if (!result && result.error().kind == llm::ChatError::Kind::cancelled) co_return std::nullopt;
  const archive::NewExchange row = make_row(whom, run, round, key.slot, messages, result);
  CO_TRY(const ExchangeId id, archive_.record_exchange(row));
  observer_.exchanged(key.operator_name, key.round, row);
  if (!result) {
    note_failure(whom, key, result.error());
    co_return std::nullopt;
  }
  whom.refusals = 0;
  ++answered_;
  co_return ModelAnswer{id, result->text, result->finish};
}

/// The budget pays for what came back.
void Exchanges::settle(std::int64_t prompt_tokens, const llm::ChatResult& result) {
  const llm::TokenUsage& took = result ? result->usage : result.error().usage;
  const std::optional<double>& cost_usd = result ? result->cost_usd : result.error().cost_usd;
  budget_.answered(prompt_tokens, attempts_of(result), took.input + took.output, cost_usd.value_or(0));
  changed_.notify();
}

void Exchanges::stop() {
  stopped_ = true;
  changed_.notify();
}

}  // namespace kevolve::engine
