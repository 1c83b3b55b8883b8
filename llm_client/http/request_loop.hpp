#pragma once
// RequestLoop: the life of every question of an HttpBackend: queued at an endpoint, sent when breaker, limits
// and concurrency allow, judged, retried or answered. run() is the backend's one thread, and all but the
// inbox is its own; ask(), stop() and end() may be called from any thread.

#include <curl/curl.h>

#include <atomic>
#include <deque>
#include <memory>
#include <mutex>
#include <vector>

#include "llm_client/http/exchange.hpp"
#include "llm_client/http/http_backend.hpp"
#include "llm_client/http/rate_limiter.hpp"
#include "llm_client/http/transfer.hpp"

namespace kevolve::llm {

struct CurlMultiDeleter {
  void operator()(CURLM* handle) const { ::curl_multi_cleanup(handle); }
};

class RequestLoop {
 public:
  RequestLoop(const ModelsFile& file, const std::vector<WeightedModel>& models, const KeyRing& keys,
              BackendEvents events, const HttpSettings& settings);

  void run();
  void ask(Question question, AnswerHandler handler);
  void stop();  ///< answers all with `cancelled`; the loop goes on, refusing
  void end();   ///< stop(), then run() returns

 private:
  using Time = Exchange::Time;
  using ExchangePtr = std::unique_ptr<Exchange>;

  struct Endpoint {
    const EndpointSettings* settings;
    std::string key;
    CircuitBreaker breaker;
    RateLimiter limiter;
    std::deque<ExchangePtr> waiting;
    int in_flight = 0;
    Time last_success{};
  };
  struct Model {
    ModelSettings settings;
    double weight;
    std::size_t endpoint;
    DroppedFields dropped;
  };
  struct Flight {
    ExchangePtr exchange;
    std::size_t endpoint;
    std::unique_ptr<Transfer> transfer;
    Json body;  // without the messages
    DroppedFields dropped;
    std::uint64_t ticket;  // of the limiter
    bool probe;
  };

  // The loop's steps.
  void take_inbox();
  void cancel_all();
  Time send_what_may_be(Time now);  // returns when to look again
  void receive(Time now);
  void give_up_late(Time now);
  [[nodiscard]] int patience(Time now, Time wake) const;

  // Sending.
  void enqueue(ExchangePtr exchange);
  bool move_elsewhere(ExchangePtr& exchange);
  Time send_from(std::size_t index, Time now);
  void send(ExchangePtr exchange, std::size_t index, Time now);
  [[nodiscard]] std::int64_t expected_tokens(const Exchange& exchange) const;

  // Judging.
  void land(std::size_t flight, Received received, Time now);
  void note_health(Flight& flight, const HttpAnswer& answer, Remedy remedy, Time now);
  void trip(Endpoint& endpoint, const std::string& why, Time now);
  bool drop_field(Flight& flight, const HttpAnswer& answer);
  void accept(Flight& flight, HttpAnswer& answer, Time now);
  void retry(Flight& flight, const HttpAnswer& answer, Remedy remedy, Time now);
  void fail(Exchange& exchange, ChatError::Kind kind, const std::string& message);
  void give_up(Flight& flight, const HttpAnswer& answer, ChatError::Kind kind);
  [[nodiscard]] std::string place(const Exchange& exchange) const;
  void note(const std::string& text);

  ModelsFile file_;
  std::vector<Model> models_;
  std::deque<Endpoint> endpoints_;  // which never moves them: their queues cannot be copied
  std::vector<Flight> flights_;
  Redactor redact_;
  BackendEvents events_;
  HttpSettings settings_;
  std::unique_ptr<CURLM, CurlMultiDeleter> multi_;

  std::mutex inbox_mutex_;
  std::vector<ExchangePtr> inbox_;
  std::atomic<bool> stopping_ = false, ending_ = false;
};

}  // namespace kevolve::llm
