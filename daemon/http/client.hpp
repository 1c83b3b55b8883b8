#pragma once
// The other end of the HTTP API: where a running service is, and a client that asks it and waits. Every call
// ends by a deadline. A client belongs to one thread.

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "core/text/json.hpp"
#include "daemon/http/sse.hpp"

namespace kevolve::http {

/// Where a service listens. It writes this beside its archive, as ARCHIVE.service, while it runs.
struct ServiceAddress {
  std::string host = "127.0.0.1";
  std::uint16_t port = 7421;
  std::string process = {};               ///< process_identity() of the service; "" when given by hand
  std::filesystem::path token_file = {};  ///< where its token lies; never the token itself
};

/// "127.0.0.1:7421", "http://host:7421", "[::1]:7421".
Result<ServiceAddress> parse_service_address(std::string_view text);

std::filesystem::path service_file(const std::filesystem::path& archive);
/// Written beside it and renamed, so that nobody reads half of it.
Result<void> write_service_file(const std::filesystem::path& archive, const ServiceAddress& address);
void remove_service_file(const std::filesystem::path& archive);
/// The service that has this archive, if one runs on this machine.
std::optional<ServiceAddress> running_service(const std::filesystem::path& archive);

/// The token in a file: its only line.
Result<std::string> read_token(const std::filesystem::path& file);
/// $KEVOLVE_TOKEN; else what $KEVOLVE_TOKEN_FILE names; else, of a service on this machine, what its address
/// names.
/// "" when there is none of them.
Result<std::string> find_token(const ServiceAddress& address);

/// Why a call brought no answer.
struct CallFailure {
  int status = 0;    ///< of HTTP; 0: the service was not reached, or did not answer
  std::string kind;  ///< of the API; "unreachable" for 0
  std::string message;
};

template <class T>
using CallResult = tl::expected<T, CallFailure>;

class Client {
 public:
  /// `token`: "" sends none.
  Client(ServiceAddress address, std::string token,
         std::chrono::milliseconds patience = std::chrono::milliseconds(30'000));

  CallResult<std::string> get_text(std::string_view path);
  CallResult<Json> get(std::string_view path);
  /// `method`: "POST" or "PUT".
  CallResult<Json> send(std::string_view method, std::string_view path, const Json& body);

  /// Events after `last_id` ("": from now on), until `callback` says false (then nothing is wrong), the
  /// service ends the stream, or nothing is heard for twice its heartbeat. Returns the last id.
  CallResult<std::string> follow(std::string_view path, std::string_view last_id,
                                 const SseReader::Callback& callback);

 private:
  struct Exchange;
  CallResult<std::string> exchange(std::string_view method, std::string_view path, const std::string* body);

  ServiceAddress address_;
  std::string token_;
  std::chrono::milliseconds patience_;
};

}  // namespace kevolve::http
