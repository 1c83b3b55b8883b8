#include "llm_client/http/wire_openai.hpp"

namespace kevolve::llm {
namespace openai {
namespace {

// Servers that know one of the two names ignore the other, and then write without a limit (llama.cpp), or
// refuse it with a 400 that names it (OpenAI): both are sent until one is refused, unless the file names one.
std::vector<std::string> max_tokens_fields(const WireRequest& request) {
  std::vector<std::string> fields = {"max_completion_tokens", "max_tokens"};
  const std::string& only = request.model.max_tokens_field;
  if (!only.empty() && !request.dropped.contains(only)) return {only};
  std::erase_if(fields, [&](const std::string& field) { return request.dropped.contains(field); });
  return fields;
}

Json request_body(const WireRequest& request) {
  Json body = {{"model", request.model.model}, {"messages", Json::array()}};
  Json& messages = body["messages"];
  for (const Message& message : request.messages) {
    // Strict chat templates refuse two messages of one role in a row.
    if (!messages.empty() && messages.back()["role"] == name(message.role)) {
      messages.back()["content"].get_ref<std::string&>() += "\n\n" + message.text;
    } else {
      messages.push_back({{"role", name(message.role)}, {"content", message.text}});
    }
  }
  for (const std::string& field : max_tokens_fields(request)) body[field] = request.model.max_output_tokens;
  for (const auto& [field, value] : request.model.sampling.items()) {
    if (!request.dropped.contains(field)) body[field] = value;
  }
  // Some servers keep seeds in 32 bits.
  if (request.model.seed && !request.dropped.contains("seed")) body["seed"] = request.seed & 0x7fffffffU;
  if (request.model.stream) {
    body["stream"] = true;
    if (!request.dropped.contains("stream_options")) body["stream_options"] = {{"include_usage", true}};
  }
  return body;
}

Finish finish_of(std::string_view reason) {
  if (reason == "stop" || reason == "eos" || reason == "end_turn" || reason == "stop_sequence" ||
      reason == "COMPLETE" || reason == "STOP") {
    return Finish::stop;
  }
  if (reason == "length" || reason == "max_tokens" || reason == "model_length" || reason == "MAX_TOKENS") {
    return Finish::length;
  }
  return reason == "content_filter" || reason == "SAFETY" ? Finish::content_filter : Finish::unknown;
}

// A string, or parts of which some are text.
void append_content(const Json& content, std::string& text, std::string& reasoning) {
  if (content.is_string()) text += content.get_ref<const std::string&>();
  if (!content.is_array()) return;
  for (const Json& part : content) {
    if (part.is_string()) text += part.get_ref<const std::string&>();
    const std::string type = text_member(part, "type");
    if (type == "text" || type == "output_text") text += text_member(part, "text");
    if (type != "thinking" && type != "reasoning") continue;
    reasoning += text_member(part, "text");
    if (part.contains("thinking")) append_content(part["thinking"], reasoning, reasoning);
  }
}

TokenUsage read_usage(const Json& usage) {
  TokenUsage read;
  read.input = count_member(usage, {"prompt_tokens", "input_tokens"});
  read.output = count_member(usage, {"completion_tokens", "output_tokens"});
  const Json& in = usage.contains("prompt_tokens_details") ? object_member(usage, "prompt_tokens_details")
                                                           : object_member(usage, "input_tokens_details");
  read.cached_input = count_member(in, {"cached_tokens"});
  if (read.cached_input == 0) {
    read.cached_input =
        count_member(usage, {"prompt_cache_hit_tokens", "cached_tokens", "cache_read_input_tokens"});
  }
  const Json& out = usage.contains("completion_tokens_details")
                        ? object_member(usage, "completion_tokens_details")
                        : object_member(usage, "output_tokens_details");
  read.reasoning = count_member(out, {"reasoning_tokens"});
  if (read.reasoning == 0) read.reasoning = count_member(usage, {"reasoning_tokens"});
  // Some count the reasoning beside the completion: then the total says so.
  const std::int64_t total = count_member(usage, {"total_tokens"});
  if (read.reasoning > 0 && total >= read.input + read.output + read.reasoning) read.output += read.reasoning;
  read.cached_input = std::min(read.cached_input, read.input);
  return read;
}

void take_choice(const Json& choice, const char* part, WireReply& reply) {
  const Json& message = object_member(choice, part);
  if (message.contains("content")) append_content(message["content"], reply.text, reply.reasoning);
  // One of the two; OpenRouter sends both, with the same text.
  std::string thought = text_member(message, "reasoning_content");
  if (thought.empty()) thought = text_member(message, "reasoning");
  reply.reasoning += thought;
  if (reply.text.empty() && message.contains("refusal")) {
    if (!text_member(message, "refusal").empty()) reply.finish = Finish::content_filter;
  }
  const std::string reason = text_member(choice, "finish_reason");
  if (reason.empty()) return;
  reply.finish = reply.finish == Finish::content_filter ? reply.finish : finish_of(reason);
  reply.ended = true;
  // OpenRouter and others: the provider failed in the middle.
  if (reason == "error" && !reply.error) {
    reply.error = read_error(choice);
    if (!reply.error) reply.error = ServerError{"finish_reason is error", "", "", "", 500};
  }
}

void take(const Json& body, const char* part, WireReply& reply) {
  if (const std::string served = text_member(body, "model"); !served.empty()) reply.served_by = served;
  if (body.contains("usage") && body["usage"].is_object()) reply.usage = read_usage(body["usage"]);
  if (auto error = read_error(body)) reply.error = std::move(error);
  if (!body.contains("choices") || !body["choices"].is_array()) return;
  for (const Json& choice : body["choices"]) {
    if (count_member(choice, {"index"}) == 0) take_choice(choice, part, reply);
  }
}

WireReply read(const Json& body) {
  WireReply reply;
  if (!body.is_object()) {
    reply.broken = "it is no JSON object";
    return reply;
  }
  take(body, "message", reply);
  const bool has_choice = body.contains("choices") && body["choices"].is_array() && !body["choices"].empty();
  if (!has_choice && !reply.error) reply.broken = "it has no 'choices'";
  reply.ended = true;
  return reply;
}

void read_event(std::string_view event, std::string_view data, WireReply& so_far) {
  if (data == "[DONE]") {
    so_far.ended = true;
    return;
  }
  const Json body = Json::parse(data, nullptr, false);
  if (body.is_discarded() || !body.is_object()) {
    if (event == "error")
      so_far.error = ServerError{std::string(data), "", "", "", 0};
    else
      so_far.broken = "an event is no JSON object";
    return;
  }
  take(body, "delta", so_far);
  if (event == "error" && !so_far.error) {
    so_far.error =
        ServerError{text_member(body, "message"), text_member(body, "type"), text_member(body, "code"), "",
                    status_of_error(text_member(body, "type"), text_member(body, "code"))};
  }
}

std::vector<std::string> headers(const std::string& key) {
  if (key.empty()) return {};
  return {"Authorization: Bearer " + key};
}

}  // namespace
}  // namespace openai

const Wire kOpenAiWire = {"/chat/completions", openai::request_body, openai::read, openai::read_event,
                          openai::headers};

}  // namespace kevolve::llm
