#include "llm_client/http/retry.hpp"

#include <curl/curl.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <cmath>

#include "core/text/words.hpp"

namespace kevolve::llm {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kLongestDelay = std::chrono::minutes(15);

template <std::size_t count>
bool holds_any(const std::string& text, const std::array<std::string_view, count>& words) {
  return std::any_of(words.begin(), words.end(),
                     [&](std::string_view word) { return text.find(word) != std::string::npos; });
}

// Codes are decisive. Words are not where a delay is told: some call a limit per minute a quota, too.
bool account_is_exhausted(const ServerError& error, bool patient) {
  static constexpr std::array<std::string_view, 7> kCodes = {
      "insufficient_quota",   "billing_hard_limit_reached", "billing_not_active",
      "insufficient_credits", "insufficient_balance",       "billing_error",
      "access_terminated"};
  static constexpr std::array<std::string_view, 7> kWords = {
      "exceeded your current quota", "credit balance is too low", "insufficient balance",
      "insufficient credit",         "insufficient funds",        "add more credits",
      "billing hard limit"};
  if (holds_any(lower(error.code + " " + error.type), kCodes)) return true;
  const std::string message = lower(error.message);
  return !patient && message.find("retry in") == std::string::npos && holds_any(message, kWords);
}

Remedy remedy_for_status(int status) {
  if (status == 408 || status == 409 || status == 425 || status == 429) return Remedy::retry;
  return status >= 500 ? Remedy::retry_sick : Remedy::give_up;
}

std::optional<double> number(std::string_view text) {
  double value = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), value);
  if (parsed.ec != std::errc() || parsed.ptr != text.data() + text.size() || !std::isfinite(value))
    return std::nullopt;
  return value;
}

milliseconds clamped(double ms) {
  return milliseconds(std::llround(std::clamp(ms, 0.0, static_cast<double>(kLongestDelay.count()))));
}

std::optional<std::string> header(const Headers& headers, const std::string& name) {
  const auto found = headers.find(name);
  return found == headers.end() ? std::nullopt : std::optional(found->second);
}

}  // namespace

Failure failure_of(int curl_code, bool answered) {
  switch (curl_code) {
    case CURLE_OK:
      return Failure::none;
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_URL_MALFORMAT:
    case CURLE_BAD_FUNCTION_ARGUMENT:
      return Failure::misconfigured;
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_ISSUER_ERROR:
    case CURLE_SSL_PINNEDPUBKEYNOTMATCH:
    case CURLE_SSL_INVALIDCERTSTATUS:
      return Failure::tls_untrusted;
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_SSL_CIPHER:
      return Failure::tls_handshake;
    case CURLE_FILESIZE_EXCEEDED:
      return Failure::too_large;
    case CURLE_WRITE_ERROR:
      return Failure::too_large;
    case CURLE_BAD_CONTENT_ENCODING:
      return Failure::broken_off;
    default:
      return answered ? Failure::broken_off : Failure::unreachable;
  }
}

std::string_view name(Failure failure) {
  switch (failure) {
    case Failure::none:
      return "answered";
    case Failure::unreachable:
      return "not reachable";
    case Failure::silent:
      return "no answer";
    case Failure::broken_off:
      return "the answer broke off";
    case Failure::too_slow:
      return "the answer took too long";
    case Failure::too_large:
      return "the answer is too large";
    case Failure::tls_untrusted:
      return "its certificate is not trusted";
    case Failure::tls_handshake:
      return "TLS could not be agreed on";
    case Failure::misconfigured:
      return "the address cannot be used";
  }
  return "";
}

Remedy remedy_for(const HttpAttempt& attempt, bool patient) {
  switch (attempt.failure) {
    case Failure::none:
      break;
    case Failure::unreachable:
    case Failure::silent:
      return Remedy::retry_sick;
    // These are counted even when nobody else is answered: what had come is paid.
    case Failure::broken_off:
    case Failure::too_slow:
    case Failure::tls_handshake:
      return Remedy::retry;
    case Failure::too_large:
    case Failure::tls_untrusted:
    case Failure::misconfigured:
      return Remedy::give_up;
  }
  if (attempt.error && account_is_exhausted(*attempt.error, patient)) return Remedy::pay;
  if (attempt.status == 402) return Remedy::pay;
  if (attempt.status != 200) return remedy_for_status(attempt.status);
  if (attempt.error) {
    // An error after a 200, at the start or in the middle of a stream.
    if (attempt.error->status == 402) return Remedy::pay;
    const Remedy remedy =
        attempt.error->status == 0 ? Remedy::retry : remedy_for_status(attempt.error->status);
    return remedy == Remedy::retry_sick && attempt.answered ? Remedy::retry : remedy;
  }
  return attempt.foreign ? Remedy::give_up : Remedy::accept;
}

std::optional<milliseconds> parse_duration(std::string_view text) {
  if (const auto seconds = number(text); seconds && *seconds >= 0) return clamped(*seconds * 1e3);
  double total = 0;
  if (text.empty()) return std::nullopt;
  while (!text.empty()) {
    const std::size_t digits = text.find_first_not_of("0123456789.");
    if (digits == 0 || digits == std::string_view::npos) return std::nullopt;
    const auto value = number(text.substr(0, digits));
    text.remove_prefix(digits);
    const std::size_t letters = std::min(text.find_first_of("0123456789."), text.size());
    const std::string_view unit = text.substr(0, letters);
    text.remove_prefix(letters);
    const double ms = unit == "ms"  ? 1
                      : unit == "s" ? 1e3
                      : unit == "m" ? 6e4
                      : unit == "h" ? 3.6e6
                      : unit == "d" ? 8.64e7
                                    : -1;
    if (!value || ms < 0) return std::nullopt;
    total += *value * ms;
  }
  return clamped(total);
}

std::optional<milliseconds> told_delay(const Headers& headers, std::int64_t now_unix) {
  if (const auto text = header(headers, "retry-after-ms")) {
    if (const auto ms = number(*text); ms && *ms >= 0) return clamped(*ms);
  }
  if (const auto text = header(headers, "retry-after")) {
    if (const auto told = parse_duration(*text)) return told;
    if (const std::time_t date = ::curl_getdate(text->c_str(), nullptr); date != -1) {
      return clamped(static_cast<double>(date - now_unix) * 1e3);
    }
  }
  std::optional<milliseconds> longest;
  for (const char* limit : {"requests", "tokens"}) {
    const std::string of = limit;
    if (header(headers, "x-ratelimit-remaining-" + of) != "0") continue;
    const auto told = parse_duration(header(headers, "x-ratelimit-reset-" + of).value_or(""));
    if (told) longest = std::max(longest.value_or(milliseconds(0)), *told);
  }
  return longest;
}

milliseconds back_off(int retry, std::uint64_t seed, milliseconds first) {
  const double full = static_cast<double>(first.count()) * std::pow(2.0, std::clamp(retry, 0, 4));
  // A well-mixed fraction of the seed (the finaliser of splitmix64).
  std::uint64_t z = seed + 0x9e3779b97f4a7c15ULL * (static_cast<std::uint64_t>(retry) + 1);
  z = (z ^ (z >> 30U)) * 0xbf58476d1ce4e5b9ULL;
  z = (z ^ (z >> 27U)) * 0x94d049bb133111ebULL;
  const double fraction = static_cast<double>((z ^ (z >> 31U)) >> 11U) * 0x1p-53;
  return milliseconds(std::llround(full * (1 - 0.25 * fraction)));
}

}  // namespace kevolve::llm
