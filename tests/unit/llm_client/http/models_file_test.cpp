#include "llm_client/http/models_file.hpp"

#include "llm_client/http/http_backend.hpp"
#include "tests/catch.hpp"

namespace kevolve {
using namespace llm;
namespace {

std::string document(const std::string& endpoint, const std::string& model) {
  return R"({ "endpoints": { "e": { )" + endpoint + R"( } }, "models": { "m": { )" + model + " } } }";
}

const std::string kEndpoint = R"("api": "openai", "url": "https://api.example.com/v1")";
const std::string kModel = R"("endpoint": "e", "model": "x")";

Result<ModelsFile> parse(const std::string& text) {
  return parse_models(*parse_json(text, "text"), "models.json");
}

std::string error_of(const std::string& endpoint, const std::string& model = kModel) {
  const auto file = parse(document(endpoint, model));
  REQUIRE_FALSE(file);
  return file.error().message;
}

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

TEST_CASE("the models file that is shipped is read, and gives no key and no invented price") {
  const auto file = load_models(KEVOLVE_SOURCE_DIR "/config/models.json");
  if (!file) FAIL(file.error().message);
  for (const char* endpoint : {"openai", "anthropic", "openrouter", "vllm", "llama_cpp", "ollama"}) {
    CHECK(file->endpoints.count(endpoint) == 1);
  }
  for (const auto& [name, model] : file->models) {
    const bool local = has(file->endpoints.at(model.endpoint).url, "127.0.0.1");
    INFO(name);
    if (local) CHECK((model.price && model.price->input == 0 && model.price->output == 0));
  }
}

TEST_CASE("everything but the address and the name has a default") {
  const auto file = parse(document(kEndpoint, kModel));
  REQUIRE(file);
  const EndpointSettings& endpoint = file->endpoints.at("e");
  CHECK(endpoint.concurrency == 16);
  CHECK(endpoint.max_retries == 6);
  CHECK(endpoint.timeouts.connect == std::chrono::seconds(10));
  CHECK(endpoint.key.env.empty());
  const ModelSettings& model = file->models.at("m");
  CHECK(model.stream);
  CHECK(model.max_output_tokens == 16'384);
  CHECK(model.sampling.empty());
  CHECK_FALSE(model.price);
}

TEST_CASE("every field of a models file is read") {
  const auto file = parse(document(
      R"("api": "openai", "url": "http://127.0.0.1:8080/v1//", "key": { "file": "/run/key" }, "concurrency": 3,
         "requests_per_minute": 4, "tokens_per_minute": 5, "max_retries": 0, "headers": { "X-Title": "kevolve" },
         "ca_file": "/ca.pem", "timeouts": { "connect_seconds": 0.5, "first_byte_seconds": 2, "stall_seconds": 3,
         "total_seconds": 4 })",
      R"("endpoint": "e", "model": "x", "max_output_tokens": 7, "max_tokens_field": "max_tokens",
         "max_prompt_characters": 1000, "stream": false, "temperature": 0.5, "top_p": 0.9,
         "reasoning_effort": "high", "seed": true, "extra": { "top_k": 5 },
         "price": { "input": 2, "cached_input": 1, "output": 3 })"));
  if (!file) FAIL(file.error().message);
  const EndpointSettings& endpoint = file->endpoints.at("e");
  CHECK(endpoint.url == "http://127.0.0.1:8080/v1");
  CHECK(endpoint.key.file == "/run/key");
  CHECK(endpoint.requests_per_minute == 4);
  CHECK(endpoint.tokens_per_minute == 5);
  CHECK(endpoint.headers.at("X-Title") == "kevolve");
  CHECK(endpoint.timeouts.connect == std::chrono::milliseconds(500));
  CHECK(endpoint.timeouts.total == std::chrono::seconds(4));
  const ModelSettings& model = file->models.at("m");
  CHECK(model.sampling.dump() == R"({"temperature":0.5,"top_p":0.9,"reasoning_effort":"high","top_k":5})");
  CHECK(model.seed);
  CHECK(model.max_tokens_field == "max_tokens");
  CHECK(model.price->cached_input == 1);
  CHECK(model.price->cache_write == 2);
}

TEST_CASE("mistakes in a models file are named") {
  CHECK(has(error_of(kEndpoint + R"(, "concurency": 3)"),
            "models.json: endpoints.e: unknown key 'concurency'; did you mean 'concurrency'?"));
  CHECK(has(error_of(R"("api": "opanai", "url": "https://x/v1")"), "did you mean \"openai\"?"));
  CHECK(has(error_of(kEndpoint + R"(, "max_retries": -1)"),
            "endpoints.e.max_retries: found -1; expected an integer"));
  CHECK(error_of(kEndpoint, R"("endpoint": "f", "model": "x")") ==
        "models.json: models.m: endpoint: found \"f\"; expected one of the endpoints: e");
  CHECK(has(error_of(kEndpoint, kModel + R"(, "extra": { "messages": [] })"),
            "models.json: models.m: extra.messages: kevolve sets this field itself"));
  CHECK(
      has(error_of(R"("api": "anthropic", "url": "https://x/v1")", kModel + R"(, "reasoning_effort": "low")"),
          "reasoning_effort: the anthropic API has no such field"));
  CHECK(has(error_of(R"("api": "openai", "url": "ftp://x")"), "expected an http:// or https:// address"));
}

TEST_CASE("a key that was pasted into the file is refused without being shown") {
  for (const char* pasted :
       {R"("key": "sk-secret")", R"("key": { "env": "sk-secret" })", R"("key": { "value": "sk-secret" })",
        R"("key": ["sk-secret"])", R"("headers": { "Authorization": "Bearer sk-secret" })",
        R"("headers": { "X-API-Key": "sk-secret" })"}) {
    const std::string error = error_of(kEndpoint + ", " + pasted);
    INFO(error);
    CHECK_FALSE(has(error, "secret"));
    CHECK(has(error, "{\"env\": NAME}"));
  }
  for (const char* url : {"https://user:sk-secret@x/v1", "https://x/v1?key=sk-secret"}) {
    const std::string error = error_of(std::string(R"("api": "openai", "url": ")") + url + "\"");
    CHECK_FALSE(has(error, "secret"));
    CHECK(has(error, "endpoints.e.url: the address holds a user, a query or a fragment"));
  }
}

TEST_CASE("models are found by name") {
  const auto file = parse(document(kEndpoint, kModel));
  CHECK(endpoints_of(*file, {{"m"}})->count("e") == 1);
  CHECK(endpoints_of(*file, {{"n"}}).error().message ==
        "found the model \"n\"; expected one of the models file's: m");
  CHECK(HttpBackend::open(*file, {{"m"}, {"m"}}, {}, {}).error().message == "the model \"m\" is named twice");
  CHECK(HttpBackend::open(*file, {{"m", 0}}, {}, {}).error().message.find("expected one above 0") !=
        std::string::npos);
  CHECK_FALSE(HttpBackend::open(*file, {}, {}, {}));
}

}  // namespace
}  // namespace kevolve
