#include "core/search/budget.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace kevolve::search {
namespace {

/// Of a first reply, before any was seen.
constexpr std::int64_t kFirstReplyTokens = 4000;

}  // namespace

std::string spent_limit(const JobBudget& budget, const Usage& used) {
  if (budget.evaluations && used.evaluations >= *budget.evaluations)
    return fmt::format("budget: {} evaluations spent", used.evaluations);
  if (budget.wall_seconds && used.wall_seconds >= *budget.wall_seconds)
    return fmt::format("budget: {:.0f} s of wall time spent", used.wall_seconds);
  if (budget.requests && used.requests >= *budget.requests)
    return fmt::format("budget: {} requests to models spent", used.requests);
  if (budget.tokens && used.tokens >= *budget.tokens)
    return fmt::format("budget: {} tokens spent", used.tokens);
  if (budget.usd && used.usd >= *budget.usd) return fmt::format("budget: {:.2f} USD spent", used.usd);
  return {};
}

/// What is used once `requests` requests with so many prompt tokens have come back, if they are like those
/// before.
Usage ExchangeBudget::expected(std::int64_t prompt_tokens, int requests) const {
  Usage sum = used_;
  const std::int64_t reply =
      answers_ == 0 ? kFirstReplyTokens
                    : std::max<std::int64_t>(0, answer_tokens_ - answer_prompt_tokens_) / answers_;
  sum.requests += requests;
  sum.tokens += prompt_tokens + reply * requests;
  if (answer_tokens_ > 0) {
    sum.usd += answer_usd_ / static_cast<double>(answer_tokens_) *
               static_cast<double>(prompt_tokens + reply * requests);
  }
  return sum;
}

bool ExchangeBudget::may_ask(std::int64_t prompt_tokens) const {
  if (!spent_limit(limits_, used_).empty()) return false;
  if (under_way_ == 0) return true;
  const Usage with_one_more = expected(prompt_tokens_under_way_ + prompt_tokens, under_way_ + 1);
  const auto within = [](const auto& limit, auto value) { return !limit || value <= *limit; };
  return within(limits_.requests, with_one_more.requests) && within(limits_.tokens, with_one_more.tokens) &&
         within(limits_.usd, with_one_more.usd);
}

void ExchangeBudget::asked(std::int64_t prompt_tokens) {
  ++under_way_;
  prompt_tokens_under_way_ += prompt_tokens;
}

void ExchangeBudget::answered(std::int64_t prompt_tokens, int attempts, std::int64_t tokens, double usd) {
  --under_way_;
  prompt_tokens_under_way_ -= prompt_tokens;
  used_.requests += attempts;
  used_.tokens += tokens;
  used_.usd += usd;
  if (tokens == 0) return;
  ++answers_;
  answer_prompt_tokens_ += prompt_tokens;
  answer_tokens_ += tokens;
  answer_usd_ += usd;
}

}  // namespace kevolve::search
