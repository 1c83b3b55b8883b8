#pragma once
// ModelsFile: which language models there are, on which servers, and how they are to be talked to.
//
// config/schema/models.schema.json is the file's specification, docs/models_file.md its guide. The file holds
// no keys, only where they are (keys.hpp reads them). Plain data, immutable after load.

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>

#include "core/text/json.hpp"

namespace kevolve::llm {

enum class Api { openai, anthropic };

/// Where a key is. At most one is set; neither: the endpoint wants none.
struct KeySource {
  std::string env, file;
};

struct Timeouts {
  std::chrono::milliseconds connect{10'000}, first_byte{600'000}, stall{300'000}, total{1'800'000};
};

struct EndpointSettings {
  std::string name;
  Api api = Api::openai;
  std::string url;  ///< without a slash at its end
  KeySource key;
  int concurrency = 16;
  std::optional<int> requests_per_minute;
  std::optional<std::int64_t> tokens_per_minute;
  Timeouts timeouts;
  int max_retries = 6;
  std::map<std::string, std::string> headers;
  std::string ca_file;  ///< "": the system's authorities
};

/// US dollars per million tokens.
struct Price {
  double input = 0, cached_input = 0, cache_write = 0, output = 0;
};

struct ModelSettings {
  std::string name;      ///< as jobs name it
  std::string endpoint;  ///< a key of ModelsFile::endpoints
  std::string model;     ///< as the server names it
  int max_output_tokens = 16'384;
  std::string max_tokens_field;  ///< "": max_completion_tokens until the server refuses it
  std::size_t max_prompt_characters = 8'000'000;
  bool stream = true;
  bool seed = false;
  Json sampling = Json::object();  ///< temperature, top_p, reasoning_effort and `extra`, as they are sent
  std::optional<Price> price;
};

struct ModelsFile {
  std::map<std::string, EndpointSettings> endpoints;
  std::map<std::string, ModelSettings> models;
};

/// `where` is the file's name in errors.
Result<ModelsFile> parse_models(const Json& document, std::string_view where);
Result<ModelsFile> load_models(const std::filesystem::path& file);

}  // namespace kevolve::llm
