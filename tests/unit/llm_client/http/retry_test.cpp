#include "llm_client/http/retry.hpp"

#include <curl/curl.h>

#include "tests/catch.hpp"

namespace kevolve {
using namespace llm;
namespace {

using std::chrono::milliseconds;

Remedy of_status(int status, ServerError error = {}, bool patient = false) {
  HttpAttempt attempt;
  attempt.status = status;
  attempt.error = std::move(error);
  return remedy_for(attempt, patient);
}

Remedy of_stream_error(int status, bool answered) {
  HttpAttempt attempt;
  attempt.status = 200;
  attempt.answered = answered;
  attempt.error = ServerError{"m", "t", "", "", status};
  return remedy_for(attempt, false);
}

TEST_CASE("statuses are retried, given up or paid") {
  for (const int status : {408, 409, 425, 429}) CHECK(of_status(status) == Remedy::retry);
  for (const int status : {500, 502, 503, 504, 529}) CHECK(of_status(status) == Remedy::retry_sick);
  for (const int status : {307, 400, 401, 403, 404, 413, 422}) CHECK(of_status(status) == Remedy::give_up);
  CHECK(of_status(402) == Remedy::pay);
  HttpAttempt fine;
  fine.status = 200;
  CHECK(remedy_for(fine, false) == Remedy::accept);
  fine.foreign = true;
  CHECK(remedy_for(fine, false) == Remedy::give_up);
}

TEST_CASE("an exhausted account is told from a busy minute") {
  const ServerError code{"You exceeded it.", "", "insufficient_quota", "", 0};
  CHECK(of_status(429, code) == Remedy::pay);
  CHECK(of_status(429, code, true) == Remedy::pay);
  const ServerError words{"You exceeded your current quota, please check your plan.", "", "", "", 0};
  CHECK(of_status(429, words) == Remedy::pay);
  CHECK(of_status(429, words, true) == Remedy::retry);
  CHECK(of_status(429, {"You exceeded your current quota. Please retry in 12s.", "", "", "", 0}) ==
        Remedy::retry);
  CHECK(of_status(400, {"Your credit balance is too low to access the Anthropic API.", "", "", "", 0}) ==
        Remedy::pay);
  CHECK(of_status(429, {"Rate limit reached for requests", "requests", "rate_limit_exceeded", "", 429}) ==
        Remedy::retry);
}

TEST_CASE("an error in a stream counts by what it stands for, and by whether some was answered") {
  CHECK(of_stream_error(529, false) == Remedy::retry_sick);
  CHECK(of_stream_error(529, true) == Remedy::retry);
  CHECK(of_stream_error(429, true) == Remedy::retry);
  CHECK(of_stream_error(0, true) == Remedy::retry);
  CHECK(of_stream_error(400, false) == Remedy::give_up);
}

TEST_CASE("libcurl's codes become failures") {
  CHECK(failure_of(CURLE_OK, false) == Failure::none);
  for (const int code :
       {CURLE_COULDNT_CONNECT, CURLE_COULDNT_RESOLVE_HOST, CURLE_OPERATION_TIMEDOUT, CURLE_GOT_NOTHING,
        CURLE_RECV_ERROR, CURLE_SEND_ERROR, CURLE_PARTIAL_FILE, CURLE_HTTP2}) {
    CHECK(failure_of(code, false) == Failure::unreachable);
    CHECK(failure_of(code, true) == Failure::broken_off);
  }
  CHECK(failure_of(CURLE_PEER_FAILED_VERIFICATION, false) == Failure::tls_untrusted);
  CHECK(failure_of(CURLE_SSL_CACERT_BADFILE, false) == Failure::tls_untrusted);
  CHECK(failure_of(CURLE_SSL_CONNECT_ERROR, false) == Failure::tls_handshake);
  CHECK(failure_of(CURLE_URL_MALFORMAT, false) == Failure::misconfigured);
}

TEST_CASE("what is no use is not retried, what was paid is counted") {
  const auto of = [](Failure failure) { return remedy_for({failure, 0, std::nullopt, false, false}, false); };
  CHECK(of(Failure::unreachable) == Remedy::retry_sick);
  CHECK(of(Failure::silent) == Remedy::retry_sick);
  CHECK(of(Failure::broken_off) == Remedy::retry);
  CHECK(of(Failure::too_slow) == Remedy::retry);
  CHECK(of(Failure::tls_handshake) == Remedy::retry);
  CHECK(of(Failure::tls_untrusted) == Remedy::give_up);
  CHECK(of(Failure::too_large) == Remedy::give_up);
  CHECK(of(Failure::misconfigured) == Remedy::give_up);
}

TEST_CASE("durations of rate-limit headers are read") {
  CHECK(parse_duration("12ms") == milliseconds(12));
  CHECK(parse_duration("1m30s") == milliseconds(90'000));
  CHECK(parse_duration("6.5s") == milliseconds(6'500));
  CHECK(parse_duration("3") == milliseconds(3'000));
  CHECK(parse_duration("0") == milliseconds(0));
  CHECK(parse_duration("59.76s") == milliseconds(59'760));
  CHECK(parse_duration("2h") == std::chrono::minutes(15));  // no longer than that
  for (const char* text : {"", "s", "1x", "-3", "1m30", "1..2s", "nan", "inf", "soon"}) {
    INFO(text);
    CHECK_FALSE(parse_duration(text));
  }
}

TEST_CASE("a server's delay is taken from the most exact header") {
  const std::int64_t now = 784'111'777;  // Sun, 06 Nov 1994 08:49:37 GMT
  const auto told = [&](const Headers& headers) { return told_delay(headers, now); };
  CHECK(told({{"retry-after-ms", "250"}, {"retry-after", "7"}}) == milliseconds(250));
  CHECK(told({{"retry-after", "7"}}) == milliseconds(7'000));
  CHECK(told({{"retry-after", "Sun, 06 Nov 1994 08:50:07 GMT"}}) == milliseconds(30'000));
  CHECK(told({{"retry-after", "Sun, 06 Nov 1994 08:40:07 GMT"}}) == milliseconds(0));
  CHECK(told({{"retry-after", "86400"}}) == std::chrono::minutes(15));
  CHECK_FALSE(told({{"retry-after", "never"}}));
  CHECK_FALSE(told({{"x-ratelimit-reset-tokens", "6s"}, {"x-ratelimit-remaining-tokens", "17"}}));
  CHECK(told({{"x-ratelimit-reset-tokens", "6s"},
              {"x-ratelimit-remaining-tokens", "0"},
              {"x-ratelimit-reset-requests", "120ms"},
              {"x-ratelimit-remaining-requests", "0"}}) == milliseconds(6'000));
}

TEST_CASE("back-off doubles to eight seconds and is spread by at most a quarter") {
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    for (int retry = 0; retry < 60; ++retry) {
      const double full = std::min(500.0 * static_cast<double>(1ULL << std::min(retry, 10)), 8'000.0);
      const auto delay = static_cast<double>(back_off(retry, seed).count());
      CHECK(delay <= full);
      CHECK(delay >= 0.75 * full - 1);
    }
  }
  CHECK(back_off(0, 1) == back_off(0, 1));
  CHECK(back_off(3, 1) != back_off(3, 2));
}

}  // namespace
}  // namespace kevolve
