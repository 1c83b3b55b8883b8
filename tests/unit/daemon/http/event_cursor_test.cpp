#include "daemon/http/event_cursor.hpp"

#include "daemon/http/sse.hpp"
#include "tests/catch.hpp"

using namespace kevolve;
using namespace kevolve::service;
using namespace kevolve::http;

namespace {

/// All that a cursor has to tell now: types, in order.
std::vector<std::string> types(EventCursor& cursor) {
  SseReader reader;
  std::vector<std::string> found;
  while (!cursor.caught_up()) {
    const std::string text = cursor.next();
    CHECK(text.size() < 80'000);
    reader.feed(text, [&](const SseEvent& event) {
      found.push_back(event.type);
      return true;
    });
  }
  return found;
}

std::vector<std::string> repeated(std::size_t count, std::string type) {
  return std::vector<std::string>(count, std::move(type));
}

}  // namespace

TEST_CASE("a cursor begins with the next event, the oldest, or the one after an id") {
  EventLog log;
  for (int i = 0; i < 10; ++i) log.append("e", "night", {});
  EventCursor next(log, "", ""), oldest(log, "0", ""), after(log, log.id(7), "");
  CHECK_FALSE(next.caught_up());  // it has to say where it is
  CHECK(next.next().find("id: " + log.id(10) + "\n\n") != std::string::npos);
  CHECK(next.caught_up());
  CHECK(types(oldest) == repeated(10, "e"));
  CHECK(types(after) == repeated(3, "e"));
  log.append("f", "night", {});
  CHECK(types(next) == repeated(1, "f"));
  CHECK(types(after) == repeated(1, "f"));
}

TEST_CASE("what was missed is told once, before what follows") {
  EventLog log(5);
  for (int i = 0; i < 20; ++i) log.append("e", "", {});
  std::vector<std::string> expected = repeated(5, "e");
  expected.insert(expected.begin(), "gap");
  EventCursor lost(log, log.id(3), ""), other(log, "0badcafe-3", ""), future(log, log.id(21), "");
  CHECK(types(lost) == expected);
  CHECK(types(other) == expected);
  CHECK(types(future) == expected);
  for (int i = 0; i < 20; ++i) log.append("e", "", {});  // more than the log keeps, before it was read
  CHECK(types(lost) == expected);
  EventCursor good(log, log.id(35), "");
  CHECK(types(good) == repeated(5, "e"));
}

TEST_CASE("events of other jobs are left out, and large ones come in parts") {
  EventLog log;
  for (int i = 0; i < 600; ++i) log.append("other", "day", {});
  log.append("mine", "night", {});
  log.append("service", "", {});
  EventCursor one(log, "0", "night");
  CHECK(types(one) == std::vector<std::string>{"mine", "service"});
  CHECK(one.heartbeat().find(log.id(602)) != std::string::npos);
  for (int i = 0; i < 100; ++i) log.append("large", "night", {{"text", std::string(5000, 'x')}});
  CHECK(types(one) == repeated(100, "large"));
}
