#include "core/search/pseudo_figure.hpp"

#include <set>

#include "tests/catch.hpp"

using namespace kevolve;
using namespace kevolve::search;

TEST_CASE("a pseudo-figure follows from seed and hash alone") {
  // Written down once: archives of deterministic jobs are compared with later ones.
  CHECK(pseudo_figure(7, "ab12") == Approx(2.448253904817908).epsilon(1e-12));
  CHECK(pseudo_figure(7, "ab12") == pseudo_figure(7, "ab12"));
  CHECK(pseudo_figure(8, "ab12") != pseudo_figure(7, "ab12"));
}

TEST_CASE("pseudo-figures lie on both sides of the naive kernel's 1, and no two are equal") {
  std::set<double> figures;
  int slower = 0;
  for (int i = 0; i < 1000; ++i) {
    const double figure = pseudo_figure(1, std::to_string(i));
    CHECK(figure >= 0.5);
    CHECK(figure < 4);
    slower += figure < 1 ? 1 : 0;
    figures.insert(figure);
  }
  CHECK(figures.size() == 1000);
  CHECK(slower > 80);
  CHECK(slower < 220);
}
