#include "daemon/http/sse.hpp"

#include "tests/catch.hpp"

using namespace kevolve;
using namespace kevolve::service;
using namespace kevolve::http;

namespace {

std::vector<SseEvent> read(std::string_view text, std::size_t at_once) {
  SseReader reader;
  std::vector<SseEvent> events;
  for (std::size_t i = 0; i < text.size(); i += at_once) {
    CHECK(reader.feed(text.substr(i, at_once), [&](const SseEvent& event) {
      events.push_back(event);
      return true;
    }));
  }
  return events;
}

}  // namespace

TEST_CASE("an event comes back as it was framed, in pieces of any size") {
  EventLog log;
  log.append("noted", "night", {{"text", "two\nlines, and \xff no text"}});
  log.append("bad\ntype", "", {});
  std::string text = heartbeat_frame(log.id(0)) + gap_frame("lost", "x-1\n");
  for (const auto& event : log.after(0, 10).events) text += event_frame(log, *event);
  for (const std::size_t size : {std::size_t{1}, std::size_t{2}, std::size_t{7}, text.size()}) {
    const std::vector<SseEvent> events = read(text, size);
    REQUIRE(events.size() == 3);
    CHECK(events[0].type == "gap");
    CHECK(Json::parse(events[0].data).at("reason") == "lost");
    CHECK(events[1].id == log.id(1));
    CHECK(events[1].type == "noted");
    const Json data = Json::parse(events[1].data);
    CHECK(data.at("job") == "night");
    CHECK(data.at("data").at("text").get<std::string>().starts_with("two\nlines"));
    CHECK(events[2].type == "bad type");
    CHECK(events[2].id == log.id(2));
  }
}

TEST_CASE("comments, unknown fields and other line ends are understood") {
  const auto events = read(
      ": hello\r\nid: 7\r\nevent: a\r\ndata: 1\r\ndata:2\r\nretry: 5\r\nother\r\n\r\ndata: 3\n\n\n\n", 3);
  REQUIRE(events.size() == 2);
  CHECK(events[0].id == "7");
  CHECK(events[0].data == "1\n2");
  CHECK(events[1].type == "message");
  CHECK(events[1].id == "7");
}

TEST_CASE("an id without data is remembered, and tells nothing") {
  SseReader reader;
  int told = 0;
  const auto count = [&](const SseEvent&) { return ++told < 2; };
  CHECK(reader.feed("id: 5\n\n", count));
  CHECK(reader.last_id() == "5");
  CHECK(told == 0);
  CHECK(reader.feed("data: x\n\n", count));
  CHECK_FALSE(reader.feed("data: x\n\n", count));  // the callback has enough
  SseReader other;
  CHECK_FALSE(other.feed(std::string(9'000'000, 'x'), count));
}
