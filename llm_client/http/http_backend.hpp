#pragma once
// HttpBackend: language models over HTTP.
//
// One thread of its own does all: libcurl's transfers, retries, limits, outages, and calls handlers and
// events. libcurl adds a short-lived thread for each host name that is being looked up. Every function may be
// called from any thread; not to be destroyed on its own thread, that is, from a handler.

#include <memory>
#include <thread>
#include <vector>

#include "llm_client/backend.hpp"
#include "llm_client/http/circuit_breaker.hpp"
#include "llm_client/http/keys.hpp"
#include "llm_client/http/model_choice.hpp"
#include "llm_client/http/models_file.hpp"
#include "llm_client/http/transfer_limits.hpp"

namespace kevolve::llm {

class RequestLoop;

struct HttpSettings {
  AnswerLimits limits;
  CircuitBreaker::Settings outages;
  std::chrono::milliseconds first_back_off{500};  ///< doubles with every retry
};

class HttpBackend : public Backend {
 public:
  /// `models`: at least one, each once, names of file.models. `keys`: of their endpoints, from take_keys().
  static Result<std::unique_ptr<HttpBackend>> open(const ModelsFile& file, std::vector<WeightedModel> models,
                                                   const KeyRing& keys, BackendEvents events,
                                                   const HttpSettings& settings = {});
  ~HttpBackend() override;
  HttpBackend(const HttpBackend&) = delete;
  HttpBackend& operator=(const HttpBackend&) = delete;

  [[nodiscard]] std::string name() const override { return "llm"; }
  [[nodiscard]] bool worth_waiting_for() const override { return true; }
  void ask(Question question, AnswerHandler handler) override;
  void stop() override;

 private:
  explicit HttpBackend(std::unique_ptr<RequestLoop> loop);

  std::unique_ptr<RequestLoop> loop_;
  std::thread thread_;
};

/// An Error for what open() would refuse: no model, one that is named twice, a weight that is not above 0.
Result<void> check_choice(const ModelsFile& file, const std::vector<WeightedModel>& models);

/// The endpoints that these models are at, for take_keys(); an Error for a name that the file has not.
Result<std::set<std::string>> endpoints_of(const ModelsFile& file, const std::vector<WeightedModel>& models);

}  // namespace kevolve::llm
