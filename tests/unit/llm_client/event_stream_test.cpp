#include "llm_client/http/event_stream.hpp"

#include <vector>

#include "tests/catch.hpp"

namespace kevolve {
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

TEST_CASE("what is not complete is known by its size") {
  EventStream stream([](auto, auto) { FAIL("no event is complete"); });
  stream.feed("data: 12345\nda");
  CHECK(stream.pending() == 7);
}

}  // namespace
}  // namespace kevolve
