#include "llm_client/http/wire.hpp"

#include <array>
#include <cctype>
#include <charconv>

#include "llm_client/http/wire_anthropic.hpp"
#include "llm_client/http/wire_openai.hpp"

namespace kevolve::llm {
namespace {

constexpr int kCharactersPerToken = 4;

bool can_be_spared(Api api, std::string_view field, const DroppedFields& dropped) {
  if (field == "model" || field == "messages" || field == "stream" || field == "system") return false;
  // OpenAI's limit has two names: one may be refused.
  if (field == "max_tokens") return api == Api::openai && !dropped.contains("max_completion_tokens");
  return field != "max_completion_tokens" || !dropped.contains("max_tokens");
}

bool word_character(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_';
}

/// Where `text` has `word` as a word; npos: nowhere.
std::size_t mentioned_at(std::string_view text, std::string_view word) {
  for (std::size_t at = text.find(word); at != std::string_view::npos; at = text.find(word, at + 1)) {
    const bool begins = at == 0 || !word_character(text[at - 1]);
    const std::size_t end = at + word.size();
    if (begins && (end == text.size() || !word_character(text[end]))) return at;
  }
  return std::string_view::npos;
}

bool mentions(std::string_view text, std::string_view word) {
  return mentioned_at(text, word) != std::string_view::npos;
}

std::string any_text(const Json& json) {
  if (json.is_string()) return json.get<std::string>();
  return json.is_null() ? "" : json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace

const Wire& wire_of(Api api) {
  return api == Api::openai ? kOpenAiWire : kAnthropicWire;
}

std::string text_member(const Json& json, const char* key) {
  if (!json.is_object() || !json.contains(key)) return "";
  const Json& member = json[key];
  if (member.is_string()) return member.get<std::string>();
  return member.is_number() ? member.dump() : "";
}

std::int64_t count_member(const Json& json, std::initializer_list<const char*> keys) {
  if (!json.is_object()) return 0;
  for (const char* key : keys) {
    const auto member = json.find(key);
    if (member == json.end() || !member->is_number()) continue;
    const double value = member->get<double>();
    if (value >= 0 && value < 1e12) return static_cast<std::int64_t>(value);
  }
  return 0;
}

const Json& object_member(const Json& json, const char* key) {
  static const Json none = Json::object();
  if (!json.is_object()) return none;
  const auto member = json.find(key);
  return member != json.end() && member->is_object() ? *member : none;
}

int status_of_error(std::string_view type, std::string_view code) {
  struct Meaning {
    std::string_view word;
    int status;
  };
  static constexpr std::array<Meaning, 16> kMeanings = {{{"overloaded_error", 529},
                                                         {"engine_overloaded", 503},
                                                         {"rate_limit_error", 429},
                                                         {"rate_limit_exceeded", 429},
                                                         {"api_error", 500},
                                                         {"server_error", 500},
                                                         {"internal_error", 500},
                                                         {"internal_server_error", 500},
                                                         {"timeout_error", 504},
                                                         {"authentication_error", 401},
                                                         {"billing_error", 402},
                                                         {"permission_error", 403},
                                                         {"not_found_error", 404},
                                                         {"request_too_large", 413},
                                                         {"invalid_request_error", 400},
                                                         {"BadRequestError", 400}}};
  for (const std::string_view word : {code, type}) {
    int number = 0;
    const auto parsed = std::from_chars(word.data(), word.data() + word.size(), number);
    if (parsed.ec == std::errc() && parsed.ptr == word.data() + word.size() && number >= 400 &&
        number < 600) {
      return number;
    }
  }
  for (const std::string_view word : {type, code}) {
    for (const Meaning& meaning : kMeanings) {
      if (meaning.word == word) return meaning.status;
    }
  }
  return 0;
}

std::optional<ServerError> read_error(const Json& body) {
  if (!body.is_object()) return std::nullopt;
  const bool has_error = body.contains("error") && !body["error"].is_null();
  const bool bare = text_member(body, "object") == "error";  // vLLM's former shape
  if (!has_error && !bare && !body.contains("detail")) return std::nullopt;
  ServerError error;
  const Json& source = has_error && body["error"].is_object() ? body["error"] : body;
  error.message = text_member(source, "message");
  error.type = text_member(source, "type");
  error.code = text_member(source, "code");
  error.field = text_member(source, "param");
  if (has_error && !body["error"].is_object()) error.message = any_text(body["error"]);
  if (error.message.empty() && body.contains("detail")) error.message = any_text(body["detail"]);
  // OpenRouter passes on what the provider behind it said.
  const std::string upstream = text_member(object_member(source, "metadata"), "raw");
  if (!upstream.empty()) error.message += " (" + upstream + ")";
  error.status = status_of_error(error.type, error.code);
  return error;
}

std::string refused_field(Api api, const Json& body, const DroppedFields& dropped, const ServerError& error) {
  const auto spare = [&](std::string_view field) { return can_be_spared(api, field, dropped); };
  if (!error.field.empty() && body.contains(error.field)) return spare(error.field) ? error.field : "";
  // Of several, the first: what is refused comes before what to use instead.
  std::string found;
  std::size_t first = std::string_view::npos;
  for (const auto& [field, ignored] : body.items()) {
    const std::size_t at = mentioned_at(error.message, field);
    if (at >= first || !spare(field)) continue;
    first = at;
    found = field;
  }
  if (!found.empty()) return found;
  const bool marked = api == Api::anthropic && !dropped.contains("cache_control");
  return marked && mentions(error.message, "cache_control") ? "cache_control" : "";
}

TokenUsage estimated_usage(const std::vector<Message>& messages, const WireReply& reply) {
  std::size_t asked = 0;
  for (const Message& message : messages) asked += message.text.size();
  const auto tokens = [](std::size_t characters) {
    return static_cast<std::int64_t>((characters + kCharactersPerToken - 1) / kCharactersPerToken);
  };
  TokenUsage usage;
  usage.input = tokens(asked);
  usage.reasoning = tokens(reply.reasoning.size());
  usage.output = tokens(reply.text.size()) + usage.reasoning;
  return usage;
}

}  // namespace kevolve::llm
