#include "daemon/engine/job/outages.hpp"

#include "tests/catch.hpp"

namespace kevolve {
using namespace engine;
namespace {

using Kind = BackendNews::Item::Kind;

/// The kind of each event that it hears, with its text.
class OutageListener final : public Observer {
 public:
  void heard(const RunEvent& event) override {
    if (const auto* e = std::get_if<events::Troubled>(&event))
      told.push_back("trouble: " + std::string(e->what));
    if (const auto* e = std::get_if<events::Warned>(&event))
      told.push_back("warning: " + std::string(e->what));
    if (const auto* e = std::get_if<events::Noted>(&event)) told.push_back("note: " + std::string(e->what));
  }
  std::vector<std::string> told;
};

TEST_CASE("an outage is trouble, its end a warning, and meanwhile the endpoint is away") {
  OutageListener listener;
  Outages outages;
  outages.pass_on({{Kind::outage_began, "a", "refused"}, {Kind::outage_began, "b", "refused"}}, listener);
  CHECK(outages.away() == std::set<std::string>{"a", "b"});
  outages.pass_on({{Kind::noted, "", "a note"}, {Kind::outage_ended, "a", "3.0 s"}}, listener);
  CHECK(outages.away() == std::set<std::string>{"b"});
  CHECK(listener.told ==
        std::vector<std::string>{
            "trouble: a is away: refused. Its requests wait, unspent, until it answers again.",
            "trouble: b is away: refused. Its requests wait, unspent, until it answers again.",
            "note: a note", "warning: a answers again, after 3.0 s"});
}

}  // namespace
}  // namespace kevolve
