#include "core/model/gpu_choice.hpp"

#include "tests/catch.hpp"

namespace kevolve {
namespace {

using Catch::Matchers::ContainsSubstring;

std::vector<int> chosen(std::string_view text, int present) {
  const auto choice = parse_gpu_choice(text);
  if (!choice) FAIL(choice.error().message);
  const auto gpus = chosen_gpus(*choice, present);
  if (!gpus) FAIL(gpus.error().message);
  return *gpus;
}

TEST_CASE("GPUs are all, so many, or those named") {
  CHECK(chosen("all", 3) == std::vector<int>{0, 1, 2});
  CHECK(chosen("2", 3) == std::vector<int>{0, 1});
  CHECK(chosen("cuda:2", 3) == std::vector<int>{2});
  CHECK(chosen("cuda:2,cuda:0", 3) == std::vector<int>{2, 0});
}

TEST_CASE("what could mean two things is refused, and says what is meant") {
  for (const char* text :
       {"0", "", "0,2", "cuda:0,", "cuda:0,2", "cuda:x", "cuda:-1", "-1", "2 ", "every", "999"}) {
    const auto choice = parse_gpu_choice(text);
    CAPTURE(text);
    REQUIRE_FALSE(choice);
    CHECK_THAT(choice.error().message,
               ContainsSubstring("expected 'all', how many, such as '4', or which, such as 'cuda:0,cuda:2'"));
  }
  CHECK_THAT(parse_gpu_choice("cuda:1,cuda:1").error().message, ContainsSubstring("named twice"));
}

TEST_CASE("more than there are cannot be had") {
  CHECK(chosen_gpus(*parse_gpu_choice("4"), 2).error().message ==
        "gpus: 4 are asked for; this process sees 2");
  CHECK(chosen_gpus(*parse_gpu_choice("cuda:0,cuda:2"), 2).error().message ==
        "gpus: there is no cuda:2; this process sees 2 GPUs");
}

TEST_CASE("in JSON how many is a number") {
  CHECK(*gpus_from_json(Json{{"gpus", 4}}, "cuda:0") == "4");
  CHECK(*gpus_from_json(Json{{"gpus", "all"}}, "cuda:0") == "all");
  CHECK(gpus_from_json(Json::object(), "cpu")->empty());
  CHECK(gpus_to_json("4") == Json(4));
  CHECK(gpus_to_json("cuda:0,cuda:2") == Json("cuda:0,cuda:2"));
}

TEST_CASE("several GPUs are for the device that each of their processes sees") {
  for (const char* device : {"cpu", "cuda:1", "cuda:sm_90a"}) {
    const auto gpus = gpus_from_json(Json{{"gpus", "all"}}, device);
    REQUIRE_FALSE(gpus);
    CHECK_THAT(gpus.error().message, ContainsSubstring("expected 'cuda:0'"));
  }
}

}  // namespace
}  // namespace kevolve
