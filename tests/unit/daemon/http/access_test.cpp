#include "daemon/http/access.hpp"

#include "tests/catch.hpp"

using namespace kevolve::http;

namespace {

const std::string kToken = "0123456789abcdef";

std::string kind(const std::optional<Refusal>& refusal) {
  return refusal ? refusal->kind : "";
}

}  // namespace

TEST_CASE("loopback addresses are told from others") {
  for (const char* address : {"127.0.0.1", "127.255.3.4", "::1"}) CHECK(is_loopback(address));
  for (const char* address :
       {"0.0.0.0", "128.0.0.1", "::", "10.0.0.1", "localhost", "127.0.0.1.evil", "127.1", ""})
    CHECK_FALSE(is_loopback(address));
}

TEST_CASE("an address that others can reach needs a token, and a token must be fit") {
  CHECK(access_rules("127.0.0.1", ""));
  CHECK_FALSE(access_rules("0.0.0.0", ""));
  CHECK(access_rules("0.0.0.0", kToken));
  CHECK_FALSE(access_rules("0.0.0.0", kToken)->loopback);
  CHECK_FALSE(access_rules("127.0.0.1", "short"));
  CHECK_FALSE(access_rules("127.0.0.1", kToken + "\r\nX: y"));
  CHECK_FALSE(access_rules("127.0.0.1", kToken + " "));
  CHECK_FALSE(access_rules("127.0.0.1", std::string(1000, 'x')));
}

TEST_CASE("tokens are equal or not") {
  CHECK(equal_in_constant_time(kToken, kToken));
  CHECK(equal_in_constant_time("", ""));
  CHECK_FALSE(equal_in_constant_time("", kToken));
  CHECK_FALSE(equal_in_constant_time("x", ""));
  CHECK_FALSE(equal_in_constant_time(kToken + kToken, kToken));  // a repetition is another
  CHECK_FALSE(equal_in_constant_time(kToken.substr(1), kToken));
  for (std::size_t i = 0; i < kToken.size(); ++i) {
    std::string wrong = kToken;
    wrong[i] = static_cast<char>(wrong[i] ^ 1);
    CHECK_FALSE(equal_in_constant_time(wrong, kToken));
  }
}

TEST_CASE("looking is free on a loopback address, changing never") {
  const AccessRules local{true, kToken}, open{false, kToken}, without{true, ""};
  CHECK(kind(refuse_access(local, false, "")).empty());
  CHECK(kind(refuse_access(local, true, "")) == "token_missing");
  CHECK(kind(refuse_access(local, true, "Bearer " + kToken)).empty());
  CHECK(kind(refuse_access(local, true, "bearer   " + kToken)).empty());
  CHECK(kind(refuse_access(local, true, "Bearer" + kToken)) == "token_missing");
  CHECK(kind(refuse_access(local, true, kToken)) == "token_missing");
  CHECK(kind(refuse_access(local, true, "Bearer ")) == "token_missing");
  CHECK(kind(refuse_access(local, true, "Bearer x")) == "token_wrong");
  CHECK(kind(refuse_access(open, false, "")) == "token_missing");
  CHECK(kind(refuse_access(open, false, "Bearer " + kToken)).empty());
  CHECK(kind(refuse_access(without, false, "")).empty());
  CHECK(kind(refuse_access(without, true, "Bearer ")) == "no_token_set");
}

TEST_CASE("a loopback service answers to its own names") {
  const AccessRules local{true, ""}, open{false, kToken};
  for (const char* host :
       {"localhost", "LocalHost:1", "127.0.0.1:7421", "127.0.0.2", "[::1]", "[::1]:65535"}) {
    INFO(host);
    CHECK(kind(refuse_host(local, host)).empty());
  }
  for (const char* host :
       {"evil.example", "localhost.", "xlocalhost", "127.0.0.1.evil", "[::2]", "user@localhost"}) {
    INFO(host);
    CHECK(kind(refuse_host(local, host)) == "wrong_host");
  }
  for (const char* host :
       {"", ":80", "localhost:", "localhost:x", "localhost:123456", "[::1", "[::1]80", "[]"}) {
    INFO(host);
    CHECK(kind(refuse_host(local, host)) == "bad_host");
  }
  CHECK(kind(refuse_host(open, "gpu.example:80")).empty());
  CHECK(kind(refuse_host(open, "")) == "bad_host");
}
