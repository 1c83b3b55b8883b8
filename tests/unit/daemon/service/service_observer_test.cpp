#include "daemon/service/service_observer.hpp"

#include "tests/catch.hpp"

namespace kevolve {
namespace {

TEST_CASE("an event is one line, whatever it holds") {
  const std::string line = event_line("2026-01-31T23:59:59Z", "evaluated", "night",
                                      {{"operator", "gelu/benchmark"},
                                       {"round", 3},
                                       {"median_us", 12.3456789},
                                       {"text", "two\nlines \"quoted\""},
                                       {"empty", ""},
                                       {"list", {"a", "b c"}}});
  CHECK(
      line ==
      "time=2026-01-31T23:59:59Z event=evaluated job=night operator=gelu/benchmark round=3 median_us=12.3457 "
      "text=\"two\\nlines \\\"quoted\\\"\" empty=\"\" list=[\"a\",\"b c\"]");
  CHECK(event_line("t", "draining", "", Json::object()) == "time=t event=draining");
}

TEST_CASE("champions and troubles are told, warnings are not") {
  EventLog log;
  EventSink sink(log);
  std::vector<std::string> told;
  ServiceObserver observer("night", sink,
                           [&](std::string_view kind, const Json&) { told.emplace_back(kind); });
  observer.warned("a little late");
  observer.promoted({});
  observer.troubled("the server is away");
  CHECK(told == std::vector<std::string>{"champion", "trouble"});
  const auto events = log.after(0, 10).events;
  REQUIRE(events.size() == 3);
  CHECK(events[0]->type == "warned");
  CHECK(events[1]->type == "promoted");
  CHECK(events[2]->type == "warned");
  CHECK(events[2]->job == "night");
}

}  // namespace
}  // namespace kevolve
