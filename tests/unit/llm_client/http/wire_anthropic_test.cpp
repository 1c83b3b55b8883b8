#include "llm_client/http/wire_anthropic.hpp"

#include "tests/catch.hpp"

namespace kevolve {
using namespace llm;
namespace {

ModelSettings model(bool stream = false) {
  ModelSettings settings;
  settings.model = "claude";
  settings.max_output_tokens = 100;
  settings.stream = stream;
  return settings;
}

Json body(const std::vector<Message>& messages, const DroppedFields& dropped = {}) {
  return kAnthropicWire.request({model(), messages, dropped, 7});
}

WireReply stream(const std::vector<const char*>& events) {
  WireReply reply;
  for (const char* event : events) kAnthropicWire.read_event("", event, reply);
  return reply;
}

TEST_CASE("an Anthropic request has its system apart and cache marks where asked") {
  const std::vector<Message> messages = {
      {Role::system, "Be brief.", true}, {Role::user, "One?", false}, {Role::user, "Two?", false},
      {Role::assistant, "1", false},     {Role::user, "", true},      {Role::user, "Three?", false}};
  CHECK(
      body(messages).dump() ==
      R"({"model":"claude","max_tokens":100,"system":[{"type":"text","text":"Be brief.",)"
      R"("cache_control":{"type":"ephemeral"}}],"messages":[{"role":"user","content":[{"type":"text","text":"One?"},)"
      R"({"type":"text","text":"Two?"}]},{"role":"assistant","content":"1"},)"
      R"({"role":"user","content":"Three?"}]})");
  CHECK(body(messages, {"cache_control"}).dump().find("cache_control") == std::string::npos);
}

TEST_CASE("of many cache marks the last four are kept") {
  std::vector<Message> messages;
  for (int i = 0; i < 7; ++i) messages.push_back({Role::user, std::to_string(i), true});
  const Json content = body(messages)["messages"][0]["content"];
  REQUIRE(content.size() == 7);
  for (std::size_t i = 0; i < 7; ++i) CHECK(content[i].contains("cache_control") == (i >= 3));
}

TEST_CASE("the version is pinned, and the key sent where there is one") {
  CHECK(kAnthropicWire.headers("") == std::vector<std::string>{"anthropic-version: 2023-06-01"});
  CHECK(kAnthropicWire.headers("k").back() == "x-api-key: k");
}

TEST_CASE("an Anthropic body is read, its input made to include what was cached") {
  const WireReply reply = kAnthropicWire.read(Json::parse(
      R"({"type":"message","model":"claude-x","content":[{"type":"thinking","thinking":"hm"},
      {"type":"redacted_thinking","data":"??"},{"type":"text","text":"a"},{"type":"text","text":"b"}],
      "stop_reason":"end_turn","usage":{"input_tokens":5,"cache_read_input_tokens":30,
      "cache_creation_input_tokens":7,"output_tokens":9}})"));
  CHECK(reply.text == "ab");
  CHECK(reply.reasoning == "hm");
  CHECK(reply.served_by == "claude-x");
  CHECK(reply.finish == Finish::stop);
  CHECK(reply.usage == TokenUsage{42, 30, 9, 0});
  CHECK(reply.cache_write == 7);
}

TEST_CASE("an Anthropic stream adds up") {
  const WireReply reply =
      stream({R"({"type":"message_start","message":{"model":"claude-x","usage":{"input_tokens":5,
              "cache_read_input_tokens":30,"output_tokens":1}}})",
              R"({"type":"ping"})",
              R"({"type":"content_block_start","content_block":{"type":"thinking","thinking":""}})",
              R"({"type":"content_block_delta","delta":{"type":"thinking_delta","thinking":"hm"}})",
              R"({"type":"content_block_delta","delta":{"type":"signature_delta","signature":"zz"}})",
              R"({"type":"content_block_stop"})",
              R"({"type":"content_block_delta","delta":{"type":"text_delta","text":"a"}})",
              R"({"type":"an event of the future"})",
              R"({"type":"content_block_delta","delta":{"type":"text_delta","text":"b"}})",
              R"({"type":"message_delta","delta":{"stop_reason":"max_tokens"},"usage":{"output_tokens":9}})",
              R"({"type":"message_stop"})"});
  CHECK(reply.text == "ab");
  CHECK(reply.reasoning == "hm");
  CHECK(reply.finish == Finish::length);
  CHECK(reply.usage == TokenUsage{35, 30, 9, 0});
  CHECK(reply.ended);
  CHECK(reply.broken.empty());
}

TEST_CASE("gateways tell the input at the end of an Anthropic stream") {
  const WireReply reply =
      stream({R"({"type":"message_start","message":{"usage":{"input_tokens":0,"output_tokens":0}}})",
              R"({"type":"message_delta","delta":{"stop_reason":"refusal"},
                                     "usage":{"input_tokens":11,"cache_read_input_tokens":2,"output_tokens":3}})"});
  CHECK(reply.usage == TokenUsage{13, 2, 3, 0});
  CHECK(reply.finish == Finish::content_filter);
}

TEST_CASE("an Anthropic server says how it failed") {
  const WireReply reply =
      stream({R"({"type":"message_start","message":{"usage":{"input_tokens":5}}})",
              R"({"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}})"});
  CHECK(reply.error->status == 529);
  CHECK(reply.usage == TokenUsage{5, 0, 0, 0});
  CHECK_FALSE(reply.ended);
  CHECK(stream({"{"}).broken == "an event is no JSON object");
  CHECK(kAnthropicWire.read(Json::parse(R"({"type":"error","error":{"type":"authentication_error"}})"))
            .error->status == 401);
  CHECK(kAnthropicWire.read(Json::parse(R"({"type":"message"})")).broken == "it has no 'content'");
}

TEST_CASE("an Anthropic request keeps its limit, and loses marks that are refused") {
  const Json sent = body({{Role::user, "x", true}});
  const auto refused = [&](const char* message) {
    return refused_field(Api::anthropic, sent, {}, {message, "invalid_request_error", "", "", 400});
  };
  CHECK(refused("max_tokens: 100000 > 64000").empty());
  CHECK(refused("system.0.cache_control: Extra inputs are not permitted") == "cache_control");
}

}  // namespace
}  // namespace kevolve
