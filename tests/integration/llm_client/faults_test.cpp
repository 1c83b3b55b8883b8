// Servers that fail: what is retried is retried, what is no use is given up, and a person is told what to do.

#include "tests/integration/llm_client/fixture.hpp"

namespace kevolve::testing {
using namespace llm;
namespace {

using Kind = ChatError::Kind;

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

TEST_CASE("what may pass by itself is tried again") {
  for (const char* fault :
       {"status=408", "status=409", "status=429+ms=20", "status=429+refill=20ms", "status=500",
        "status=502+html", "status=503", "status=529", "reset", "empty", "reset-mid", "partial",
        "truncated+json", "sse-error", "sse-error=rate_limit_error", "sse-cut", "error-200=502+json"}) {
    for (const char* api : {"openai", "anthropic"}) {
      INFO(fault << " " << api);
      Client client = Client::of(std::string("passing:") + fault + ",ok", {}, {}, api);
      const ChatResult reply = client.get(std::string("once ") + fault + api);
      if (!reply) FAIL(reply.error().message);
      CHECK(reply->attempts == 2);
      CHECK(has(client.told->all(), "retry 1 of 3"));
      CHECK(client.told->outages() == 0);
    }
  }
}

TEST_CASE("a server's delay is honoured") {
  for (const char* fault :
       {"status=429+ms=1200", "status=429+after=2", "status=503+date=3", "status=429+refill=1s200ms"}) {
    INFO(fault);
    Client client = Client::of(std::string("delay:") + fault + ",ok");
    const auto begin = std::chrono::steady_clock::now();
    REQUIRE(client.get(fault));
    CHECK(std::chrono::steady_clock::now() - begin >= std::chrono::milliseconds(1150));
  }
}

TEST_CASE("what is no use is not tried again") {
  for (const int status : {400, 401, 403, 404, 413, 422}) {
    Client client = Client::of(fmt::format("no-use-{}:status={}", status, status));
    const std::string error = client.refusal(Kind::refused);
    INFO(error);
    CHECK(has(error, "endpoint e (http://127.0.0.1:"));
    CHECK(has(error, fmt::format("HTTP {} (scripted): status {} by script", status, status)));
    CHECK(server().log(fmt::format("no-use-{}", status)).size() == 1);
  }
}

TEST_CASE("an exhausted account is told apart") {
  CHECK(has(Client::of("poor:status=429+quota+ms=10").refusal(Kind::quota), "the account is exhausted"));
  CHECK(has(Client::of("poor:status=402").refusal(Kind::quota), "HTTP 402"));
  CHECK(server().log("poor").size() == 2);
}

TEST_CASE("a request that fails while others are answered is exhausted") {
  HttpSettings settings = Client::quick();
  settings.first_back_off = std::chrono::milliseconds(100);
  Client client = Client::at(endpoint(server().url("mixed:status=500+only=fails")), settings);
  auto unlucky = client.ask("fails");
  for (int i = 0; unlucky.wait_for(std::chrono::milliseconds(20)) != std::future_status::ready; ++i) {
    REQUIRE(i < 1000);
    REQUIRE(client.get("works"));
  }
  const ChatResult result = unlucky.get();
  REQUIRE_FALSE(result);
  CHECK(result.error().kind == Kind::exhausted);
  CHECK(has(result.error().message, "given up after 4 attempts"));
  CHECK(client.told->outages() == 0);
}

TEST_CASE("an answer that breaks off each time is given up, as it is paid each time") {
  Client client = Client::of("cut:sse-error", {{"max_retries", 1}}, {}, "anthropic");
  const ChatResult result = client.get();
  REQUIRE_FALSE(result);
  CHECK(result.error().kind == Kind::exhausted);
  CHECK(has(result.error().message, "Overloaded in the middle"));
  // What the server told of each attempt before it broke off is not lost.
  const auto input_once = Client::of("ok", {}, {}, "anthropic").reply().usage.input;
  CHECK(result.error().usage.input == 2 * input_once);
  CHECK(Client::of("cut-once:sse-error,ok", {}, {}, "anthropic").reply().usage.input == 2 * input_once);
}

TEST_CASE("redirects are not followed") {
  for (const char* to : {"same", "other"}) {
    const std::string error = Client::of(std::string("moved:status=307+to=") + to).refusal(Kind::refused);
    INFO(error);
    CHECK(has(error, "redirects are not followed, so that the key goes nowhere else"));
    CHECK(has(error, "check the endpoint's 'url'"));
  }
  for (const Json& entry : server().log("moved")) CHECK(entry["path"] == "/v1/chat/completions");
}

TEST_CASE("a web page instead of a reply is told as one") {
  const std::string error = Client::of("page:html+json").refusal(Kind::refused);
  INFO(error);
  CHECK(has(error, "a web page came instead of a reply: Please log in to the corporate proxy"));
  CHECK(has(error, "https_proxy"));
}

TEST_CASE("answers that are too large are not read to their end") {
  for (const char* script : {"big:huge=100", "bomb:huge=100+bomb"}) {
    HttpSettings settings = Client::quick();
    settings.limits.body_bytes = 1 << 20;
    Client client = Client::at(endpoint(server().url(script)), settings);
    const std::string error = client.refusal(Kind::refused);
    INFO(error);
    const std::string before = "the answer is too large (more than ";
    REQUIRE(has(error, before));
    CHECK(std::stol(error.substr(error.find(before) + before.size())) < (1 << 20) + (1 << 17));
  }
}

TEST_CASE("a prompt that is too large is not sent") {
  Client client = Client::of("large", {}, {{"max_prompt_characters", 1000}});
  const std::string error = client.refusal(Kind::refused, std::string(2000, 'x'));
  CHECK(has(error, "the prompt has 2018 characters; model m takes at most 1000 (max_prompt_characters"));
  CHECK(server().log("large").empty());
}

TEST_CASE("a silent, a stalled and a slow server are given up") {
  const auto with = [](const char* script, const char* timeout) {
    return Client::of(script, {{"max_retries", 1}, {"timeouts", {{timeout, 0.3}}}});
  };
  Client silent = with("all-silent:hang,ok", "first_byte_seconds");
  CHECK(silent.reply().attempts == 2);
  CHECK(has(silent.told->all(), "no answer (no byte within 0.3 s)"));
  Client stalled = with("all-stalled:stall,ok", "stall_seconds");
  CHECK(stalled.reply().attempts == 2);
  CHECK(has(stalled.told->all(), "the answer broke off (no further byte for 0.3 s)"));
  Client slow = with("all-slow:drip=100+pieces=20,ok", "total_seconds");
  CHECK(slow.reply().attempts == 2);
  CHECK(has(slow.told->all(), "the answer took too long (within 0.3 s in all)"));
}

}  // namespace
}  // namespace kevolve::testing
