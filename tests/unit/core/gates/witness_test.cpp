#include "core/gates/witness.hpp"

#include "tests/catch.hpp"

namespace kevolve {
using namespace gates;
namespace {

using Catch::Matchers::ContainsSubstring;

Witness seen(double launches, double busy_us, double span_us) {
  return {.launches = launches, .busy_us = busy_us, .span_us = span_us};
}

}  // namespace

TEST_CASE("a time may lie a little beside what a second witness saw") {
  CHECK_FALSE(disagreement(seen(1, 3.2, 3.2), 5.9, 1));  // a launch is a microsecond and more
  CHECK_FALSE(disagreement(seen(1, 1000, 1000), 1049, 1));
  CHECK_FALSE(disagreement(seen(3, 100, 130), 128, 3));  // gaps between launches count as they please
  CHECK_FALSE(disagreement(seen(1, 1000, 1000), 951, 1));
}

TEST_CASE("a time that leaves out work, or holds more than the work, is not believed") {
  CHECK_THAT(*disagreement(seen(1, 1000, 1000), 949, 1), ContainsSubstring("outside the timed span"));
  CHECK_THAT(*disagreement(seen(2, 8, 8), 5.9, 2), ContainsSubstring("busy for 8 us"));
  CHECK_THAT(*disagreement(seen(1, 1000, 1000), 1055, 1), ContainsSubstring("something else was timed"));
  CHECK_THAT(*disagreement(seen(1, 4, 4), 8.3, 1), ContainsSubstring("from the first kernel's begin"));
}

TEST_CASE("every planned kernel must have run, and no other") {
  CHECK_THAT(*disagreement(seen(2, 100, 100), 100, 3), ContainsSubstring("3 launches"));
  CHECK_THAT(*disagreement(seen(4, 100, 100), 100, 3), ContainsSubstring("4 kernels"));
}

TEST_CASE("a witness that could not be had contradicts nothing") {
  CHECK_FALSE(disagreement({.unavailable = "no CUPTI"}, 100, 1));
}

}  // namespace kevolve
