#pragma once
// Exchange: one question on its way to its answer, over however many attempts. Owned by whoever has it in
// hand: a queue or a flight. One thread.

#include <chrono>
#include <optional>

#include "llm_client/backend.hpp"
#include "llm_client/http/wire.hpp"

namespace kevolve::llm {

struct Exchange {
  using Time = std::chrono::steady_clock::time_point;

  Question question;
  AnswerHandler handler;
  std::size_t model = 0;      ///< index of the one chosen
  int attempts = 0;           ///< requests sent
  int retries = 0;            ///< of them, those that count against max_retries
  int probes = 0;             ///< attempts that a server in an outage answered with a failure
  int empty = 0;              ///< replies without a text
  std::optional<Time> asked;  ///< the first attempt at this endpoint
  Time not_before{};          ///< of the next attempt
  TokenUsage spent{};         ///< by all attempts, as far as servers told
  double cost_usd = 0;
  bool cost_known = true;

  /// Adds what an attempt took, and its price.
  void spend(const WireReply& reply, const ModelSettings& by);
  [[nodiscard]] std::optional<double> cost() const;
  [[nodiscard]] std::size_t prompt_characters() const;
};

}  // namespace kevolve::llm
