// Archived kernels judged again, and compared with each other.

#include "archive/archive.hpp"
#include "tests/integration/cli/model_fixture.hpp"

using namespace kevolve;
using namespace kevolve::archive;
using namespace kevolve::process;
using namespace kevolve::testing;

namespace {

struct Judged {
  Folder folder;
  std::string file = folder.file("a.db");

  /// #1: gelu's vector_loads, archived as this machine judged it.
  Judged() {
    const CommandResult saved =
        ask({"evaluate", std::string(KEVOLVE_SOURCE_DIR) + "/kernels/seed/gelu/vector_loads.cu", "--operator",
             "gelu", "--save"});
    INFO(saved.out << saved.err);
    REQUIRE(saved.exit_code == 0);
  }
  [[nodiscard]] CommandResult ask(std::vector<std::string> words) const {
    words.insert(words.end(), {"--archive", file});
    return kevolve::testing::kevolve(words);
  }
  /// Another kernel that passed as #1 did, or so the archive says; perhaps on another machine.
  void add(const std::string& source, const std::string& model = "") const {
    auto archive = Archive::open(file, OpenMode::read_write);
    REQUIRE(archive);
    const auto first = archive->show("#1");
    REQUIRE(first);
    NewEvaluation row = first->evaluations.at(0);
    if (!model.empty()) row.evaluation.device.model = model;
    const auto ids =
        archive->add_candidates(first->candidate.idea, {{source, first->candidate.tunables, {}}});
    REQUIRE(ids);
    row.candidate = ids->at(0);
    REQUIRE(archive->record_evaluation(row));
  }
};

}  // namespace

TEST_CASE("a kernel that is right is verified, and has its figure from then on") {
  const Judged judged;
  const CommandResult verified = judged.ask({"verify", "--operator", "gelu", "--json"});
  INFO(verified.out << verified.err);
  const Json list = Json::parse(verified.out);
  REQUIRE(list.size() == 1);
  // How fast it is by now is for the machine to say.
  const bool slower = list[0].at("finding") == "slower";
  CHECK((slower || list[0].at("finding") == "holds"));
  CHECK(verified.exit_code == (slower ? 1 : 0));
  CHECK(list[0].at("slowdown").at("low") <= list[0].at("slowdown").at("high"));
  const Json best = Json::parse(judged.ask({"best", "gelu", "--json"}).out);
  CHECK(best.at(0).at("figure") == "retimed");
  const Json shown = Json::parse(judged.ask({"show", "#1", "--json"}).out);
  CHECK(shown.at("evaluations").size() == 2);
  CHECK(shown["evaluations"][1]["purpose"] == "verify");
}

TEST_CASE("a kernel that is not right is marked with the evidence, and leaves best") {
  const Judged judged;
  judged.add(replaced(seed_source("vector_loads.cu"), "0.5f", "0.25f"));
  const CommandResult verified = judged.ask({"verify", "#2"});
  INFO(verified.out << verified.err);
  CHECK(verified.exit_code == 1);
  CHECK(holds(verified.out, "no longer right: wrong_result at gate correctness"));
  CHECK(Json::parse(judged.ask({"best", "gelu", "--top", "9", "--json"}).out).size() == 1);
  const CommandResult shown = judged.ask({"show", "#2"});
  CHECK(holds(shown.out, "DOES NOT HOLD: small on cpu"));
  CHECK(holds(shown.out, "stopped at correctness: wrong_result"));
  CHECK(holds(shown.out, "0.25f"));
  CHECK(judged.ask({"archive", "check"}).exit_code == 0);
}

TEST_CASE("a kernel of another machine is judged here, and its times are not compared") {
  const Judged judged;
  judged.add(seed_source("vector_loads.cu") + "// elsewhere\n", "a machine far away");
  const CommandResult verified = judged.ask({"verify", "#2"});
  INFO(verified.out << verified.err);
  CHECK(holds(verified.out, "a machine far away"));
  CHECK(holds(verified.out, "times are not compared"));
}

TEST_CASE("what is not there cannot be verified or compared") {
  const Judged judged;
  CHECK(judged.ask({"verify", "--operator", "softmax"}).exit_code == 4);
  CHECK(judged.ask({"verify", "#77"}).exit_code == 4);
  CHECK(judged.ask({"diff", "#1", "#77"}).exit_code == 4);
}

TEST_CASE("two kernels are compared") {
  const Judged judged;
  judged.add(replaced(seed_source("vector_loads.cu"), "0.5f", "0.25f"));
  const CommandResult diff = judged.ask({"diff", "#1", "#2"});
  INFO(diff.out << diff.err);
  CHECK(diff.exit_code == 0);
  CHECK(holds(diff.out, "no common ancestor"));
  CHECK(holds(diff.out, "tunables: the same"));
  CHECK(holds(diff.out, "times, workload small on cpu"));
  CHECK(holds(diff.out, "--- #1\n+++ #2\n@@"));
  const Json json = Json::parse(judged.ask({"diff", "#1", "#2", "--json"}).out);
  CHECK(json.at("kinship").at("kind") == "none");
  CHECK(json.at("times").size() == 1);
  CHECK(json.at("a").at("id") == 1);
}
