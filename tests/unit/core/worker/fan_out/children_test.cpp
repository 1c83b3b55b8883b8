#include "core/worker/fan_out/children.hpp"

#include <stdlib.h>

#include <algorithm>

#include "tests/catch.hpp"

namespace kevolve {
using namespace fan_out;
namespace {

TEST_CASE("a process for each GPU sees that one alone, and the rest of the environment") {
  ::setenv("CUDA_VISIBLE_DEVICES", "4,5,6", 1);
  ::setenv("KEVOLVE_TEST_WORD", "kept", 1);
  const auto children =
      children_on_gpus({"kevolve-worker", "--threads", "2"}, {0, 2}, {"GPU-a", "GPU-b", "GPU-c"});
  ::unsetenv("CUDA_VISIBLE_DEVICES");
  REQUIRE(children.size() == 2);
  CHECK(children[0].mark == "gpu=0");
  CHECK(children[1].mark == "gpu=2");
  CHECK(children[1].argv == std::vector<std::string>{"kevolve-worker", "--threads", "2"});
  const auto& words = children[1].environment;
  const auto visible = [](const std::string& word) { return word.starts_with("CUDA_VISIBLE_DEVICES="); };
  CHECK(std::count_if(words.begin(), words.end(), visible) == 1);
  CHECK(std::count(words.begin(), words.end(), "CUDA_VISIBLE_DEVICES=GPU-c") == 1);
  CHECK(std::count(words.begin(), words.end(), "KEVOLVE_TEST_WORD=kept") == 1);
}

TEST_CASE("processes alike differ in their mark only") {
  const auto children = children_alike({"kevolve-worker"}, 3);
  REQUIRE(children.size() == 3);
  CHECK(children[2].mark == "process=2");
  CHECK(children[2].environment == children[0].environment);
  CHECK_FALSE(children[0].environment.empty());
}

TEST_CASE("processes share the cores, and each has one at least") {
  CHECK(share_of(128, 8) == 16);
  CHECK(share_of(10, 4) == 2);
  CHECK(share_of(2, 8) == 1);
}

}  // namespace
}  // namespace kevolve
