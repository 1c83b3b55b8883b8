#include "daemon/service/service_observer.hpp"

#include "core/text/json.hpp"

#include "core/model/subjects.hpp"
#include "tests/catch.hpp"

namespace kevolve {
using namespace archive;
using namespace engine;
using namespace service;
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

/// What docs/daemon.md says of this type of event: its row of the table and, where that row says "see below",
/// its list item.
std::string documented(std::string_view type) {
  const std::string text = read_text_file(KEVOLVE_SOURCE_DIR "/docs/daemon.md").value_or("");
  const auto paragraph = [&](const std::string& opening) {
    const std::size_t begin = text.find("\n" + opening);
    if (begin == std::string::npos) return std::string();
    std::size_t end = text.find('\n', begin + 1);
    while (end != std::string::npos && text.compare(end, 3, "\n  ") == 0) end = text.find('\n', end + 1);
    return text.substr(begin, end - begin);
  };
  const std::string row = paragraph("| `" + std::string(type) + "`");
  return row.find("see below") == std::string::npos ? row : row + paragraph("- `" + std::string(type) + "`:");
}

TEST_CASE("docs/daemon.md lists every event of a run, with all its keys") {
  const Job job;
  const DeviceInfo device;
  const OperatorSummary summary;
  Evaluation timed;
  timed.measurements.push_back({});
  timed.measurements.back().subject = subjects::kCandidate;
  NewExchange paid;
  paid.cost_usd = 1;
  const std::vector<std::string> ideas;
  const std::vector<RunEvent> all = {events::RunStarted{job, device},
                                     events::Seeded{summary},
                                     events::RoundStarted{"gelu", 1, ideas},
                                     events::Evaluated{"gelu", 1, "c", "i", timed},
                                     events::Exchanged{"gelu", 1, paid},
                                     events::Promoted{summary},
                                     events::OperatorStopped{summary},
                                     events::Warned{"w"},
                                     events::Troubled{"t"},
                                     events::Noted{"n"}};
  for (const RunEvent& event : all) {
    const auto known = typed(event);
    REQUIRE(known);
    const std::string row = documented(known->type);
    INFO(known->type << ": " << row);
    CHECK_FALSE(row.empty());
    for (const auto& [key, value] : known->data.items())
      CHECK_THAT(row, Catch::Matchers::ContainsSubstring("`" + key + "`"));
  }
  const RunSummary end;
  CHECK_FALSE(typed(events::RunEnded{end}));
}

}  // namespace
}  // namespace kevolve
