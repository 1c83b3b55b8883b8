// Exchanges with models in an Archive: what was asked, what came back, what it cost and what became of it.

#include <fmt/format.h>

#include "archive/archive.hpp"
#include "archive/impl.hpp"
#include "archive/queries.hpp"
#include "archive/rows.hpp"

namespace kevolve::archive {
namespace {

constexpr std::string_view kExchangeColumns =
    "SELECT x.id, x.run, x.round, x.slot, x.source, x.model, x.served_by, x.outcome, x.error, x.reply, "
    "x.reasoning, x.finish, x.input_tokens, x.cached_tokens, x.output_tokens, x.reasoning_tokens, "
    "x.usage_estimated, x.cost_usd, x.latency_ms, x.attempts, x.answered_at_ms, o.name, r.workload, r.number "
    "FROM exchanges x JOIN rounds r ON r.id = x.round JOIN operators o ON o.id = r.operator ";

ExchangeRecord read_exchange(Connection& connection, const Statement& row) {
  ExchangeRecord x;
  int estimated = 0;
  row.read(x.id, x.run, x.round, x.slot, x.source, x.model, x.served_by, x.outcome, x.error, x.reply,
           x.reasoning, x.finish, x.input_tokens, x.cached_tokens, x.output_tokens, x.reasoning_tokens,
           estimated, x.cost_usd, x.latency_ms, x.attempts, x.answered_at, x.operator_name, x.workload,
           x.round_number);
  x.usage_estimated = estimated != 0;
  Statement messages(connection, R"sql(
      SELECT m.role, kevolve_unpack(t.packed, t.text) FROM exchange_messages m JOIN prompt_texts t ON t.id = m.text
       WHERE m.exchange = ?1 ORDER BY m.ordinal)sql");
  messages.bind(x.id);
  while (messages.step()) {
    ExchangeMessage& message = x.messages.emplace_back();
    messages.read(message.role, message.text);
  }
  return x;
}

}  // namespace

Result<ExchangeId> Archive::record_exchange(const NewExchange& x) {
  return impl_->write([&] {
    Connection& connection = impl_->connection;
    Statement(connection, R"sql(
        INSERT INTO exchanges (run, round, slot, source, model, served_by, outcome, error, reply, reasoning, finish,
                               input_tokens, cached_tokens, output_tokens, reasoning_tokens, usage_estimated, cost_usd,
                               latency_ms, attempts, answered_at_ms)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20))sql")
        .bind(x.run, x.round, x.slot, x.source, x.model, x.served_by, x.outcome, x.error, x.reply,
              x.reasoning, x.finish, x.input_tokens, x.cached_tokens, x.output_tokens, x.reasoning_tokens,
              x.usage_estimated ? 1 : 0, x.cost_usd, x.latency_ms, x.attempts, impl_->now())
        .run();
    const ExchangeId id{connection.last_row_id()};
    int ordinal = 0;
    for (const ExchangeMessage& message : x.messages) {
      Statement(connection, "INSERT INTO exchange_messages VALUES (?1, ?2, ?3, ?4)")
          .bind(id, ordinal++, message.role, text_row(connection, TextTable::prompt_texts, message.text))
          .run();
    }
    return id;
  });
}

Result<std::optional<ExchangeRecord>> Archive::find_exchange(RoundId round, std::string_view slot) {
  return impl_->read([&]() -> std::optional<ExchangeRecord> {
    Statement query(impl_->connection, std::string(kExchangeColumns) +
                                           "WHERE x.round = ?1 AND x.slot = ?2 AND x.outcome = 'replied'");
    if (!query.bind(round, slot).step()) return std::nullopt;
    return read_exchange(impl_->connection, query);
  });
}

Result<std::vector<ExchangeRecord>> Archive::exchanges(JobId job, int newest) {
  return impl_->read([&] {
    Statement query(impl_->connection, std::string(kExchangeColumns) + "WHERE x.id IN (" +
                                           std::string(queries::kExchangesOfJob) + ") ORDER BY x.id");
    query.bind(job, newest > 0 ? newest : -1);
    std::vector<ExchangeRecord> exchanges;
    while (query.step()) exchanges.push_back(read_exchange(impl_->connection, query));
    return exchanges;
  });
}

Result<std::optional<ExchangeRecord>> Archive::exchange(JobId job, ExchangeId id) {
  return impl_->read([&]() -> std::optional<ExchangeRecord> {
    Statement query(impl_->connection, std::string(kExchangeColumns) + "WHERE x.id = ?1 AND r.job = ?2");
    if (!query.bind(id, job).step()) return std::nullopt;
    return read_exchange(impl_->connection, query);
  });
}

Result<Spending> Archive::spending(JobId job) {
  return impl_->read([&] {
    Spending spent;
    std::int64_t lasted_ms = 0;
    Statement query(impl_->connection, queries::kSpending);
    query.bind(job).step();
    query.read(spent.evaluations, lasted_ms, spent.requests, spent.input_tokens, spent.cached_tokens,
               spent.output_tokens, spent.reasoning_tokens, spent.usd, spent.unpriced);
    spent.wall_seconds = static_cast<double>(lasted_ms) / 1000;
    return spent;
  });
}

Result<std::vector<CostRecord>> Archive::costs(std::optional<JobId> job) {
  return impl_->read([&] {
    Statement query(impl_->connection, queries::kCosts);
    query.bind(job);
    std::vector<CostRecord> costs;
    while (query.step()) {
      CostRecord& cost = costs.emplace_back();
      Spending& spent = cost.spent;
      query.read(cost.job, cost.source, cost.model, cost.exchanges, spent.requests, spent.input_tokens,
                 spent.cached_tokens, spent.output_tokens, spent.reasoning_tokens, spent.usd, spent.unpriced,
                 cost.ideas, cost.candidates, cost.verified, cost.wins);
    }
    return costs;
  });
}

}  // namespace kevolve::archive
