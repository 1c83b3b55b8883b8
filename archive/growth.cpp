// How an Archive grew: sums over its newest rows.

#include <algorithm>

#include "archive/archive.hpp"
#include "archive/impl.hpp"

namespace kevolve::archive {
namespace {

void sum_evaluations(Connection& connection, Growth& growth) {
  Statement query(connection, R"sql(
      SELECT gate, outcome, count(*), max(id) FROM evaluations WHERE id > ?1 GROUP BY gate, outcome)sql");
  query.bind(growth.end.evaluation);
  EvaluationId last = growth.end.evaluation;
  while (query.step()) {
    Gate gate{};
    Outcome outcome{};
    std::int64_t count = 0;
    EvaluationId newest;
    query.read(gate, outcome, count, newest);
    growth.evaluations[{gate, outcome}] = count;
    last = std::max(last, newest);
  }
  growth.end.evaluation = last;
}

void sum_exchanges(Connection& connection, Growth& growth) {
  Statement query(connection, R"sql(
      SELECT source, outcome, count(*), max(id), sum(input_tokens), sum(output_tokens),
             coalesce(sum(cost_usd), 0.0)
        FROM exchanges WHERE id > ?1 GROUP BY source, outcome)sql");
  query.bind(growth.end.exchange);
  ExchangeId last = growth.end.exchange;
  while (query.step()) {
    std::pair<std::string, std::string> key;
    std::int64_t count = 0, input = 0, output = 0;
    double usd = 0;
    ExchangeId newest;
    query.read(key.first, key.second, count, newest, input, output, usd);
    growth.exchanges[key] = count;
    growth.input_tokens += input;
    growth.output_tokens += output;
    growth.usd += usd;
    last = std::max(last, newest);
  }
  growth.end.exchange = last;
}

}  // namespace

Result<Growth> Archive::growth_since(const Growth::Mark& mark) {
  return impl_->read([&] {
    Growth growth;
    growth.end = mark;
    sum_evaluations(impl_->connection, growth);
    sum_exchanges(impl_->connection, growth);
    return growth;
  });
}

}  // namespace kevolve::archive
