#pragma once
// A job's budget against what was spent and what is under way. Pure.

#include <cstdint>
#include <string>

#include "core/model/job.hpp"

namespace kevolve::search {

/// What a job has used up so far.
struct Usage {
  std::int64_t evaluations = 0, requests = 0, tokens = 0;
  double usd = 0, wall_seconds = 0;
};

/// The first limit that is spent, in words ("budget: 100 evaluations spent"); "" when none is.
std::string spent_limit(const JobBudget& budget, const Usage& used);

/// Counts exchanges with models: what came back, and an estimate for what is under way, so that many requests
/// at a time do not run past a limit that each of them alone respects.
class ExchangeBudget {
 public:
  /// `used`: by earlier runs of the job.
  ExchangeBudget(const JobBudget& limits, const Usage& used) : limits_(limits), used_(used) {}

  /// False when one more request of about so many prompt tokens might go past a limit. At least one request
  /// is allowed to be under way until a limit is really spent: a small rest of a budget is used up.
  [[nodiscard]] bool may_ask(std::int64_t prompt_tokens) const;
  void asked(std::int64_t prompt_tokens);
  /// `prompt_tokens`: as given to asked(). What failed has cost its attempts only.
  void answered(std::int64_t prompt_tokens, int attempts, std::int64_t tokens, double usd);

  [[nodiscard]] const Usage& used() const { return used_; }
  [[nodiscard]] int under_way() const { return under_way_; }

 private:
  [[nodiscard]] Usage expected(std::int64_t prompt_tokens, int requests) const;

  const JobBudget limits_;
  Usage used_;
  int under_way_ = 0;
  std::int64_t prompt_tokens_under_way_ = 0;
  // Of this run, for the estimate.
  std::int64_t answers_ = 0, answer_prompt_tokens_ = 0, answer_tokens_ = 0;
  double answer_usd_ = 0;
};

}  // namespace kevolve::search
