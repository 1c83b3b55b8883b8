#pragma once
// What to do about an attempt that failed, and how long to wait. Pure: numbers and texts in, a decision out.

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "llm_client/http/wire.hpp"

namespace kevolve::llm {

/// Response headers, names in lower case.
using Headers = std::map<std::string, std::string>;

/// How an attempt ended.
enum class Failure {
  none,           ///< an HTTP status came: see HttpAttempt::status
  unreachable,    ///< no name, no connection, or it broke before an answer began
  silent,         ///< connected, but no byte of an answer in time
  broken_off,     ///< the connection broke, or stalled, in the middle of an answer
  too_slow,       ///< the answer was still coming when the attempt's time was over
  too_large,      ///< the answer is larger than is read
  tls_untrusted,  ///< the certificate cannot be trusted, or a file of certificates not be read
  tls_handshake,  ///< TLS could not be agreed on
  misconfigured,  ///< the address is none that can be asked
};

/// `curl_code` as libcurl numbers it; `answered`: bytes of an answer's body had come.
Failure failure_of(int curl_code, bool answered);
std::string_view name(Failure failure);  ///< for people

struct HttpAttempt {
  Failure failure = Failure::none;
  int status = 0;                    ///< of HTTP; 0: none came
  std::optional<ServerError> error;  ///< what the server said, in a body or in the middle of a stream
  bool answered = false;             ///< some of the answer had come (and is paid)
  bool foreign = false;              ///< a 200, but nothing that this API says
};

enum class Remedy {
  accept,      ///< a reply
  retry,       ///< counted
  retry_sick,  ///< the endpoint is judged ill; counted unless it is down
  give_up,     ///< ChatError::refused
  pay,         ///< ChatError::quota
};

/// `patient`: the server said when to come back, so a quota refills by itself.
Remedy remedy_for(const HttpAttempt& attempt, bool patient);

/// retry-after-ms, retry-after (seconds or an HTTP date, seen at `now_unix` seconds), or, of the limits whose
/// remainder is 0, the longest x-ratelimit-reset-*. At most 15 minutes.
std::optional<std::chrono::milliseconds> told_delay(const Headers& headers, std::int64_t now_unix);
/// "12ms", "1m30s", "6.5s", "2h", "3" (seconds).
std::optional<std::chrono::milliseconds> parse_duration(std::string_view text);

/// `first` · 2ⁿ for the n-th retry (from 0), at most 16 times `first`, shortened by up to a quarter, as
/// `seed` has it.
std::chrono::milliseconds back_off(int retry, std::uint64_t seed,
                                   std::chrono::milliseconds first = std::chrono::milliseconds(500));

}  // namespace kevolve::llm
