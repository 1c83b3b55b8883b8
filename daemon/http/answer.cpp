#include "daemon/http/answer.hpp"

namespace kevolve::http {

Answer json_answer(const Json& body, int status) {
  return {status, body.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n"};
}

Answer refusal_answer(const Refusal& refusal) {
  Answer answer =
      json_answer({{"error", {{"kind", refusal.kind}, {"message", refusal.message}}}}, refusal.status);
  if (!refusal.allow.empty()) answer.headers.emplace_back("Allow", refusal.allow);
  if (refusal.status == 401) answer.headers.emplace_back("WWW-Authenticate", "Bearer realm=\"kevolved\"");
  if (refusal.status == 503) answer.headers.emplace_back("Retry-After", "1");
  return answer;
}

Refusal refusal_from(const service::ServiceError& error) {
  switch (error.kind) {
    case service::ServiceFailure::invalid:
      return {400, "invalid", error.message};
    case service::ServiceFailure::not_found:
      return {404, "not_found", error.message};
    case service::ServiceFailure::conflict:
      return {409, "conflict", error.message};
    case service::ServiceFailure::draining:
      return {503, "draining", error.message};
    case service::ServiceFailure::internal:
      break;
  }
  return {500, "internal", error.message};
}

}  // namespace kevolve::http
