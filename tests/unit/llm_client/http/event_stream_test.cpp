#include "llm_client/http/event_stream.hpp"

#include <vector>

#include "llm_client/http/wire.hpp"
#include "tests/catch.hpp"

namespace kevolve {
using namespace llm;
namespace {

std::vector<std::string> events_of(std::string_view text, std::size_t piece) {
  std::vector<std::string> events;
  EventStream stream([&](std::string_view event, std::string_view data) {
    events.push_back(std::string(event) + "|" + std::string(data));
  });
  for (std::size_t at = 0; at < text.size(); at += piece) stream.feed(text.substr(at, piece));
  stream.finish();
  CHECK(stream.pending() == 0);
  return events;
}

TEST_CASE("events are the same wherever the network splits them") {
  const std::string text =
      "\xEF\xBB\xBF: a comment\n\ndata: one\n\nevent: two\r\ndata: a\r\ndata:b\r\nid: 4\r\n\r\n"
      "event: without data\r\rdata\r\rretry: 5\ndata:  x: y\n\n\n\ndata: last";
  const std::vector<std::string> expected = {"|one", "two|a\nb", "|", "| x: y", "|last"};
  for (std::size_t piece = 1; piece <= text.size(); ++piece) {
    INFO("pieces of " << piece);
    CHECK(events_of(text, piece) == expected);
  }
}

// Wherever a connection breaks off: no prefix of a stream is taken for a whole reply, and none is misread.
void check_prefixes(Api api, const std::string& stream, const std::string& end) {
  const std::size_t ends_at = stream.find(end);
  for (std::size_t size = 0; size <= stream.size(); ++size) {
    WireReply reply;
    EventStream events([&](auto event, auto data) { wire_of(api).read_event(event, data, reply); });
    events.feed(std::string_view(stream).substr(0, size));
    INFO("prefix of " << size);
    CHECK(reply.broken.empty());
    CHECK(std::string("abc").rfind(reply.text, 0) == 0);
    if (size <= ends_at) CHECK_FALSE(reply.ended);
    if (size == stream.size()) CHECK((reply.ended && reply.text == "abc"));
  }
}

TEST_CASE("no prefix of a stream is taken for a whole reply") {
  check_prefixes(Api::openai,
                 "data: {\"choices\":[{\"delta\":{\"content\":\"ab\"}}]}\n\n: ping\n\n"
                 "data: {\"choices\":[{\"delta\":{\"content\":\"c\"},\"finish_reason\":\"stop\"}]}\r\n\r\n"
                 "data: [DONE]\n\n",
                 "stop");
  check_prefixes(
      Api::anthropic,
      "event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"delta\":{\"text\":\"abc\"}}\n\n"
      "event: message_delta\ndata: {\"delta\":{\"stop_reason\":\"end_turn\"}}\n\n"
      "event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n",
      "end_turn");
}

TEST_CASE("what is not complete is known by its size") {
  EventStream stream([](auto, auto) { FAIL("no event is complete"); });
  stream.feed("data: 12345\nda");
  CHECK(stream.pending() == 7);
}

}  // namespace
}  // namespace kevolve
