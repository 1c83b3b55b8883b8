#include "llm_client/http/exchange.hpp"

namespace kevolve::llm {

void Exchange::spend(const WireReply& reply, const ModelSettings& by) {
  if (!reply.usage) return;
  spent += *reply.usage;
  if (!by.price) {
    cost_known = false;
    return;
  }
  const auto million = [](std::int64_t tokens) { return static_cast<double>(tokens) / 1e6; };
  const TokenUsage& usage = *reply.usage;
  const std::int64_t fresh = usage.input - usage.cached_input - reply.cache_write;
  cost_usd += million(fresh) * by.price->input + million(usage.cached_input) * by.price->cached_input +
              million(reply.cache_write) * by.price->cache_write + million(usage.output) * by.price->output;
}

std::optional<double> Exchange::cost() const {
  return cost_known ? std::optional(cost_usd) : std::nullopt;
}

std::size_t Exchange::prompt_characters() const {
  std::size_t sum = 0;
  for (const Message& message : question.messages) sum += message.text.size();
  return sum;
}

}  // namespace kevolve::llm
