// Feeds every candidate of this folder to kevolve-worker. Red when a wrong one passes or is stopped for
// another reason than the one it was written for, and red when an honest one is refused.

#include <algorithm>

#include "tests/adversarial/suite.hpp"
#include "tests/catch.hpp"

using namespace kevolve;
using namespace kevolve::adversarial;

namespace {

std::vector<Case> cases_that_are(bool honest) {
  const auto cases = load_cases_for_device();
  if (!cases) FAIL(cases.error().message);
  std::vector<Case> chosen;
  std::copy_if(cases->begin(), cases->end(), std::back_inserter(chosen),
               [&](const Case& c) { return c.honest() == honest; });
  return chosen;
}

void check_all(const std::vector<Case>& cases) {
  const auto replies = judge_all(cases);
  if (!replies) FAIL(replies.error().message);
  for (std::size_t i = 0; i < cases.size(); ++i) {
    INFO(cases[i].file << " (" << cases[i].why << ")");
    if (const auto difference = disagreement(cases[i], (*replies)[i]))
      FAIL_CHECK(*difference);
    else
      SUCCEED();
  }
}

}  // namespace

TEST_CASE("expectations name every candidate of the folder once") {
  const auto cases = load_cases();
  if (!cases) FAIL(cases.error().message);
  std::set<std::string> named;
  for (const Case& test : *cases) {
    INFO(test.file);
    CHECK(named.insert(test.file).second);
    CHECK(!test.outcomes.empty());
    CHECK(test.honest() == (test.outcomes == std::set{Outcome::passed}));
    CHECK((test.honest() || !test.outcomes.contains(Outcome::passed)));
    const auto request = request_for(test);
    if (!request) FAIL_CHECK(request.error().message);
  }
  CHECK(named == candidate_files());
}

TEST_CASE("what a GPU may let pass is listed, and is never an honest kernel") {
  const auto cases = load_cases(), on_gpu = load_cases_for_gpu();
  if (!on_gpu) FAIL(on_gpu.error().message);
  for (std::size_t i = 0; i < cases->size(); ++i) {
    INFO((*cases)[i].file);
    CHECK((*cases)[i].honest() == (*on_gpu)[i].honest());
  }
}

TEST_CASE("every folder of wrong candidates has an honest twin") {
  std::set<std::string> honest, wrong;
  for (const bool side : {true, false})
    for (const Case& test : cases_that_are(side))
      (side ? honest : wrong).insert(test.file.substr(0, test.file.find('/')));
  CHECK(honest == wrong);
  CHECK(honest.size() >= 18);
}

TEST_CASE("honest kernels pass all gates") {
  check_all(cases_that_are(true));
}

TEST_CASE("wrong kernels are stopped at the gate that must stop them") {
  check_all(cases_that_are(false));
}
