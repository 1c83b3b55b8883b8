#include "daemon/http/bodies.hpp"

#include <fmt/format.h>

#include <charconv>

#include "core/model/job.hpp"
#include "core/model/subjects.hpp"
#include "core/text/field_reader.hpp"

namespace kevolve::http {
namespace {

constexpr int kMostKernels = 1000;

tl::unexpected<Refusal> refuse(std::string kind, std::string message) {
  return tl::unexpected<Refusal>(Refusal{400, std::move(kind), std::move(message)});
}

service::ServiceVerb verb_of(Endpoint endpoint) {
  switch (endpoint) {
    case Endpoint::jobs:
      return service::ServiceVerb::jobs;
    case Endpoint::submit:
      return service::ServiceVerb::submit;
    case Endpoint::job:
      return service::ServiceVerb::job;
    case Endpoint::pause:
      return service::ServiceVerb::pause;
    case Endpoint::resume:
      return service::ServiceVerb::resume;
    case Endpoint::cancel:
      return service::ServiceVerb::cancel;
    case Endpoint::prioritise:
      return service::ServiceVerb::prioritise;
    case Endpoint::workers:
      return service::ServiceVerb::workers;
    case Endpoint::drain:
      return service::ServiceVerb::drain;
    case Endpoint::reload:
      return service::ServiceVerb::reload;
    default:
      return service::ServiceVerb::status;
  }
}

/// {"job": …, "priority"?: …}
Result<void> check_submission(const Json& body) {
  FieldReader reader(body, "body");
  const Json* document = reader.required("job");
  std::optional<int> priority;
  reader.maybe("priority", priority);
  const Result<bool> fields = reader.finish(true);
  if (!fields) return failure(fields.error());
  const Result<Job> job = parse_job(*document, "body.job");
  return job ? Result<void>() : failure(job.error());
}

Result<void> check_prioritise(const Json& body) {
  FieldReader reader(body, "body");
  int priority = 0;
  reader.read("priority", priority);
  const Result<int> fields = reader.finish(priority);
  return fields ? Result<void>() : failure(fields.error());
}

Result<void> check_empty(const Json& body) {
  FieldReader reader(body, "body");
  const Result<bool> fields = reader.finish(true);
  return fields ? Result<void>() : failure(fields.error());
}

}  // namespace

tl::expected<service::ServiceRequest, Refusal> service_request(const Match& match, std::string_view body) {
  service::ServiceRequest request{verb_of(match.route->endpoint), match.id, Json::object()};
  if (match.route->body == BodyRule::none) return request;
  if (!body.empty()) {
    Result<Json> json = parse_json(body, "body");
    if (!json) return refuse("not_json", json.error().message);
    request.body = std::move(*json);
  }
  const Result<void> good = request.verb == service::ServiceVerb::submit ? check_submission(request.body)
                            : request.verb == service::ServiceVerb::prioritise
                                ? check_prioritise(request.body)
                                : check_empty(request.body);
  if (!good) return refuse("invalid", good.error().message);
  return request;
}

tl::expected<answers::BestQuestion, Refusal> best_question(const Match& match) {
  const auto value = [&match](std::string_view name) {
    const auto found = match.query.find(name);
    return found == match.query.end() ? std::string() : found->second;
  };
  answers::BestQuestion question{
      value("operator"), value("workload"), value("device"), value("against"), {}, 1};
  if (question.operator_name.empty())
    return refuse("bad_parameter", "'operator' is missing: /v1/best?operator=layernorm");
  if (const std::string& against = question.yardstick; !against.empty() && !subjects::is_yardstick(against))
    return refuse("bad_parameter",
                  fmt::format("'against' is '{}'; expected naive, eager or compile", against));
  if (const std::string precision = value("precision"); !precision.empty()) {
    question.precision = precision_from_name(precision);
    if (!question.precision) {
      return refuse("bad_parameter", fmt::format("'precision' is '{}'; expected exact, strict_fp32, "
                                                 "compensated, tf32, fp16 or bf16",
                                                 precision));
    }
  }
  if (const std::string top = value("top"); !top.empty()) {
    const auto [end, error] = std::from_chars(top.data(), top.data() + top.size(), question.top);
    if (error != std::errc() || end != top.data() + top.size() || question.top < 1 ||
        question.top > kMostKernels)
      return refuse("bad_parameter",
                    fmt::format("'top' is '{}'; expected an integer from 1 to {}", top, kMostKernels));
  }
  return question;
}

}  // namespace kevolve::http
