#pragma once
// Answer and Refusal: what goes back to a client, before it is bytes. Plain values.

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/text/json.hpp"
#include "daemon/service/service.hpp"

namespace kevolve::http {

/// Why a request is not answered. `kind` is a word for programs, `message` a sentence for people.
struct Refusal {
  int status = 400;
  std::string kind = "bad_request";
  std::string message;
  std::string allow = {};  ///< 405: the methods of that path
};

struct Answer {
  int status = 200;
  std::string body = {};
  std::string content_type = "application/json";
  std::vector<std::pair<std::string, std::string>> headers = {};
};

Answer json_answer(const Json& body, int status = 200);
/// {"error": {"kind": …, "message": …}}
Answer refusal_answer(const Refusal& refusal);
/// The service's own word for it, and the status that says the same.
Refusal refusal_from(const service::ServiceError& error);

}  // namespace kevolve::http
