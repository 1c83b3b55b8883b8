// What each endpoint answers: asks the service or the archive, and waits without holding the thread.

#include <boost/asio/post.hpp>

#include "daemon/http/archive_endpoints.hpp"
#include "daemon/http/bodies.hpp"
#include "daemon/http/server_impl.hpp"
#include "daemon/version.hpp"

namespace kevolve::http {

extern const char* const openapi_json;

namespace {

/// A health check is to tell soon.
constexpr std::chrono::milliseconds kHealthTime{2000};

template <class Value>
using Pending = std::shared_ptr<std::optional<Value>>;  // filled in the server's thread

/// Fills `pending` from any thread, also when the server or the connection is gone.
template <class Value>
auto filler(const Server::Impl& server, Session& session, const Pending<Value>& pending) {
  return [pending, io = std::weak_ptr<asio::io_context>(server.io),
          waiting = session.weak_from_this()](Value value) {
    const auto context = io.lock();
    if (!context) return;
    asio::post(*context, [pending, waiting, value = std::move(value)]() mutable {
      *pending = std::move(value);
      if (const auto alive = waiting.lock()) alive->wake();
    });
  };
}

asio::awaitable<std::optional<service::ServiceReply>> ask_service(Server::Impl& server, Session& session,
                                                                  service::ServiceRequest request,
                                                                  std::chrono::milliseconds time) {
  const Pending<service::ServiceReply> pending = std::make_shared<std::optional<service::ServiceReply>>();
  server.service.ask(std::move(request), filler(server, session, pending));
  const std::function<bool()> done = [&pending] { return pending->has_value(); };
  co_await session.wait(done, Clock::now() + time);
  co_return *pending;
}

asio::awaitable<Answer> ask_archive(Server::Impl& server, Session& session, QueryPool::Question question) {
  const Pending<Answer> pending = std::make_shared<std::optional<Answer>>();
  const Clock::time_point deadline = Clock::now() + server.settings.limits.answer_time;
  const Refusal busy{503, "busy", "too many questions to the archive are waiting; ask again in a moment"};
  if (!server.pool->ask(std::move(question), deadline, filler(server, session, pending)))
    co_return refusal_answer(busy);
  const std::function<bool()> done = [&pending] { return pending->has_value(); };
  co_await session.wait(done, deadline + std::chrono::milliseconds(500));
  const Refusal late{504, "timeout", "the archive gave no answer in time; ask for less, or later"};
  co_return pending->has_value() ? std::move(**pending) : refusal_answer(late);
}

asio::awaitable<Answer> service_answer(Server::Impl& server, Session& session, const Match& match,
                                       std::string_view body) {
  tl::expected<service::ServiceRequest, Refusal> request = service_request(match, body);
  if (!request) co_return refusal_answer(request.error());
  const service::ServiceVerb verb = request->verb;
  const std::optional<service::ServiceReply> reply =
      co_await ask_service(server, session, std::move(*request), server.settings.limits.answer_time);
  const Refusal late{504, "timeout",
                     "the service gave no answer in time; what was asked for may still happen"};
  if (!reply) co_return refusal_answer(late);
  if (!*reply) co_return refusal_answer(refusal_from(reply->error()));
  const int status = verb == service::ServiceVerb::submit  ? 201
                     : verb == service::ServiceVerb::drain ? 202
                                                           : 200;
  co_return json_answer(**reply, status);
}

asio::awaitable<Answer> health(Server::Impl& server, Session& session) {
  service::ServiceRequest request;
  const std::optional<service::ServiceReply> reply =
      co_await ask_service(server, session, std::move(request), kHealthTime);
  const Refusal stuck{503, "stuck", "the service does not answer"};
  if (!reply) co_return refusal_answer(stuck);
  if (!*reply) co_return refusal_answer(refusal_from(reply->error()));
  const auto draining = (*reply)->find("draining");
  const bool ending = draining != (*reply)->end() && draining->is_boolean() && draining->get<bool>();
  co_return json_answer({{"status", ending ? "draining" : "ok"}, {"version", kVersion}});
}

std::vector<Metric> http_metrics(const Server::Impl& server) {
  Metric requests{"kevolve_http_requests_total", "Requests that were answered.", "counter", {}};
  for (const auto& [key, count] : server.answered) {
    requests.samples.push_back(
        {{{"route", key.first}, {"status", std::to_string(key.second)}}, static_cast<double>(count)});
  }
  const auto single = [](const char* name, const char* help, std::size_t value, const char* type) {
    return Metric{name, help, type, {{{}, static_cast<double>(value)}}};
  };
  return {std::move(requests),
          single("kevolve_http_connections", "Open connections.", server.sessions.size(), "gauge"),
          single("kevolve_event_followers", "Clients that follow events.", server.followers, "gauge"),
          single("kevolve_events_total", "Events since the start.", server.log.last(), "counter")};
}

/// What cannot be had in time is left out: the rest of a scrape is still worth having.
asio::awaitable<Answer> metrics(Server::Impl& server, Session& session) {
  std::vector<Metric> all;
  const auto add = [&all](const std::vector<Metric>& more) {
    all.insert(all.end(), more.begin(), more.end());
  };
  service::ServiceRequest request;
  const std::optional<service::ServiceReply> status =
      co_await ask_service(server, session, request, kHealthTime);
  if (status && *status) add(service_metrics(**status));
  request.verb = service::ServiceVerb::workers;
  const std::optional<service::ServiceReply> workers =
      co_await ask_service(server, session, request, kHealthTime);
  if (workers && *workers) add(worker_metrics(**workers));
  const auto archived = std::make_shared<std::vector<Metric>>();
  QueryPool::Question question = [archived, &totals = server.totals](archive::Archive& archive) {
    Result<std::vector<Metric>> read = totals.read(archive);
    if (!read) return refusal_answer({500, "internal", read.error().message});
    *archived = std::move(*read);
    return Answer{};
  };
  const Answer answer = co_await ask_archive(server, session, std::move(question));
  if (answer.status == 200) add(*archived);
  add(http_metrics(server));
  add(process_metrics());
  Answer text;
  text.body = to_prometheus(all);
  text.content_type = "text/plain; version=0.0.4; charset=utf-8";
  co_return text;
}

}  // namespace

asio::awaitable<Answer> answer_request(Server::Impl& server, Session& session, Match match,
                                       std::string body) {
  Answer answer;
  if (match.route == nullptr) {
    answer.status = 204;
    answer.headers.emplace_back("Allow", match.allow);
    co_return answer;
  }
  switch (match.route->endpoint) {
    case Endpoint::health:
      answer = co_await health(server, session);
      break;
    case Endpoint::metrics:
      answer = co_await metrics(server, session);
      break;
    case Endpoint::openapi:
      answer.body = openapi_json;
      break;
    case Endpoint::events:  // only HEAD comes here
      answer.content_type = "text/event-stream";
      break;
    case Endpoint::report:
    case Endpoint::costs:
    case Endpoint::best:
    case Endpoint::candidate:
    case Endpoint::source:
    case Endpoint::lineage: {
      tl::expected<QueryPool::Question, Refusal> question = archive_question(match);
      if (!question) co_return refusal_answer(question.error());
      answer = co_await ask_archive(server, session, std::move(*question));
      break;
    }
    default:
      answer = co_await service_answer(server, session, match, body);
  }
  co_return answer;
}

}  // namespace kevolve::http
