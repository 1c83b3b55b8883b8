#include "core/search/playbook.hpp"

#include <algorithm>

#include "tests/unit/core/search/fixture.hpp"

using namespace kevolve;
using namespace kevolve::search;
using namespace kevolve::testing;

namespace {

std::vector<std::string> keys(const std::vector<Idea>& ideas) {
  std::vector<std::string> keys;
  for (const Idea& idea : ideas) keys.push_back(idea.key);
  std::sort(keys.begin(), keys.end());
  return keys;
}

Survivor survivor(const PlaybookEntry& entry, Bindings tunables, double speedup) {
  return {candidate_hash(entry.source, tunables), entry.key, entry.source, tunables, speedup};
}

}  // namespace

TEST_CASE("the first round proposes single ideas only, each once") {
  const Operator op = doubling_operator();
  const std::vector<PlaybookEntry> entries = {entry(op, "a"), entry(op, "b"), entry(op, "ab", {"a", "b"})};
  CHECK(keys(propose_ideas(entries, context(op), 5)) == std::vector<std::string>{"a", "b"});
  CHECK(propose_ideas(entries, context(op), 1).size() == 1);
  CHECK(propose_ideas(entries, context(op), 0).empty());
}

TEST_CASE("an entry that combines others waits until all of them have passed, then comes first") {
  const Operator op = doubling_operator();
  const std::vector<PlaybookEntry> entries = {entry(op, "a"), entry(op, "b"), entry(op, "c"),
                                              entry(op, "ab", {"a", "b"})};
  RoundContext known = context(op);
  known.ledger = {tried("a", 1), tried("b", 0)};
  CHECK(keys(propose_ideas(entries, known, 5)) == std::vector<std::string>{"c"});
  known.ledger = {tried("a", 1), tried("b", 2)};
  const std::vector<Idea> ideas = propose_ideas(entries, known, 1);
  REQUIRE(ideas.size() == 1);
  CHECK(ideas[0].key == "ab");
  CHECK(ideas[0].parents == std::vector<std::string>{"a", "b"});
}

TEST_CASE("what the cpu device cannot run is not proposed there") {
  const Operator op = doubling_operator();
  const std::vector<PlaybookEntry> entries = {entry(op, "wgmma", {}, {"tensor_cores"})};
  CHECK(propose_ideas(entries, context(op), 3).empty());
  RoundContext on_gpu = context(op);
  on_gpu.device.name = "cuda:0";
  CHECK(propose_ideas(entries, on_gpu, 3).size() == 1);
}

TEST_CASE("with survivors one proposal tunes the best of them") {
  const Operator op = doubling_operator();
  const std::vector<PlaybookEntry> entries = {entry(op, "a"), entry(op, "b"), entry(op, "c"), entry(op, "d")};
  RoundContext known = context(op);
  known.ledger = {tried("a", 1)};
  known.survivors = {survivor(entries[0], {{"BLOCK", 128}, {"ITEMS", 2}}, 3.0)};
  const std::vector<Idea> ideas = propose_ideas(entries, known, 3);
  REQUIRE(ideas.size() == 3);
  CHECK(std::count_if(ideas.begin(), ideas.end(), [](const Idea& i) { return i.key == "tune:a"; }) == 1);
  const auto tune = std::find_if(ideas.begin(), ideas.end(), [](const Idea& i) { return i.key == "tune:a"; });
  CHECK(tune->text.find("3.00 times as fast as the naive kernel") != std::string::npos);
  known.yardstick = "eager";
  const std::vector<Idea> on_gpu = propose_ideas(entries, known, 3);
  CHECK(std::any_of(on_gpu.begin(), on_gpu.end(), [](const Idea& i) {
    return i.text.find("3.00 times as fast as PyTorch") != std::string::npos;
  }));
  CHECK(tune->text.find("BLOCK = 128, ITEMS = 2") != std::string::npos);
}

TEST_CASE("tuning takes untried neighbours of the best setting, with their lineage") {
  const Operator op = doubling_operator();
  const std::vector<PlaybookEntry> entries = {entry(op, "a")};
  RoundContext known = context(op);
  const Survivor best = survivor(entries[0], {{"BLOCK", 128}, {"ITEMS", 2}}, 3.0);
  known.survivors = {best};
  known.tried.insert(best.candidate_hash);
  const Bindings already = {{"BLOCK", 64}, {"ITEMS", 2}};
  known.tried.insert(candidate_hash(entries[0].source, already));
  const std::vector<Implementation> found =
      implement_idea(entries, {"playbook", "tune:a", "", {}, {}}, known, 3);
  REQUIRE(found.size() == 3);
  for (const Implementation& implementation : found) {
    CHECK(implementation.tunables != best.tunables);
    CHECK(implementation.tunables != already);
    const int moved =
        (implementation.tunables.at("BLOCK") != 128) + (implementation.tunables.at("ITEMS") != 2);
    CHECK(moved == 1);
    REQUIRE(implementation.parents.size() == 1);
    CHECK(implementation.parents[0].candidate_hash == best.candidate_hash);
    CHECK(implementation.parents[0].relation == Relation::mutates_tunables_of);
  }
}

TEST_CASE("tuning crosses the two best settings of an idea") {
  const Operator op = doubling_operator();
  const std::vector<PlaybookEntry> entries = {entry(op, "a")};
  RoundContext known = context(op);
  known.survivors = {survivor(entries[0], {{"BLOCK", 64}, {"ITEMS", 8}}, 3.0),
                     survivor(entries[0], {{"BLOCK", 256}, {"ITEMS", 1}}, 2.0)};
  const std::vector<Implementation> found =
      implement_idea(entries, {"playbook", "tune:a", "", {}, {}}, known, 8);
  const auto crossed = std::find_if(found.begin(), found.end(), [](const Implementation& i) {
    return i.tunables == Bindings{{"BLOCK", 64}, {"ITEMS", 1}};
  });
  REQUIRE(crossed != found.end());
  CHECK(crossed->parents.size() == 2);
}

TEST_CASE("when everything was tried, nothing is proposed") {
  const Operator op = doubling_operator();
  const std::vector<PlaybookEntry> entries = {entry(op, "a")};
  RoundContext known = context(op);
  known.ledger = {tried("a", 12)};
  known.survivors = {survivor(entries[0], {{"BLOCK", 64}, {"ITEMS", 1}}, 2.0)};
  for (const int block : {64, 128, 256}) {
    for (const int items : {1, 2, 4, 8}) {
      known.tried.insert(candidate_hash(entries[0].source, {{"BLOCK", block}, {"ITEMS", items}}));
    }
  }
  CHECK(propose_ideas(entries, known, 3).empty());
}

TEST_CASE("an implementation of a new idea starts at its defaults and never breaks a constraint") {
  const Operator op = doubling_operator();
  const std::vector<PlaybookEntry> entries = {entry(op, "a")};
  const std::vector<Implementation> found =
      implement_idea(entries, {"playbook", "a", "", {}, {}}, context(op), 20);
  REQUIRE(found.size() == 11);  // of 3 x 4 choices, 256 x 8 is too large
  CHECK(found[0].tunables == Bindings{{"BLOCK", 64}, {"ITEMS", 1}});
  for (const Implementation& i : found) CHECK(i.tunables.at("BLOCK") * i.tunables.at("ITEMS") <= 1024);
}

TEST_CASE("the same seed makes the same choices, another seed others") {
  const Operator op = doubling_operator();
  const std::vector<PlaybookEntry> entries = {entry(op, "a")};
  RoundContext known = context(op);
  const auto choices = [&] {
    std::vector<Bindings> chosen;
    for (const Implementation& i : implement_idea(entries, {"playbook", "a", "", {}, {}}, known, 5))
      chosen.push_back(i.tunables);
    return chosen;
  };
  const auto first = choices();
  CHECK(choices() == first);
  known.seed = 8;
  CHECK(choices() != first);
}

TEST_CASE("every seed operator's playbook loads and holds at least four ideas") {
  for (const auto& folder : std::filesystem::directory_iterator(KEVOLVE_SOURCE_DIR "/kernels/seed")) {
    const auto op = load_operator(folder.path());
    if (!op) FAIL(op.error().message);
    const auto entries = load_playbook(*op);
    if (!entries) FAIL(entries.error().message);
    INFO(op->name);
    CHECK(entries->size() >= 4);
  }
}

TEST_CASE("entries that suit the champion's profile come first, whatever its time suggests") {
  const Operator op = doubling_operator();
  std::vector<PlaybookEntry> entries;
  for (const char* regime : {"compute_bound", "latency_bound", "memory_bound"}) {
    entries.push_back(entry(op, regime));
    entries.back().regimes = {regime};
  }
  RoundContext known = context(op);
  known.champion_us = 150;
  known.floor_us = 100;
  const auto first = [&] { return propose_ideas(entries, known, 1).at(0).key; };
  CHECK(first() == "memory_bound");
  for (const Regime regime : {Regime::compute_bound, Regime::latency_bound, Regime::memory_bound}) {
    known.champion_profile = Profile{regime, {}, {}, "counters"};
    for (known.seed = 0; known.seed < 8; ++known.seed) CHECK(first() == name(regime));
  }
}
