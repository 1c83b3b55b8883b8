#include "core/model/reference_signature.hpp"

#include "tests/catch.hpp"

namespace kevolve {
namespace {

using Names = std::vector<std::string>;

TEST_CASE("parameters of forward are read in order") {
  CHECK(*forward_parameters("def forward(x: Tensor, w: Tensor, EPS: float) -> Tensor:\n") ==
        Names{"x", "w", "EPS"});
  CHECK(*forward_parameters("def forward(x, w=None):\n") == Names{"x", "w"});
  CHECK(*forward_parameters("def forward():\n") == Names{});
  CHECK(*forward_parameters(
            "def forward(x: Tuple[int, int],\n            y: Optional[Tensor] = f(1, 2),\n):") ==
        Names{"x", "y"});
  CHECK(*forward_parameters("def helper(a):\n  return a\n\ndef forward(b):\n") == Names{"b"});
}

TEST_CASE("a reference without forward says so") {
  CHECK(forward_parameters("def foward(x):\n").error().message ==
        "no function forward found; expected a line that starts with \"def forward(\"");
  CHECK_FALSE(forward_parameters("# def forward(x):\n"));
  CHECK(forward_parameters("def forward(x: Tensor,\n").error().message ==
        "the parameter list of forward has no end; expected ')'");
}

}  // namespace
}  // namespace kevolve
