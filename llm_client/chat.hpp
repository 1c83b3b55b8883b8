#pragma once
// What passes between kevolve and a language model: messages one way, a reply or an error the other. Plain
// data; the shapes of particular APIs are in llm_client/http.

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

namespace kevolve::llm {

/// Stored by name: never rename.
enum class Role { system, user, assistant };

std::string_view name(Role role);
std::optional<Role> role_from_name(std::string_view name);

struct Message {
  Role role = Role::user;
  std::string text;
  /// True when everything up to and including this message repeats in other requests of the round: where the
  /// API knows of it, the provider is asked to cache the prompt up to here.
  bool cache_until_here = false;

  bool operator==(const Message&) const = default;
};

/// Why a model stopped writing. Stored by name: never rename.
enum class Finish {
  stop,            ///< it was done
  length,          ///< it ran into a limit: the text breaks off
  content_filter,  ///< the provider cut it
  unknown,
};

std::string_view name(Finish finish);
std::optional<Finish> finish_from_name(std::string_view name);

/// As billed. Providers count differently; here `input` includes `cached_input`, and `output` includes
/// `reasoning`.
struct TokenUsage {
  std::int64_t input = 0, cached_input = 0;
  std::int64_t output = 0, reasoning = 0;

  TokenUsage& operator+=(const TokenUsage& other);
  bool operator==(const TokenUsage&) const = default;
};

struct ChatReply {
  std::string text;
  std::string reasoning;  ///< what the model thought aloud, where the API tells; never parsed for code
  std::string model;      ///< as named in the models file
  std::string served_by;  ///< as the server names itself: "gpt-…-2026-01-01"; may be ""
  Finish finish = Finish::unknown;
  TokenUsage usage;
  bool usage_estimated = false;          ///< the server told none: about four characters a token
  std::optional<double> cost_usd;        ///< by the models file's prices; absent when the model has none
  std::chrono::milliseconds latency{0};  ///< of the attempt that succeeded
  int attempts = 1;                      ///< requests sent, retries included
};

struct ChatError {
  /// Stored by name: never rename.
  enum class Kind {
    refused,  ///< 400, 401, 403, 404, 413, 422, a redirect, a reply that is no reply: asking again is no use
    quota,    ///< the account is exhausted (a 429 that says so): no use until somebody pays
    exhausted,  ///< retried as often as allowed, and the endpoint was answering others meanwhile
    cancelled,  ///< stop() was called
  };
  Kind kind = Kind::refused;
  std::string message;               ///< what, where, what to do; never a key
  TokenUsage usage{};                ///< what its attempts took, as far as the server told
  std::optional<double> cost_usd{};  ///< of that; absent when a model has no price
};

std::string_view name(ChatError::Kind kind);

using ChatResult = tl::expected<ChatReply, ChatError>;

}  // namespace kevolve::llm
