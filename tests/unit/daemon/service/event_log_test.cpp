#include "daemon/service/event_log.hpp"

#include "tests/catch.hpp"

namespace kevolve {
using namespace service;
namespace {

TEST_CASE("events are numbered from one without gaps", "[daemon]") {
  EventLog log;
  for (int i = 0; i < 3; ++i) log.append("evaluated", "night", Json{{"i", i}});
  const EventLog::Slice all = log.after(0, 100);
  REQUIRE(all.events.size() == 3);
  CHECK_FALSE(all.gap);
  for (std::size_t i = 0; i < 3; ++i) CHECK(all.events[i]->number == i + 1);
  CHECK(log.after(3, 100).events.empty());
  CHECK(log.after(1, 1).events.at(0)->number == 2);
}

TEST_CASE("a follower who comes back too late is told of the gap", "[daemon]") {
  EventLog log(4);
  for (int i = 0; i < 10; ++i) log.append("evaluated", "night", Json::object());
  const EventLog::Slice late = log.after(5, 100);
  CHECK(late.gap);
  REQUIRE(late.events.size() == 4);
  CHECK(late.events.front()->number == 7);
  CHECK_FALSE(log.after(6, 100).gap);  // everything after 6 is still known
}

TEST_CASE("an event's id is read back in the same life only", "[daemon]") {
  EventLog log, other;
  log.append("evaluated", "night", Json::object());
  CHECK(log.number(log.id(1)) == 1);
  CHECK_FALSE(other.number(log.id(1)));
  for (const char* wrong : {"", "1", "-1", "x-1"}) CHECK_FALSE(log.number(wrong));
  CHECK_FALSE(log.number(log.id(1) + "x"));
}

TEST_CASE("followers are woken by every event until they leave", "[daemon]") {
  EventLog log;
  int woken = 0;
  const int follower = log.follow([&] { ++woken; });
  log.append("a", "", Json::object());
  log.append("b", "", Json::object());
  CHECK(woken == 2);
  log.unfollow(follower);
  log.append("c", "", Json::object());
  CHECK(woken == 2);
}

}  // namespace
}  // namespace kevolve
