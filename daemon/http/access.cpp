#include "daemon/http/access.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "core/text/words.hpp"

namespace kevolve::http {
namespace {

constexpr std::size_t kShortestToken = 16, kLongestToken = 512;

bool same_word(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](char x, char y) { return lower(x) == lower(y); });
}

/// What follows "Bearer ", or "".
std::string_view bearer(std::string_view authorization) {
  constexpr std::string_view kScheme = "Bearer ";
  if (authorization.size() <= kScheme.size() || !same_word(authorization.substr(0, kScheme.size()), kScheme))
    return {};
  authorization.remove_prefix(kScheme.size());
  const std::size_t begin = std::min(authorization.find_first_not_of(' '), authorization.size());
  return authorization.substr(begin);
}

/// The host of "host", "host:port" or "[address]:port"; "" when it is none of these.
std::string_view without_port(std::string_view host) {
  std::size_t end = host.size();
  if (host.starts_with('[')) {
    const std::size_t bracket = host.find(']');
    if (bracket == std::string_view::npos) return {};
    end = bracket + 1;
  } else {
    end = std::min(host.find(':'), host.size());
  }
  const std::string_view port = host.substr(end);
  const bool digits = std::all_of(port.begin() + (port.empty() ? 0 : 1), port.end(),
                                  [](char c) { return c >= '0' && c <= '9'; });
  if (!port.empty() && (port[0] != ':' || port.size() < 2 || port.size() > 6 || !digits)) return {};
  host = host.substr(0, end);
  return host.starts_with('[') ? host.substr(1, host.size() - 2) : host;
}

}  // namespace

bool is_loopback(std::string_view address) {
  const std::string text(address);
  in_addr four{};
  if (::inet_pton(AF_INET, text.c_str(), &four) == 1) return (ntohl(four.s_addr) >> 24) == 127;
  in6_addr six{};
  return ::inet_pton(AF_INET6, text.c_str(), &six) == 1 && IN6_IS_ADDR_LOOPBACK(&six);
}

Result<AccessRules> access_rules(std::string_view address, std::string_view token) {
  const bool loopback = is_loopback(address);
  if (token.empty() && !loopback) {
    return failure(fmt::format(
        "address {}: others can reach it, so a token is required; set one, or listen on 127.0.0.1", address));
  }
  const bool sendable = std::all_of(token.begin(), token.end(), [](char c) { return c > ' ' && c < 0x7f; });
  if (!token.empty() && (token.size() < kShortestToken || token.size() > kLongestToken || !sendable)) {
    return failure(
        fmt::format("the token has {} characters{}; expected {} to {} printable ones without spaces",
                    token.size(), sendable ? "" : ", not all printable", kShortestToken, kLongestToken));
  }
  return AccessRules{loopback, std::string(token)};
}

bool equal_in_constant_time(std::string_view given, std::string_view expected) {
  if (expected.empty()) return given.empty();
  unsigned difference = given.size() == expected.size() ? 0U : 1U;
  for (std::size_t i = 0; i < given.size(); ++i) {
    difference |= static_cast<unsigned>(static_cast<unsigned char>(given[i]) ^
                                        static_cast<unsigned char>(expected[i % expected.size()]));
  }
  return difference == 0;
}

std::optional<Refusal> refuse_access(const AccessRules& rules, bool changes, std::string_view authorization) {
  if (rules.loopback && !changes) return std::nullopt;
  if (rules.token.empty()) {
    return Refusal{
        403, "no_token_set",
        "this service was started without a token, so it only answers questions; changing anything "
        "needs one"};
  }
  const std::string_view given = bearer(authorization);
  if (given.empty()) {
    return Refusal{401, "token_missing",
                   "send the service's token in the header 'Authorization: Bearer TOKEN'"};
  }
  if (!equal_in_constant_time(given, rules.token))
    return Refusal{401, "token_wrong", "the token is not this service's"};
  return std::nullopt;
}

std::optional<Refusal> refuse_host(const AccessRules& rules, std::string_view host) {
  const std::string_view name = without_port(host);
  if (name.empty()) return Refusal{400, "bad_host", "the header Host is missing or not host[:port]"};
  if (!rules.loopback || same_word(name, "localhost") || is_loopback(name)) return std::nullopt;
  return Refusal{
      421, "wrong_host",
      fmt::format("this service listens on a loopback address and answers to localhost only, not to "
                  "'{}'",
                  host)};
}

}  // namespace kevolve::http
