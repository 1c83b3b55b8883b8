#include "llm_client/http/wire_anthropic.hpp"

namespace kevolve::llm {
namespace anthropic {
namespace {

constexpr int kMostCacheMarks = 4;

// Which messages get a cache mark: the last ones, since each covers all before it.
std::vector<bool> cache_marks(const WireRequest& request) {
  std::vector<bool> marks(request.messages.size(), false);
  if (request.dropped.contains("cache_control")) return marks;
  int left = kMostCacheMarks;
  for (std::size_t i = request.messages.size(); i-- > 0 && left > 0;) {
    // The API refuses a mark on an empty text.
    if (!request.messages[i].cache_until_here || request.messages[i].text.empty()) continue;
    marks[i] = true;
    --left;
  }
  return marks;
}

// One text without a mark as a string, which every server of this API takes; some take nothing else.
Json plain_where_possible(Json content) {
  if (content.size() != 1 || content[0].contains("cache_control")) return content;
  return std::move(content[0]["text"]);
}

Json request_body(const WireRequest& request) {
  Json system = Json::array(), messages = Json::array();
  const std::vector<bool> marks = cache_marks(request);
  for (std::size_t i = 0; i < request.messages.size(); ++i) {
    const Message& message = request.messages[i];
    if (message.text.empty()) continue;
    Json block = {{"type", "text"}, {"text", message.text}};
    if (marks[i]) block["cache_control"] = {{"type", "ephemeral"}};
    if (message.role == Role::system) {
      system.push_back(std::move(block));
      continue;
    }
    const std::string role(name(message.role));
    if (messages.empty() || messages.back()["role"] != role) {
      messages.push_back({{"role", role}, {"content", Json::array()}});
    }
    messages.back()["content"].push_back(std::move(block));
  }
  for (Json& message : messages) message["content"] = plain_where_possible(std::move(message["content"]));
  system = plain_where_possible(std::move(system));
  Json body = {{"model", request.model.model}, {"max_tokens", request.model.max_output_tokens}};
  if (!system.empty()) body["system"] = std::move(system);
  body["messages"] = std::move(messages);
  for (const auto& [field, value] : request.model.sampling.items()) {
    if (!request.dropped.contains(field)) body[field] = value;
  }
  if (request.model.stream) body["stream"] = true;
  return body;
}

Finish finish_of(std::string_view reason) {
  if (reason == "end_turn" || reason == "stop_sequence") return Finish::stop;
  if (reason == "max_tokens" || reason == "model_context_window_exceeded") return Finish::length;
  return reason == "refusal" ? Finish::content_filter : Finish::unknown;
}

// The API's input_tokens are those neither read from the cache nor written to it; ours are all. A stream
// tells them at its start and again, corrected, at its end; gateways tell some of them only there.
void take_usage(const Json& usage, WireReply& reply) {
  if (usage.empty()) return;
  TokenUsage read = reply.usage.value_or(TokenUsage{});
  std::int64_t fresh = read.input - read.cached_input - reply.cache_write;
  fresh = std::max(fresh, count_member(usage, {"input_tokens"}));
  read.cached_input = std::max(read.cached_input, count_member(usage, {"cache_read_input_tokens"}));
  reply.cache_write = std::max(reply.cache_write, count_member(usage, {"cache_creation_input_tokens"}));
  read.input = fresh + read.cached_input + reply.cache_write;
  read.output = std::max(read.output, count_member(usage, {"output_tokens"}));
  read.reasoning = std::max(read.reasoning, count_member(object_member(usage, "output_tokens_details"),
                                                         {"thinking_tokens", "reasoning_tokens"}));
  reply.usage = read;
}

void take_block(const Json& block, WireReply& reply) {
  reply.text += text_member(block, "text");
  reply.reasoning += text_member(block, "thinking");
}

void take_stop(const Json& message, WireReply& reply) {
  const std::string reason = text_member(message, "stop_reason");
  if (reason.empty()) return;
  reply.finish = finish_of(reason);
  reply.ended = true;
}

WireReply read(const Json& body) {
  WireReply reply;
  if (!body.is_object()) {
    reply.broken = "it is no JSON object";
    return reply;
  }
  reply.error = read_error(body);
  reply.ended = true;
  if (reply.error) return reply;
  if (!body.contains("content") || !body["content"].is_array()) {
    reply.broken = "it has no 'content'";
    return reply;
  }
  for (const Json& block : body["content"]) take_block(block, reply);
  reply.served_by = text_member(body, "model");
  take_usage(object_member(body, "usage"), reply);
  take_stop(body, reply);
  return reply;
}

void read_event(std::string_view event, std::string_view data, WireReply& so_far) {
  const Json body = Json::parse(data, nullptr, false);
  if (body.is_discarded() || !body.is_object()) {
    if (data != "[DONE]") so_far.broken = "an event is no JSON object";
    return;
  }
  std::string type = text_member(body, "type");
  if (type.empty()) type = event;
  if (type == "message_start") {
    const Json& message = object_member(body, "message");
    so_far.served_by = text_member(message, "model");
    take_usage(object_member(message, "usage"), so_far);
  } else if (type == "content_block_start") {
    take_block(object_member(body, "content_block"), so_far);
  } else if (type == "content_block_delta") {
    take_block(object_member(body, "delta"), so_far);
  } else if (type == "message_delta") {
    take_usage(object_member(body, "usage"), so_far);
    take_stop(object_member(body, "delta"), so_far);
  } else if (type == "message_stop") {
    so_far.ended = true;
  } else if (type == "error") {
    so_far.error = read_error(body);
    if (!so_far.error) so_far.error = ServerError{std::string(data), "", "", "", 0};
  }
}

std::vector<std::string> headers(const std::string& key) {
  std::vector<std::string> lines = {"anthropic-version: 2023-06-01"};
  if (!key.empty()) lines.push_back("x-api-key: " + key);
  return lines;
}

}  // namespace
}  // namespace anthropic

const Wire kAnthropicWire = {"/messages", anthropic::request_body, anthropic::read, anthropic::read_event,
                             anthropic::headers};

}  // namespace kevolve::llm
