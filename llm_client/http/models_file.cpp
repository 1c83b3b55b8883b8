#include "llm_client/http/models_file.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cmath>

#include "core/text/names.hpp"
#include "core/text/schema.hpp"
#include "core/text/words.hpp"

namespace kevolve::llm {
namespace {

// Fields of a request that kevolve fills in itself.
constexpr std::array<std::string_view, 8> kOwnFields = {
    "model", "messages", "stream", "stream_options", "system", "max_tokens", "max_completion_tokens", "n"};

// Headers that carry keys, or that the HTTP library must set.
constexpr std::array<std::string_view, 9> kRefusedHeaders = {
    "authorization", "proxy-authorization", "x-api-key",    "api-key", "x-goog-api-key",
    "cookie",        "content-length",      "content-type", "host"};

// The schema has accepted what these read.
template <class Value, class Target>
void maybe(const Json& json, const char* key, Target& target) {
  if (json.contains(key)) target = json[key].get<Value>();
}

void maybe_seconds(const Json& json, const char* key, std::chrono::milliseconds& target) {
  if (json.contains(key))
    target = std::chrono::milliseconds(std::max(1L, std::lround(json[key].get<double>() * 1e3)));
}

Timeouts read_timeouts(const Json& json) {
  Timeouts timeouts;
  maybe_seconds(json, "connect_seconds", timeouts.connect);
  maybe_seconds(json, "first_byte_seconds", timeouts.first_byte);
  maybe_seconds(json, "stall_seconds", timeouts.stall);
  maybe_seconds(json, "total_seconds", timeouts.total);
  return timeouts;
}

Result<std::map<std::string, std::string>> read_headers(const Json& json) {
  std::map<std::string, std::string> headers;
  for (const auto& [name, value] : json.items()) {
    const auto refused = std::find(kRefusedHeaders.begin(), kRefusedHeaders.end(), lower(name));
    if (refused != kRefusedHeaders.end()) {
      // Its value may be a key: it is not repeated here.
      return failure(
          fmt::format("headers.{}: this header is not set here; expected the key's place in "
                      "'key', as {{\"env\": NAME}} or {{\"file\": PATH}}",
                      name));
    }
    headers[name] = value.get<std::string>();
  }
  return headers;
}

Result<EndpointSettings> read_endpoint(const std::string& name, const Json& json) {
  EndpointSettings endpoint;
  endpoint.name = name;
  endpoint.api = json["api"] == "openai" ? Api::openai : Api::anthropic;
  endpoint.url = json["url"].get<std::string>();
  while (endpoint.url.back() == '/') endpoint.url.pop_back();
  if (json.contains("key")) {
    maybe<std::string>(json["key"], "env", endpoint.key.env);
    maybe<std::string>(json["key"], "file", endpoint.key.file);
  }
  maybe<int>(json, "concurrency", endpoint.concurrency);
  maybe<int>(json, "requests_per_minute", endpoint.requests_per_minute);
  maybe<std::int64_t>(json, "tokens_per_minute", endpoint.tokens_per_minute);
  endpoint.timeouts = read_timeouts(json.value("timeouts", Json::object()));
  maybe<int>(json, "max_retries", endpoint.max_retries);
  maybe<std::string>(json, "ca_file", endpoint.ca_file);
  auto headers = read_headers(json.value("headers", Json::object()));
  if (!headers) return failure(headers.error());
  endpoint.headers = std::move(*headers);
  return endpoint;
}

Price read_price(const Json& json) {
  Price price;
  price.input = json["input"].get<double>();
  price.cached_input = json.value("cached_input", price.input);
  price.cache_write = json.value("cache_write", price.input);
  price.output = json["output"].get<double>();
  return price;
}

Result<Json> read_sampling(const Json& json, Api api) {
  Json sampling = Json::object();
  for (const char* field : {"temperature", "top_p", "reasoning_effort"}) {
    if (json.contains(field)) sampling[field] = json[field];
  }
  for (const char* field : {"reasoning_effort", "seed"}) {
    const bool used = json.contains(field) && json[field] != false;
    if (api == Api::anthropic && used) {
      return failure(
          fmt::format("{}: the anthropic API has no such field; expected it left out (the API's "
                      "own fields, such as thinking, go into 'extra')",
                      field));
    }
  }
  const Json extra = json.value("extra", Json::object());
  for (const auto& [field, value] : extra.items()) {
    if (std::find(kOwnFields.begin(), kOwnFields.end(), field) != kOwnFields.end() ||
        sampling.contains(field)) {
      return failure(
          fmt::format("extra.{}: kevolve sets this field itself; expected a field that the model "
                      "has no setting for",
                      field));
    }
    sampling[field] = value;
  }
  return sampling;
}

Result<ModelSettings> read_model(const std::string& name, const Json& json,
                                 const std::map<std::string, EndpointSettings>& endpoints) {
  ModelSettings model;
  model.name = name;
  model.endpoint = json["endpoint"].get<std::string>();
  const auto endpoint = endpoints.find(model.endpoint);
  if (endpoint == endpoints.end()) {
    std::vector<std::string> known;
    for (const auto& [each, ignored] : endpoints) known.push_back(each);
    const std::string near = nearest(model.endpoint, known);
    return failure(fmt::format("endpoint: found \"{}\"; expected one of the endpoints: {}{}", model.endpoint,
                               fmt::join(known, ", "),
                               near.empty() ? "" : fmt::format("; did you mean \"{}\"?", near)));
  }
  model.model = json["model"].get<std::string>();
  maybe<int>(json, "max_output_tokens", model.max_output_tokens);
  maybe<std::string>(json, "max_tokens_field", model.max_tokens_field);
  maybe<std::size_t>(json, "max_prompt_characters", model.max_prompt_characters);
  maybe<bool>(json, "stream", model.stream);
  maybe<bool>(json, "seed", model.seed);
  auto sampling = read_sampling(json, endpoint->second.api);
  if (!sampling) return failure(sampling.error());
  model.sampling = std::move(*sampling);
  if (json.contains("price")) model.price = read_price(json["price"]);
  return model;
}

// {"env": NAME} or {"file": PATH}, the NAME such as an environment variable can have.
bool is_key_source(const Json& key) {
  if (!key.is_object() || key.size() != 1 || !key.front().is_string()) return false;
  if (key.contains("file")) return true;
  const std::string& name = key.front().get_ref<const std::string&>();
  const auto fits = [](unsigned char c) { return std::isalnum(c) != 0 || c == '_'; };
  return key.contains("env") && !name.empty() && std::all_of(name.begin(), name.end(), fits);
}

// The schema's errors repeat the value that they are about. Where a key may have been pasted, they must not.
Result<void> refuse_pasted_keys(const Json& document, std::string_view where) {
  const Json none = Json::object();
  const Json& endpoints =
      document.is_object() && document.contains("endpoints") ? document["endpoints"] : none;
  for (const auto& [name, endpoint] : endpoints.items()) {
    if (!endpoint.is_object()) continue;
    const auto at = [&, key = name](const char* field) {
      return fmt::format("{}: endpoints.{}.{}", where, key, field);
    };
    if (endpoint.contains("key") && !is_key_source(endpoint["key"])) {
      return failure(
          fmt::format("{}: this is no place of a key; expected {{\"env\": NAME}} or {{\"file\": PATH}}. "
                      "If the key itself stands there, take it out",
                      at("key")));
    }
    if (endpoint.contains("url") && endpoint["url"].is_string() &&
        endpoint["url"].get_ref<const std::string&>().find_first_of("@?#") != std::string::npos) {
      return failure(
          fmt::format("{}: the address holds a user, a query or a fragment (one of @ ? #); expected "
                      "one without, such as https://api.openai.com/v1, and keys in 'key'",
                      at("url")));
    }
  }
  return {};
}

}  // namespace

Result<ModelsFile> parse_models(const Json& document, std::string_view where) {
  if (auto safe = refuse_pasted_keys(document, where); !safe) return failure(safe.error());
  if (auto valid = validate(document, "models", where); !valid) return failure(valid.error());
  ModelsFile file;
  for (const auto& [name, json] : document["endpoints"].items()) {
    auto endpoint = read_endpoint(name, json);
    if (!endpoint) return failure(endpoint.error().in(fmt::format("{}: endpoints.{}", where, name)));
    file.endpoints[name] = std::move(*endpoint);
  }
  for (const auto& [name, json] : document["models"].items()) {
    auto model = read_model(name, json, file.endpoints);
    if (!model) return failure(model.error().in(fmt::format("{}: models.{}", where, name)));
    file.models[name] = std::move(*model);
  }
  return file;
}

Result<ModelsFile> load_models(const std::filesystem::path& file) {
  const Result<Json> document = read_json_file(file);
  if (!document) return failure(document.error());
  return parse_models(*document, file.string());
}

}  // namespace kevolve::llm
