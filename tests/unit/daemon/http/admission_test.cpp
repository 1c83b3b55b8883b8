#include "daemon/http/admission.hpp"

#include "tests/catch.hpp"

using namespace kevolve::http;

namespace {

constexpr std::size_t kLongestTarget = 100;

RequestHead head(std::string_view method, std::string_view target) {
  RequestHead head;
  head.method = method;
  head.target = target;
  head.host = "localhost";
  return head;
}

std::string kind(const RequestHead& request, const AccessRules& rules) {
  const auto match = admit(rules, request, kLongestTarget);
  return match ? "" : match.error().kind;
}

}  // namespace

TEST_CASE("a request is admitted before its body is read") {
  const AccessRules rules{true, "0123456789abcdef"};
  CHECK(kind(head("GET", "/v1/jobs"), rules).empty());
  CHECK(kind(head("GET", "/" + std::string(100, 'a')), rules) == "path_too_long");
  RequestHead post = head("POST", "/v1/jobs");
  CHECK(kind(post, rules) == "token_missing");
  post.authorization = "Bearer 0123456789abcdef";
  CHECK(kind(post, rules) == "length_required");
  post.content_length = 0;
  CHECK(kind(post, rules) == "body_missing");
  post.content_length = 5;
  CHECK(kind(post, rules) == "not_json");
  post.content_type = "Application/JSON; charset=utf-8";
  CHECK(kind(post, rules).empty());
  post.content_type = "application/jsonp";
  CHECK(kind(post, rules) == "not_json");
  RequestHead pause = head("POST", "/v1/jobs/a/pause");
  pause.authorization = post.authorization;
  CHECK(kind(pause, rules).empty());
  pause.chunked = true;
  CHECK(kind(pause, rules) == "not_json");
  RequestHead get = head("GET", "/v1/status");
  get.content_length = 1;
  CHECK(kind(get, rules) == "unexpected_body");
}

TEST_CASE("a Host is needed once, but by HTTP/1.0") {
  const AccessRules rules{true, ""};
  RequestHead request = head("GET", "/v1/status");
  request.hosts = 2;
  CHECK(kind(request, rules) == "bad_host");
  request.hosts = 0;
  request.host = {};
  CHECK(kind(request, rules) == "bad_host");
  request.old_protocol = true;
  CHECK(kind(request, rules).empty());
  request.hosts = 1;
  request.host = "evil.example";
  CHECK(kind(request, rules) == "wrong_host");
}

TEST_CASE("who has no token learns nothing where everything needs it") {
  const AccessRules rules{false, "0123456789abcdef"};
  for (const char* target : {"/v1/status", "/none", "/%2e%2e"})
    CHECK(kind(head("GET", target), rules) == "token_missing");
}
