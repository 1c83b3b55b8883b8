#include "llm_client/http/request_loop.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <ctime>

namespace kevolve::llm {
namespace {

using std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;

constexpr milliseconds kLongestSleep{1'000};
/// A server that answers every probe of one question with a failure may be well but for that question. With
/// probes a minute apart: half an hour.
constexpr int kMostProbes = 30;
constexpr int kEmptyRetries = 2;  // replies without a text are paid, too
constexpr std::size_t kMostRequestBytes = 64 << 20;

}  // namespace

RequestLoop::RequestLoop(const ModelsFile& file, const std::vector<WeightedModel>& models,
                         const KeyRing& keys, BackendEvents events, const HttpSettings& settings)
    : file_(file),
      redact_(keys),
      events_(std::move(events)),
      settings_(settings),
      multi_(::curl_multi_init()) {
  if (!multi_) std::abort();
  for (const WeightedModel& weighted : models) {
    const ModelSettings& model = file_.models.at(weighted.model);
    const auto same = [&](const Endpoint& endpoint) { return endpoint.settings->name == model.endpoint; };
    const auto found = std::find_if(endpoints_.begin(), endpoints_.end(), same);
    models_.push_back({model, weighted.weight, static_cast<std::size_t>(found - endpoints_.begin()), {}});
    if (found != endpoints_.end()) continue;
    Endpoint endpoint;
    endpoint.settings = &file_.endpoints.at(model.endpoint);
    if (const auto key = keys.find(model.endpoint); key != keys.end()) endpoint.key = key->second;
    endpoint.breaker = CircuitBreaker(settings.outages);
    endpoint.limiter =
        RateLimiter(endpoint.settings->requests_per_minute, endpoint.settings->tokens_per_minute);
    endpoints_.push_back(std::move(endpoint));
  }
}

void RequestLoop::ask(Question question, AnswerHandler handler) {
  auto exchange = std::make_unique<Exchange>();
  exchange->question = std::move(question);
  exchange->handler = std::move(handler);
  {
    const std::lock_guard lock(inbox_mutex_);
    inbox_.push_back(std::move(exchange));
  }
  ::curl_multi_wakeup(multi_.get());
}

void RequestLoop::stop() {
  stopping_ = true;
  ::curl_multi_wakeup(multi_.get());
}

void RequestLoop::end() {
  stopping_ = true;
  ending_ = true;
  ::curl_multi_wakeup(multi_.get());
}

void RequestLoop::run() {
  while (true) {
    const bool last = ending_;
    take_inbox();
    if (stopping_) cancel_all();
    if (last) return;
    int running = 0;
    ::curl_multi_perform(multi_.get(), &running);
    receive(Clock::now());
    give_up_late(Clock::now());
    const Time wake = send_what_may_be(Clock::now());  // last: what was received may be asked again
    ::curl_multi_poll(multi_.get(), nullptr, 0, patience(Clock::now(), wake), nullptr);
  }
}

void RequestLoop::take_inbox() {
  std::vector<ExchangePtr> arrived;
  {
    const std::lock_guard lock(inbox_mutex_);
    arrived.swap(inbox_);
  }
  for (ExchangePtr& exchange : arrived) enqueue(std::move(exchange));
}

void RequestLoop::cancel_all() {
  const auto cancel = [this](Exchange& exchange) {
    fail(exchange, ChatError::Kind::cancelled, "stopped before it was answered");
  };
  std::vector<Flight> flights = std::exchange(flights_, {});
  for (Flight& flight : flights) cancel(*flight.exchange);
  for (Endpoint& endpoint : endpoints_) {
    for (ExchangePtr& exchange : endpoint.waiting) cancel(*exchange);
    endpoint.waiting.clear();
    endpoint.in_flight = 0;
  }
  for (Flight& flight : flights) {
    ::curl_multi_remove_handle(multi_.get(), flight.transfer->handle());
    endpoints_[flight.endpoint].breaker.abandoned(flight.probe);
  }
}

int RequestLoop::patience(Time now, Time wake) const {
  for (const Flight& flight : flights_) wake = std::min(wake, flight.transfer->deadline().at);
  const auto left = std::chrono::ceil<milliseconds>(wake - now);
  return static_cast<int>(std::clamp(left, milliseconds(0), kLongestSleep).count());
}

// --- sending
// ------------------------------------------------------------------------------------------------

void RequestLoop::enqueue(ExchangePtr exchange) {
  std::vector<double> weights;
  for (const Model& model : models_) weights.push_back(model.weight);
  exchange->model =
      choose_model(exchange->question.seed, weights, std::vector<bool>(models_.size(), true)).value_or(0);
  endpoints_[models_[exchange->model].endpoint].waiting.push_back(std::move(exchange));
}

/// To a model of an endpoint that answers, when there is one.
bool RequestLoop::move_elsewhere(ExchangePtr& exchange) {
  std::vector<double> weights;
  std::vector<bool> usable;
  for (const Model& model : models_) {
    weights.push_back(model.weight);
    usable.push_back(!endpoints_[model.endpoint].breaker.open());
  }
  const auto other = choose_model(exchange->question.seed, weights, usable);
  if (!other) return false;
  note(fmt::format("{}: {} is asked instead, while endpoint {} is out", place(*exchange),
                   models_[*other].settings.name,
                   endpoints_[models_[exchange->model].endpoint].settings->name));
  exchange->model = *other;
  exchange->retries = 0;
  exchange->asked.reset();
  exchange->not_before = {};
  endpoints_[models_[*other].endpoint].waiting.push_back(std::move(exchange));
  return true;
}

RequestLoop::Time RequestLoop::send_what_may_be(Time now) {
  Time wake = now + kLongestSleep;
  for (std::size_t i = 0; i < endpoints_.size(); ++i) wake = std::min(wake, send_from(i, now));
  return wake;
}

RequestLoop::Time RequestLoop::send_from(std::size_t index, Time now) {
  Endpoint& endpoint = endpoints_[index];
  Time wake = now + kLongestSleep;
  for (std::size_t i = 0; i < endpoint.waiting.size();) {
    ExchangePtr& next = endpoint.waiting[i];
    const auto erase = [&] {
      endpoint.waiting.erase(endpoint.waiting.begin() + static_cast<std::ptrdiff_t>(i));
    };
    if (endpoint.in_flight >= endpoint.settings->concurrency) return wake;
    if (!endpoint.breaker.admits(now)) {
      if (const auto probe = endpoint.breaker.next_probe()) wake = std::min(wake, *probe);
      if (!move_elsewhere(next)) return wake;
      erase();
      continue;
    }
    const Time ready = std::max(next->not_before, endpoint.limiter.ready(now, expected_tokens(*next)));
    if (ready > now) {
      wake = std::min(wake, ready);
      ++i;
      continue;
    }
    ExchangePtr exchange = std::move(next);
    erase();
    send(std::move(exchange), index, now);
  }
  return wake;
}

std::int64_t RequestLoop::expected_tokens(const Exchange& exchange) const {
  const std::int64_t answer = std::min(models_[exchange.model].settings.max_output_tokens, 2'000);
  return static_cast<std::int64_t>(exchange.prompt_characters() / 4) + answer;
}

void RequestLoop::send(ExchangePtr exchange, std::size_t index, Time now) {
  Endpoint& endpoint = endpoints_[index];
  Model& model = models_[exchange->model];
  const std::size_t characters = exchange->prompt_characters();
  if (characters > model.settings.max_prompt_characters) {
    return fail(
        *exchange, ChatError::Kind::refused,
        fmt::format("the prompt has {} characters; model {} takes at most {} (max_prompt_characters in the "
                    "models file)",
                    characters, model.settings.name, model.settings.max_prompt_characters));
  }
  const Wire& wire = wire_of(endpoint.settings->api);
  Json body =
      wire.request({model.settings, exchange->question.messages, model.dropped, exchange->question.seed});
  std::string text = body.dump(-1, ' ', false, Json::error_handler_t::replace);
  if (text.size() > kMostRequestBytes) {
    return fail(*exchange, ChatError::Kind::refused,
                fmt::format("the request has {} bytes; at most {} are sent", text.size(), kMostRequestBytes));
  }
  body.erase("messages");
  auto transfer = std::make_unique<Transfer>(*endpoint.settings, wire, std::move(text),
                                             wire.headers(endpoint.key), settings_.limits);
  const bool probe = endpoint.breaker.open();
  endpoint.breaker.sent();
  const std::uint64_t ticket = endpoint.limiter.sent(now, expected_tokens(*exchange));
  ++endpoint.in_flight;
  ++exchange->attempts;
  if (!exchange->asked) exchange->asked = now;
  transfer->start(now);
  ::curl_multi_add_handle(multi_.get(), transfer->handle());
  flights_.push_back(
      {std::move(exchange), index, std::move(transfer), std::move(body), model.dropped, ticket, probe});
}

// --- judging
// ------------------------------------------------------------------------------------------------

void RequestLoop::receive(Time now) {
  int left = 0;
  while (const CURLMsg* message = ::curl_multi_info_read(multi_.get(), &left)) {
    if (message->msg != CURLMSG_DONE) continue;
    const CURLcode code = message->data.result;
    const auto same = [&](const Flight& flight) { return flight.transfer->handle() == message->easy_handle; };
    const auto flight = std::find_if(flights_.begin(), flights_.end(), same);
    if (flight == flights_.end()) continue;
    land(static_cast<std::size_t>(flight - flights_.begin()), flight->transfer->finish(code), now);
  }
}

void RequestLoop::give_up_late(Time now) {
  for (std::size_t i = 0; i < flights_.size();) {
    const Transfer::Deadline deadline = flights_[i].transfer->deadline();
    if (deadline.at > now) {
      ++i;
      continue;
    }
    land(i, flights_[i].transfer->give_up(deadline.failure), now);
  }
}

void RequestLoop::land(std::size_t index, Received received, Time now) {
  Flight flight = std::move(flights_[index]);
  flights_.erase(flights_.begin() + static_cast<std::ptrdiff_t>(index));
  ::curl_multi_remove_handle(multi_.get(), flight.transfer->handle());
  Endpoint& endpoint = endpoints_[flight.endpoint];
  --endpoint.in_flight;

  HttpAnswer answer = read_answer(wire_of(endpoint.settings->api), received);
  const auto told = told_delay(received.headers, std::time(nullptr));
  const Remedy remedy = remedy_for(answer.attempt, told.has_value());
  if (answer.reply.usage)
    endpoint.limiter.settled(flight.ticket, answer.reply.usage->input + answer.reply.usage->output);
  if (answer.attempt.status == 429 && told) endpoint.limiter.pause(now + *told);
  if (told) flight.exchange->not_before = now + *told;
  note_health(flight, answer, remedy, now);
  // accept() does it itself, as it may have to estimate.
  if (remedy != Remedy::accept)
    flight.exchange->spend(answer.reply, models_[flight.exchange->model].settings);

  switch (remedy) {
    case Remedy::accept:
      return accept(flight, answer, now);
    case Remedy::retry:
    case Remedy::retry_sick:
      return retry(flight, answer, remedy, now);
    case Remedy::pay:
      return give_up(flight, answer, ChatError::Kind::quota);
    case Remedy::give_up:
      if (!drop_field(flight, answer)) give_up(flight, answer, ChatError::Kind::refused);
  }
}

void RequestLoop::note_health(Flight& flight, const HttpAnswer& answer, Remedy remedy, Time now) {
  Endpoint& endpoint = endpoints_[flight.endpoint];
  if (remedy == Remedy::retry_sick) {
    if (endpoint.breaker.failed(now, flight.probe)) {
      events_.outage_began(endpoint.settings->name, redact_(answer.what));
    }
    return;
  }
  if (remedy == Remedy::retry) {  // it answered, but nothing that shows it well
    if (flight.probe) endpoint.breaker.failed(now, true);
    return;
  }
  endpoint.last_success = now;
  if (const auto lasted = endpoint.breaker.succeeded(now)) {
    events_.outage_ended(endpoint.settings->name, *lasted);
  }
}

/// A 400 that names a field: from now on without it. True when the exchange was queued again.
bool RequestLoop::drop_field(Flight& flight, const HttpAnswer& answer) {
  if ((answer.attempt.status != 400 && answer.attempt.status != 422) || !answer.attempt.error) return false;
  const Endpoint& endpoint = endpoints_[flight.endpoint];
  const std::string field =
      refused_field(endpoint.settings->api, flight.body, flight.dropped, *answer.attempt.error);
  if (field.empty() || flight.dropped.contains(field)) return false;
  Model& model = models_[flight.exchange->model];
  if (model.dropped.insert(field).second) {
    note(fmt::format("model {}: the server refuses the field {}, which is left out from now on: {}",
                     model.settings.name, field, answer.what));
  }
  endpoints_[flight.endpoint].waiting.push_front(std::move(flight.exchange));
  return true;
}

void RequestLoop::accept(Flight& flight, HttpAnswer& answer, Time now) {
  Exchange& exchange = *flight.exchange;
  const Model& model = models_[exchange.model];
  WireReply& reply = answer.reply;
  const bool estimated = !reply.usage;
  if (estimated) reply.usage = estimated_usage(exchange.question.messages, reply);
  exchange.spend(reply, model.settings);

  const bool empty = reply.text.find_first_not_of(" \t\r\n") == std::string::npos;
  const int most = std::min(kEmptyRetries, endpoints_[flight.endpoint].settings->max_retries);
  if (empty && exchange.empty < most) {
    exchange.not_before = now + back_off(exchange.empty, exchange.question.seed, settings_.first_back_off);
    ++exchange.empty;
    note(fmt::format("{}: a reply without a text ({} characters of reasoning); asked again", place(exchange),
                     reply.reasoning.size()));
    endpoints_[flight.endpoint].waiting.push_front(std::move(flight.exchange));
    return;
  }
  ChatReply result;
  result.text = redact_.whole_keys(reply.text);
  result.reasoning = redact_.whole_keys(reply.reasoning);
  result.model = model.settings.name;
  result.served_by = redact_(reply.served_by);
  result.finish = reply.finish;
  result.usage = exchange.spent;
  result.usage_estimated = estimated;
  result.cost_usd = exchange.cost();
  result.latency = std::chrono::duration_cast<milliseconds>(now - flight.transfer->started());
  result.attempts = exchange.attempts;
  exchange.handler(std::move(result));
}

void RequestLoop::trip(Endpoint& endpoint, const std::string& why, Time now) {
  if (endpoint.breaker.trip(now)) events_.outage_began(endpoint.settings->name, redact_(why));
}

void RequestLoop::retry(Flight& flight, const HttpAnswer& answer, Remedy remedy, Time now) {
  Endpoint& endpoint = endpoints_[flight.endpoint];
  Exchange& exchange = *flight.exchange;
  const bool used_up = exchange.retries >= endpoint.settings->max_retries;
  const bool may_be_out = remedy == Remedy::retry_sick || answer.attempt.status == 429;
  if (used_up && may_be_out && endpoint.last_success < *exchange.asked) {
    // Nobody was answered meanwhile: it is the endpoint, not the request.
    trip(endpoint, answer.what, now);
  }
  if (endpoint.breaker.open() && may_be_out) {  // waits for the end of the outage, unspent
    if (flight.probe && answer.attempt.status != 0 && ++exchange.probes >= kMostProbes)
      return give_up(flight, answer, ChatError::Kind::exhausted);
    exchange.retries = 0;
    endpoint.waiting.push_back(std::move(flight.exchange));
    return;
  }
  if (used_up) return give_up(flight, answer, ChatError::Kind::exhausted);
  const milliseconds delay =
      std::max(back_off(exchange.retries, exchange.question.seed, settings_.first_back_off),
               std::chrono::ceil<milliseconds>(exchange.not_before - now));
  exchange.not_before = now + delay;
  ++exchange.retries;
  note(fmt::format("{}: retry {} of {} in {} ms: {}", place(exchange), exchange.retries,
                   endpoint.settings->max_retries, delay.count(), answer.what));
  endpoint.waiting.push_front(std::move(flight.exchange));
}

void RequestLoop::give_up(Flight& flight, const HttpAnswer& answer, ChatError::Kind kind) {
  Exchange& exchange = *flight.exchange;
  const Model& model = models_[exchange.model];
  const EndpointSettings& endpoint = *endpoints_[flight.endpoint].settings;
  std::string message = fmt::format("endpoint {} ({}), model {}: {}", endpoint.name, endpoint.url,
                                    model.settings.name, answer.what);
  if (kind == ChatError::Kind::exhausted)
    message += fmt::format("; given up after {} attempts", exchange.attempts);
  if (kind == ChatError::Kind::quota)
    message += "; the account is exhausted: asking again is no use until it is paid";
  if (kind == ChatError::Kind::refused) {
    if (const std::string todo = advice(answer.attempt, endpoint, model.settings); !todo.empty())
      message += "; " + todo;
  }
  fail(exchange, kind, message);
}

void RequestLoop::fail(Exchange& exchange, ChatError::Kind kind, const std::string& message) {
  exchange.handler(
      tl::unexpected<ChatError>(ChatError{kind, redact_(message), exchange.spent, exchange.cost()}));
}

std::string RequestLoop::place(const Exchange& exchange) const {
  return fmt::format("{}, model {}", to_string(exchange.question.key), models_[exchange.model].settings.name);
}

void RequestLoop::note(const std::string& text) {
  events_.noted(redact_(text));
}

}  // namespace kevolve::llm
