#pragma once
// An HttpBackend against the fault server, one question or many, and all that it told.

#include <fmt/format.h>

#include <future>
#include <mutex>
#include <thread>

#include "llm_client/http/http_backend.hpp"
#include "tests/catch.hpp"
#include "tests/fault_server/fault_server.hpp"

namespace kevolve::testing {

inline const std::string kKey = "sk-proj-Zq8vT3mW7rB1nK5xL9cD2fH6jP4s";

/// One server for all tests of the process.
inline const FaultServer& server() {
  static const FaultServer the_server;
  return the_server;
}

/// Quick to give up, so that tests are.
inline Json endpoint(const std::string& url, const std::string& api = "openai", const Json& more = nullptr) {
  Json json = {{"api", api},
               {"url", url},
               {"max_retries", 3},
               {"timeouts", {{"connect_seconds", 5}, {"first_byte_seconds", 30}, {"total_seconds", 60}}}};
  if (!more.is_null()) json.update(more);
  return json;
}

/// What the backend told besides its answers.
struct Told {
  std::mutex mutex;
  std::vector<std::string> notes, began, ended;

  std::string all() {
    const std::lock_guard lock(mutex);
    std::string text;
    for (const auto* list : {&notes, &began, &ended}) {
      for (const std::string& each : *list) text += each + "\n";
    }
    return text;
  }
  std::size_t outages() {
    const std::lock_guard lock(mutex);
    return began.size();
  }
};

class Client {
 public:
  /// Models by name, each {"endpoint", ...}; one model "m" at endpoint "e" by default.
  explicit Client(const Json& endpoints, Json models = Json::object(),
                  std::vector<llm::WeightedModel> wanted = {{"m"}}, const llm::KeyRing& more_keys = {},
                  llm::HttpSettings settings = quick()) {
    if (models.empty()) models = {{"m", {{"endpoint", "e"}, {"model", "served"}}}};
    const auto file = llm::parse_models({{"endpoints", endpoints}, {"models", models}}, "models.json");
    if (!file) FAIL(file.error().message);
    llm::KeyRing keys = more_keys;
    for (const auto& [name, ignored] : file->endpoints) keys.try_emplace(name, kKey);
    auto opened = llm::HttpBackend::open(*file, std::move(wanted), keys, events(), settings);
    if (!opened) FAIL(opened.error().message);
    backend = std::move(*opened);
  }

  static Client of(const std::string& script, const Json& endpoint_fields = nullptr,
                   const Json& model_fields = nullptr, const std::string& api = "openai") {
    Json model = {{"endpoint", "e"}, {"model", "served"}};
    if (!model_fields.is_null()) model.update(model_fields);
    return Client({{"e", endpoint(server().url(script), api, endpoint_fields)}}, {{"m", model}});
  }

  /// One model at this one endpoint.
  static Client at(const Json& one_endpoint, llm::HttpSettings settings = quick()) {
    Json endpoints = Json::object();
    endpoints["e"] = one_endpoint;
    return Client(endpoints, Json::object(), {{"m"}}, {}, settings);
  }

  static llm::HttpSettings quick() {
    llm::HttpSettings settings;
    settings.first_back_off = std::chrono::milliseconds(10);
    settings.outages.first_interval = std::chrono::milliseconds(50);
    settings.outages.longest_interval = std::chrono::milliseconds(200);
    return settings;
  }

  std::future<llm::ChatResult> ask(const std::string& prompt, std::uint64_t seed = 1) {
    auto promise = std::make_shared<std::promise<llm::ChatResult>>();
    llm::Question question;
    question.key = {"softmax", "small", 1, prompt.substr(0, 20)};
    question.messages = {{llm::Role::system, "You write kernels.", true}, {llm::Role::user, prompt, false}};
    question.seed = seed;
    backend->ask(std::move(question),
                 [promise](llm::ChatResult result) { promise->set_value(std::move(result)); });
    return promise->get_future();
  }
  llm::ChatResult get(const std::string& prompt = "hello", std::uint64_t seed = 1) {
    auto future = ask(prompt, seed);
    REQUIRE(future.wait_for(std::chrono::seconds(30)) == std::future_status::ready);
    return future.get();
  }
  /// The reply; there must be one.
  llm::ChatReply reply(const std::string& prompt = "hello", std::uint64_t seed = 1) {
    const llm::ChatResult result = get(prompt, seed);
    if (!result) FAIL(result.error().message);
    return *result;
  }
  /// The error's text, after looking that no key is in it nor in what was told.
  std::string refusal(llm::ChatError::Kind kind, const std::string& prompt = "hello") {
    const llm::ChatResult result = get(prompt);
    REQUIRE_FALSE(result);
    CHECK(name(result.error().kind) == name(kind));
    CHECK(result.error().message.find(kKey.substr(4, 10)) == std::string::npos);
    CHECK(told->all().find(kKey.substr(4, 10)) == std::string::npos);
    return result.error().message;
  }

  std::shared_ptr<Told> told = std::make_shared<Told>();
  std::unique_ptr<llm::HttpBackend> backend;

 private:
  [[nodiscard]] llm::BackendEvents events() const {
    llm::BackendEvents events;
    events.noted = [t = told](auto what) { add(*t, t->notes, std::string(what)); };
    events.outage_began = [t = told](auto who, auto why) {
      add(*t, t->began, fmt::format("{}: {}", who, why));
    };
    events.outage_ended = [t = told](auto who, auto) { add(*t, t->ended, std::string(who)); };
    return events;
  }
  static void add(Told& told, std::vector<std::string>& list, std::string text) {
    const std::lock_guard lock(told.mutex);
    list.push_back(std::move(text));
  }
};

}  // namespace kevolve::testing
