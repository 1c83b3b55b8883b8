#include "core/worker/fan_out/dealing.hpp"

#include <map>

#include "tests/catch.hpp"

namespace kevolve {
using namespace fan_out;
namespace {

using Catch::Matchers::ContainsSubstring;
using std::chrono::milliseconds;

Dealing dealing_among(std::size_t children, int requests) {
  Dealing dealing(children);
  for (std::size_t i = 0; i < children; ++i) dealing.begin(i);
  for (int i = 0; i < requests; ++i)
    dealing.add(std::to_string(i), "line " + std::to_string(i), milliseconds(i));
  return dealing;
}

/// Deals what can be dealt: the lines of each child, in order.
std::map<std::size_t, std::vector<std::string>> deal(Dealing& dealing) {
  std::map<std::size_t, std::vector<std::string>> given;
  while (const auto turn = dealing.next()) given[turn->child].push_back(turn->line);
  return given;
}

TEST_CASE("each request goes to the child with the fewest unanswered ones, first come, first served") {
  Dealing dealing = dealing_among(3, 7);
  const auto given = deal(dealing);
  CHECK(given.at(0) == std::vector<std::string>{"line 0", "line 3", "line 6"});
  CHECK(given.at(1) == std::vector<std::string>{"line 1", "line 4"});
  CHECK(given.at(2) == std::vector<std::string>{"line 2", "line 5"});
  CHECK(dealing.answered(2, "2"));
  CHECK(dealing.answered(2, "5"));
  dealing.add("7", "line 7", milliseconds(1));
  const auto turn = dealing.next();
  REQUIRE(turn);
  CHECK(turn->child == 2);
}

TEST_CASE("a child has a bounded number; the rest waits for whoever is free first") {
  Dealing dealing = dealing_among(2, 100);
  const auto given = deal(dealing);
  CHECK(given.at(0).size() == kMostUnanswered);
  CHECK(given.at(1).size() == kMostUnanswered);
  CHECK(dealing.waiting() == 100 - 2 * kMostUnanswered);
  CHECK(dealing.answered(1, "1"));
  const auto turn = dealing.next();
  REQUIRE(turn);
  CHECK(turn->child == 1);
  CHECK(turn->line == "line 64");
  CHECK_FALSE(dealing.next());
}

TEST_CASE("only children that have begun get requests") {
  Dealing dealing(2);
  dealing.add("a", "line a", milliseconds(1));
  CHECK_FALSE(dealing.next());
  CHECK_FALSE(dealing.idle());
  dealing.begin(1);
  const auto turn = dealing.next();
  REQUIRE(turn);
  CHECK(turn->child == 1);
}

TEST_CASE("replies count for the child that gave them, in any order; strays are noticed") {
  Dealing dealing = dealing_among(2, 6);
  deal(dealing);
  CHECK_FALSE(dealing.answered(1, "0"));  // child 0 has it
  CHECK(dealing.answered(0, "4"));
  CHECK_FALSE(dealing.answered(0, "4"));
  CHECK(dealing.unanswered(0) == 2);
  CHECK(dealing.patience(0) == milliseconds(0));
  CHECK(dealing.answered(0, "0"));
  CHECK(dealing.patience(0) == milliseconds(2));
  for (const char* id : {"1", "3", "5"}) CHECK(dealing.answered(1, id));
  CHECK_FALSE(dealing.idle());
  CHECK(dealing.answered(0, "2"));
  CHECK(dealing.idle());
}

TEST_CASE("two requests of one id are two requests") {
  Dealing dealing(1);
  dealing.begin(0);
  dealing.add("a", "line 1", milliseconds(1));
  dealing.add("a", "line 2", milliseconds(1));
  deal(dealing);
  CHECK(dealing.answered(0, "a"));
  CHECK_FALSE(dealing.idle());
  CHECK(dealing.answered(0, "a"));
  CHECK(dealing.idle());
}

TEST_CASE("what a child had when it ended keeps its turn; its oldest goes to the end and to another child") {
  Dealing dealing = dealing_among(2, 5);
  deal(dealing);  // 0: 0 2 4; 1: 1 3
  dealing.add("5", "line 5", milliseconds(1));
  CHECK_FALSE(dealing.lost(0, "killed"));
  dealing.begin(0);
  const auto given = deal(dealing);
  CHECK(given.at(0) == std::vector<std::string>{"line 2", "line 4", "line 5"});
  CHECK(given.at(1) == std::vector<std::string>{"line 0"});
}

TEST_CASE("a suspect goes back to the same child where there is no other") {
  Dealing dealing = dealing_among(2, 1);
  deal(dealing);
  CHECK_FALSE(dealing.lost(0, "killed"));
  CHECK_FALSE(dealing.lost(1, "killed"));
  dealing.begin(0);
  const auto turn = dealing.next();
  REQUIRE(turn);
  CHECK(turn->child == 0);
}

TEST_CASE("a suspect that waits for another child holds nobody up") {
  Dealing dealing = dealing_among(2, 2 * static_cast<int>(kMostUnanswered));
  deal(dealing);
  CHECK_FALSE(dealing.lost(0, "killed"));
  dealing.begin(0);
  deal(dealing);
  CHECK(dealing.waiting() == 1);  // child 1 is full
  dealing.add("new", "line new", milliseconds(1));
  const auto turn = dealing.next();
  REQUIRE(turn);
  CHECK(turn->child == 0);
  CHECK(turn->line == "line new");
  CHECK(dealing.answered(1, "1"));
  const auto suspect = dealing.next();
  REQUIRE(suspect);
  CHECK(suspect->child == 1);
  CHECK(suspect->line == "line 0");
}

TEST_CASE("a suspect is given up at the second death when others were answered in between, by its id") {
  Dealing dealing = dealing_among(2, 2);
  deal(dealing);
  CHECK_FALSE(dealing.lost(0, "it was killed"));
  CHECK(dealing.answered(1, "1"));
  deal(dealing);
  const auto given_up = dealing.lost(1, "it was killed again");
  REQUIRE(given_up);
  CHECK(given_up->id == "0");
  CHECK_THAT(given_up->message, ContainsSubstring("2 worker processes ended while they worked on it"));
  CHECK_THAT(given_up->message, ContainsSubstring("it was killed again"));
  CHECK(dealing.idle());
}

TEST_CASE("a suspect is given up at the third death when nothing else is answered") {
  Dealing dealing = dealing_among(1, 1);
  for (int death = 1; death <= 2; ++death) {
    CHECK(deal(dealing).size() == 1);
    CHECK_FALSE(dealing.lost(0, "killed"));
    dealing.begin(0);
  }
  deal(dealing);
  const auto given_up = dealing.lost(0, "killed");
  REQUIRE(given_up);
  CHECK_THAT(given_up->message, ContainsSubstring("3 worker processes"));
}

TEST_CASE("deaths count for the oldest alone: who came behind it is sent again as often as need be") {
  Dealing dealing = dealing_among(1, 4);
  int given_up = 0;
  for (int death = 0; death < 12; ++death) {
    deal(dealing);
    if (dealing.unanswered(0) == 0) break;
    given_up += dealing.lost(0, "killed").has_value();
    dealing.begin(0);
  }
  CHECK(given_up == 4);  // 4 * 3 deaths; counted for all they would be over after 3
  CHECK(dealing.idle());
}

}  // namespace
}  // namespace kevolve
