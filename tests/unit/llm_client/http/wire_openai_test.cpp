#include "llm_client/http/wire_openai.hpp"

#include "tests/catch.hpp"

namespace kevolve {
using namespace llm;
namespace {

const std::vector<Message> kMessages = {{Role::system, "Be brief.", true}, {Role::user, "Why?", false}};

ModelSettings openai_model() {
  ModelSettings settings;
  settings.model = "gpt";
  settings.max_output_tokens = 100;
  return settings;
}

Json body(const ModelSettings& settings, const DroppedFields& dropped = {}) {
  return kOpenAiWire.request({settings, kMessages, dropped, 0x1'0000'0007});
}

WireReply read(const char* text) {
  return kOpenAiWire.read(Json::parse(text));
}

WireReply openai_stream(const std::vector<const char*>& events) {
  WireReply reply;
  for (const char* event : events) kOpenAiWire.read_event("", event, reply);
  return reply;
}

TEST_CASE("an OpenAI request holds what is set and nothing else") {
  CHECK(
      body(openai_model()).dump() ==
      R"({"model":"gpt","messages":[{"role":"system","content":"Be brief."},{"role":"user","content":"Why?"}],)"
      R"("max_completion_tokens":100,"max_tokens":100,"stream":true,"stream_options":{"include_usage":true}})");
  ModelSettings full = openai_model();
  full.stream = false;
  full.seed = true;
  full.max_tokens_field = "max_tokens";
  full.sampling = {{"temperature", 0.5}, {"provider", {{"sort", "price"}}}};
  Json sent = body(full);
  sent.erase("messages");
  CHECK(sent.dump() ==
        R"({"model":"gpt","max_tokens":100,"temperature":0.5,"provider":{"sort":"price"},"seed":7})");
}

TEST_CASE(
    "neighbouring messages of one role are joined, in order: strict chat templates want roles to alternate") {
  const std::vector<Message> messages = {{Role::system, "Be brief."},
                                         {Role::user, "The task.", true},
                                         {Role::user, "The question."},
                                         {Role::assistant, "An answer."},
                                         {Role::user, "Another one."}};
  const Json sent = kOpenAiWire.request({openai_model(), messages, {}, 1})["messages"];
  CHECK(sent.dump() ==
        R"([{"role":"system","content":"Be brief."},)"
        R"({"role":"user","content":"The task.\n\nThe question."},)"
        R"({"role":"assistant","content":"An answer."},{"role":"user","content":"Another one."}])");
}

TEST_CASE("a refused field is left out, the limit goes by its other name") {
  ModelSettings settings = openai_model();
  settings.sampling = {{"temperature", 0.5}};
  settings.seed = true;
  const Json sent = body(settings, {"temperature", "seed", "stream_options", "max_completion_tokens"});
  for (const char* field : {"temperature", "seed", "stream_options", "max_completion_tokens"}) {
    CHECK_FALSE(sent.contains(field));
  }
  CHECK(sent["max_tokens"] == 100);
}

TEST_CASE("the field that a 400 means is found") {
  ModelSettings settings = openai_model();
  settings.sampling = {{"temperature", 0.5}};
  const Json sent = body(settings);
  const auto refused = [&](const ServerError& error, const DroppedFields& dropped = {}) {
    return refused_field(Api::openai, sent, dropped, error);
  };
  CHECK(refused({"Unsupported", "", "", "temperature", 400}) == "temperature");
  CHECK(refused({"Unsupported parameter: 'max_completion_tokens'. Use 'max_tokens' instead.", "", "", "",
                 400}) == "max_completion_tokens");
  CHECK(refused({"[{'type': 'extra_forbidden', 'loc': ('body', 'stream_options')}]", "", "", "", 400}) ==
        "stream_options");
  CHECK(refused({"the model is unknown", "", "", "model", 400}).empty());
  CHECK(refused({"temperatures are high", "", "", "", 400}).empty());
  CHECK(refused({"bad", "", "", "messages[0].content", 400}).empty());
  CHECK(refused({"Setting 'max_tokens' and 'max_completion_tokens' at the same time is not supported.", "",
                 "", "", 400}) == "max_tokens");
  CHECK(refused({"'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.", "",
                 "", "", 400}) == "max_tokens");
  // Under its second name the limit stays.
  CHECK(refused({"max_completion_tokens", "", "", "", 400}, {"max_tokens"}).empty());
}

TEST_CASE("an OpenAI body is read, with every spelling of usage and reasoning") {
  WireReply reply = read(R"({"model":"gpt-2026","choices":[{"index":0,"finish_reason":"stop","message":
    {"content":"text","reasoning_content":"hm"}}],"usage":{"prompt_tokens":10,"completion_tokens":7,"total_tokens":17,
    "prompt_tokens_details":{"cached_tokens":4},"completion_tokens_details":{"reasoning_tokens":3}}})");
  CHECK(reply.text == "text");
  CHECK(reply.reasoning == "hm");
  CHECK(reply.served_by == "gpt-2026");
  CHECK(reply.finish == Finish::stop);
  CHECK(reply.usage == TokenUsage{10, 4, 7, 3});
  CHECK(reply.ended);

  reply =
      read(R"({"choices":[{"message":{"content":[{"type":"thinking","thinking":[{"type":"text","text":"a"}]},
    {"type":"text","text":"b"},{"type":"text","text":"c"}],"reasoning":"d"},"finish_reason":"max_tokens"}],
    "usage":{"prompt_tokens":10,"prompt_cache_hit_tokens":6,"completion_tokens":7}})");
  CHECK(reply.text == "bc");
  CHECK(reply.reasoning == "ad");
  CHECK(reply.finish == Finish::length);
  CHECK(reply.usage == TokenUsage{10, 6, 7, 0});

  // Reasoning that is counted beside the completion.
  reply = read(R"({"choices":[{"message":{"content":null},"finish_reason":"odd"}],"usage":{"prompt_tokens":10,
    "completion_tokens":7,"total_tokens":22,"completion_tokens_details":{"reasoning_tokens":5}}})");
  CHECK(reply.text.empty());
  CHECK(reply.finish == Finish::unknown);
  CHECK(reply.usage == TokenUsage{10, 0, 12, 5});

  CHECK(read(R"({"choices":[{"message":{"content":null,"refusal":"No."},"finish_reason":"stop"}]})").finish ==
        Finish::content_filter);
  CHECK_FALSE(read(R"({"choices":[{"message":{"content":"x"}}],"usage":null})").usage);
}

TEST_CASE("errors inside a 200 and strange bodies are no replies") {
  CHECK(read(R"({"error":{"message":"down","code":502}})").error->status == 502);
  CHECK(read(R"({"error":"model not loaded"})").error->message == "model not loaded");
  CHECK(read(R"({"object":"error","message":"too long","type":"BadRequestError"})").error->status == 400);
  CHECK(read(R"({"detail":[{"loc":["body"]}]})").error->message == R"([{"loc":["body"]}])");
  CHECK(read(R"({"choices":[]})").broken == "it has no 'choices'");
  CHECK(read("[1]").broken == "it is no JSON object");
  for (const char* odd : {R"({"choices":[1,null]})", R"({"choices":[{"message":[]}]})",
                          R"({"choices":{"a":1}})", R"({"choices":[{"message":{"content":{}}}],"usage":[]})",
                          R"({"choices":[{}],"usage":{"prompt_tokens":-5,"completion_tokens":1e300}})"}) {
    CHECK(read(odd).text.empty());
  }
}

TEST_CASE("an OpenAI stream adds up") {
  const WireReply reply =
      openai_stream({R"({"model":"m","choices":[{"delta":{"role":"assistant","content":""}}]})",
                     R"({"choices":[{"delta":{"reasoning":"hm","reasoning_content":"hm"}}]})",
                     R"({"choices":[{"delta":{"content":"a"},"finish_reason":null}]})",
                     R"({"choices":[{"index":1,"delta":{"content":"other"}}]})",
                     R"({"choices":[{"delta":{"content":"b"},"finish_reason":"length"}]})",
                     R"({"choices":[],"usage":{"prompt_tokens":2,"completion_tokens":3}})", "[DONE]"});
  CHECK(reply.text == "ab");
  CHECK(reply.reasoning == "hm");
  CHECK(reply.finish == Finish::length);
  CHECK(reply.usage == TokenUsage{2, 0, 3, 0});
  CHECK(reply.ended);
}

TEST_CASE("an OpenAI stream says how it failed") {
  CHECK_FALSE(openai_stream({R"({"choices":[{"delta":{"content":"a"}}]})"}).ended);
  CHECK(openai_stream({R"({"error":{"message":"x","code":"server_error"}})"}).error->status == 500);
  CHECK(openai_stream({R"({"choices":[{"delta":{},"finish_reason":"error","error":{"code":429}}]})"})
            .error->status == 429);
  CHECK(openai_stream({"{\"choices\""}).broken == "an event is no JSON object");
  WireReply reply;
  kOpenAiWire.read_event("error", R"({"message":"busy","type":"overloaded_error"})", reply);
  CHECK(reply.error->status == 529);
}

TEST_CASE("usage that nobody told is estimated") {
  WireReply reply;
  reply.text = "12345678";
  reply.reasoning = "1234";
  CHECK(estimated_usage(kMessages, reply) == TokenUsage{4, 0, 3, 1});
}

}  // namespace
}  // namespace kevolve
