#include "core/text/names.hpp"

#include "tests/catch.hpp"

namespace kevolve {
namespace {

TEST_CASE("the nearest word is near") {
  const std::vector<std::string> known = {"launches", "scratch", "idea", "x"};
  CHECK(nearest("lauches", known) == "launches");
  CHECK(nearest("lanuches", known) == "launches");
  CHECK(nearest("LAUNCHES", known) == "launches");
  CHECK(nearest("scratchs", known) == "scratch");
  CHECK(nearest("y", known).empty());
  CHECK(nearest("prepare", known).empty());
  CHECK(nearest("", known).empty());
}

TEST_CASE("an unknown name is answered with the known ones") {
  CHECK(suggestion("lauches", {"launches", "scratch"}, "keys") ==
        "; did you mean 'launches'? known keys: launches, scratch");
  CHECK(suggestion("a", {}, "names") == "; known names: none");
}

TEST_CASE("names that C++, CUDA and the harness keep are refused") {
  CHECK(reserved_reason("BLOCK").empty());
  CHECK(reserved_reason("int") == "is a C++ keyword");
  CHECK_FALSE(reserved_reason("threadIdx").empty());
  CHECK_FALSE(reserved_reason("KEVOLVE_X").empty());
  CHECK_FALSE(reserved_reason("a__b").empty());
}

}  // namespace
}  // namespace kevolve
