#pragma once
// What the wires have in common: how a question is asked of an API, and what its server said. Pure values and
// functions; wire_openai.hpp and wire_anthropic.hpp hold the two shapes.

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "llm_client/chat.hpp"
#include "llm_client/http/models_file.hpp"

namespace kevolve::llm {

/// Names of request fields that a server has refused; they are left out from then on.
using DroppedFields = std::set<std::string>;

struct WireRequest {
  const ModelSettings& model;
  const std::vector<Message>& messages;
  const DroppedFields& dropped;
  std::uint64_t seed = 0;
};

/// An error as a server words it.
struct ServerError {
  std::string message, type, code, field;
  int status = 0;  ///< the HTTP status that its type stands for; 0: none
};

/// What a server said; also what has arrived so far of a stream.
struct WireReply {
  std::string text, reasoning, served_by;
  Finish finish = Finish::unknown;
  std::optional<TokenUsage> usage;
  std::int64_t cache_write = 0;  ///< of usage.input; Anthropic bills it apart
  std::optional<ServerError> error;
  std::string broken;  ///< why it is no reply of this API, or ""
  bool ended = false;  ///< the server said that this is all
};

struct Wire {
  std::string_view path;  ///< behind the endpoint's url
  Json (*request)(const WireRequest& request);
  /// A whole body, of whatever status.
  WireReply (*read)(const Json& body);
  /// One event of a stream, added to what has arrived.
  void (*read_event)(std::string_view event, std::string_view data, WireReply& so_far);
  /// Header lines with the key and the API's version.
  std::vector<std::string> (*headers)(const std::string& key);
};

const Wire& wire_of(Api api);

/// The field of `body` that the server does not want, from the words of a 400; "" when it names none that can
/// be spared: neither what makes the request, nor the limit of the answer under its last name. Add it to
/// `dropped`.
std::string refused_field(Api api, const Json& body, const DroppedFields& dropped, const ServerError& error);

/// `error` of a body or an event: {"error": {...}}, {"error": "..."}, {"message": ...}, {"detail": ...}.
std::optional<ServerError> read_error(const Json& body);
/// Of "overloaded_error", 429, "429", "rate_limit_exceeded": the status it stands for, or 0.
int status_of_error(std::string_view type, std::string_view code);

/// About four characters a token, for servers that tell none.
TokenUsage estimated_usage(const std::vector<Message>& messages, const WireReply& reply);

/// A text or number member of `json`, as text; "" when there is none.
std::string text_member(const Json& json, const char* key);
/// The first of these members that is a count; 0 when there is none.
std::int64_t count_member(const Json& json, std::initializer_list<const char*> keys);
/// A member that is an object, or an empty one.
const Json& object_member(const Json& json, const char* key);

}  // namespace kevolve::llm
