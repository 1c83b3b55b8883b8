#include "llm_client/http/answer.hpp"

#include "llm_client/http/wire_openai.hpp"
#include "tests/catch.hpp"

namespace kevolve {
using namespace llm;
namespace {

HttpAnswer of(int status, const std::string& body, const Headers& headers = {}) {
  Received received;
  received.status = status;
  received.body = body;
  received.headers = headers;
  return read_answer(kOpenAiWire, received);
}

TEST_CASE("a refusal is told in the server's words") {
  HttpAnswer answer = of(404, R"({"error":{"message":"no such model","code":"model_not_found"}})");
  CHECK(answer.what == "HTTP 404 (model_not_found): no such model");
  CHECK(answer.attempt.error->message == "no such model");
  CHECK(of(502, "<html><head><title>Bad</title></head>\n<body>gateway</body></html>").what ==
        "HTTP 502: Bad gateway");
  CHECK(of(500, "").what == "HTTP 500");
  answer = of(307, "", {{"location", "https://evil.example:8/path?token=1"}});
  CHECK(answer.what.find("redirected to https://evil.example:8;") != std::string::npos);
  CHECK(answer.what.find("token") == std::string::npos);
}

TEST_CASE("a 200 that is no reply is told apart from one that broke off") {
  CHECK(of(200, "<!DOCTYPE html><p>Log in</p>").attempt.foreign);
  CHECK(of(200, "<!DOCTYPE html><p>Log in</p>").what == "a web page came instead of a reply: Log in");
  CHECK(of(200, R"({"hello":"world"})").attempt.foreign);
  CHECK(of(200, R"({"choices":[{"mess)").attempt.failure == Failure::broken_off);
  CHECK(of(200, " ").attempt.failure == Failure::broken_off);
  CHECK(of(200, R"({"error":{"message":"x"}})").attempt.error);
  CHECK(of(201, R"({"choices":[{"message":{"content":"x"}}]})").reply.text == "x");
}

TEST_CASE("a stream that was complete before the connection broke is a reply") {
  Received received;
  received.status = 200;
  received.streamed = true;
  received.failure = Failure::broken_off;
  received.stream.text = "x";
  CHECK(read_answer(kOpenAiWire, received).attempt.failure == Failure::broken_off);
  received.stream.ended = true;
  CHECK(read_answer(kOpenAiWire, received).attempt.failure == Failure::none);
  received.stream.broken = "an event is no JSON object";
  CHECK(read_answer(kOpenAiWire, received).attempt.failure == Failure::broken_off);
}

TEST_CASE("excerpts are short, on one line, and cut between characters") {
  CHECK(excerpt(" a\n\n b\x01 c ") == "a b c");
  std::string longer;
  for (int i = 0; i < 300; ++i) longer += "ö";
  for (const std::string& text : {longer, "a" + longer}) {
    const std::string shown = excerpt(text);
    CHECK(shown.size() < 250);
    CHECK(Json(shown).dump().size() > 100);  // throws for what is not UTF-8
  }
}

TEST_CASE("who reads an error is told what to do") {
  EndpointSettings endpoint;
  endpoint.key.env = "MY_KEY";
  ModelSettings model;
  model.model = "gpt";
  const auto told = [&](Failure failure, int status) {
    return advice({failure, status, std::nullopt, false, false}, endpoint, model);
  };
  CHECK(told(Failure::none, 401) == "check the key in the environment variable MY_KEY");
  CHECK(told(Failure::none, 404).find("\"gpt\"") != std::string::npos);
  CHECK(told(Failure::tls_untrusted, 0).find("ca_file") != std::string::npos);
  CHECK(told(Failure::none, 400).empty());
}

}  // namespace
}  // namespace kevolve
