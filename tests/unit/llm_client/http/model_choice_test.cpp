#include "llm_client/http/model_choice.hpp"

#include "tests/catch.hpp"

namespace kevolve {
using namespace llm;
namespace {

const std::vector<double> kWeights = {1, 3, 6};
const std::vector<bool> kAll = {true, true, true};

TEST_CASE("models are chosen by their weights, the same for the same seed") {
  int chosen[3] = {};
  for (std::uint64_t seed = 0; seed < 10'000; ++seed) {
    const auto choice = choose_model(seed, kWeights, kAll);
    REQUIRE(choice);
    CHECK(choice == choose_model(seed, kWeights, kAll));
    ++chosen[*choice];
  }
  CHECK(chosen[0] == Approx(1000).margin(120));
  CHECK(chosen[1] == Approx(3000).margin(180));
  CHECK(chosen[2] == Approx(6000).margin(200));
}

TEST_CASE("a model that is out gives up its own questions only") {
  for (std::uint64_t seed = 0; seed < 1'000; ++seed) {
    const auto usual = choose_model(seed, kWeights, kAll);
    const auto now = choose_model(seed, kWeights, {true, false, true});
    CHECK(now != 1);
    if (usual != 1) CHECK(now == usual);
  }
  CHECK_FALSE(choose_model(1, kWeights, {false, false, false}));
}

}  // namespace
}  // namespace kevolve
