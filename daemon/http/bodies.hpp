#pragma once
// Bodies and parameters of requests, turned into what the service and the archive are asked. What is wrong is
// answered with the field, the value and what was expected. Pure.

#include <string_view>
#include <tl/expected.hpp>

#include "daemon/answers/best_question.hpp"
#include "daemon/http/router.hpp"
#include "daemon/service/service.hpp"

namespace kevolve::http {

/// For the endpoints that the service answers.
tl::expected<service::ServiceRequest, Refusal> service_request(const Match& match, std::string_view body);

tl::expected<answers::BestQuestion, Refusal> best_question(const Match& match);

}  // namespace kevolve::http
