#pragma once
// What became of one attempt: from what arrived over the network to a reply or a failure in words. Pure.

#include <string>

#include "llm_client/http/retry.hpp"
#include "llm_client/http/wire.hpp"

namespace kevolve::llm {

/// What arrived. `streamed`: as events, taken apart into `stream` already; otherwise the bytes are in `body`.
struct Received {
  Failure failure = Failure::none;
  std::string failure_text;  ///< libcurl's words, or ours
  int status = 0;
  Headers headers;
  bool streamed = false;
  WireReply stream;
  std::string body;
};

struct HttpAnswer {
  HttpAttempt attempt;
  WireReply reply;   ///< of use when the remedy is `accept`; its usage always
  std::string what;  ///< the failure in words, with what the server said; not yet redacted
};

HttpAnswer read_answer(const Wire& wire, const Received& received);

/// What a person has to do about a request that was given up; "" when the words of the server say it all.
std::string advice(const HttpAttempt& attempt, const EndpointSettings& endpoint, const ModelSettings& model);

/// The beginning of a body for an error: without tags, control characters and runs of blanks.
std::string excerpt(std::string_view body);

}  // namespace kevolve::llm
