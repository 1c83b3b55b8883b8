#include "core/judge/judge.hpp"

#include <cmath>
#include <cstring>

#include "core/devices/host_memory.hpp"
#include "core/judge/admission.hpp"
#include "tests/catch.hpp"

namespace kevolve {
using namespace devices;
using namespace gates;
using namespace judge;
namespace {

HostMemory& judge_memory() {
  static HostMemory memory;
  return memory;
}

using Catch::Matchers::ContainsSubstring;

constexpr Seed kJudgeSeed{{11, 22}};

/// An operator over x[ROWS,L] and y of the given shape.
Operator make_operator(const std::string& reference, const std::string& y_shape = R"(["ROWS", "L"])",
                       const std::string& y_type = "f32",
                       const std::string& inputs = R"("x": { "dtype": "f32", "shape": ["ROWS", "L"] })",
                       const std::string& draw = R"({ "kind": "normal" })") {
  const std::string text = R"({ "name": "probe", "description": "A probe.",
    "axes": { "ROWS": { "kind": "constant", "description": "rows" }, "L": { "kind": "constant", "description": "length" } },
    "scalars": { "EPS": { "dtype": "f32", "value": 1e-5 } },
    "inputs": { )" + inputs +
                           R"( },
    "outputs": { "y": { "dtype": ")" +
                           y_type + R"(", "shape": )" + y_shape + R"( } },
    "reference": )" + Json(reference).dump() +
                           R"(,
    "workloads": { "small": { "axes": { "ROWS": 8, "L": 300 } } },
    "distributions": { "normal": { "timed": true, "draws": { "*": )" +
                           draw + R"( } } },
    "precision": "strict_fp32", "cost": { "bytes": "8 * ROWS * L", "flops": "ROWS * L" } })";
  auto op = parse_operator(*parse_json(text, "probe"), "probe");
  if (!op) FAIL(op.error().message);
  return *op;
}

std::unique_ptr<Judge> judge_of(const Operator& op) {
  auto judge = Judge::create(op, 2, judge_memory());
  if (!judge) FAIL(judge.error().message);
  return std::move(*judge);
}

Draw draw_of(Judge& judge) {
  auto draw = judge.draw(judge.op().workloads[0].axes, judge.op().distributions[0], kJudgeSeed, 0);
  if (!draw) FAIL(draw.error().message);
  return std::move(*draw);
}

std::string creation_error(const Operator& op) {
  auto judge = Judge::create(op, 2, judge_memory());
  return judge ? "" : judge.error().message;
}

std::string refusal_of(const Operator& op) {
  const auto judge = judge_of(op);
  const auto reason = refusal(*judge, op.workloads[0], kJudgeSeed);
  if (!reason) FAIL(reason.error().message);
  return *reason;
}

/// x, as the floats it holds.
std::vector<float> input(const Draw& draw, std::size_t index = 0) {
  std::vector<float> values(draw.inputs[index].size_bytes / 4);
  std::memcpy(values.data(), draw.inputs[index].data.get(), draw.inputs[index].size_bytes);
  return values;
}

std::string compared(const Draw& draw, const std::vector<float>& answer) {
  const Elements view{DType::f32, reinterpret_cast<const std::byte*>(answer.data()), answer.size()};
  return compare(draw.outputs[0], view, PrecisionClass::strict_fp32).evidence;
}

/// Layer normalisation without weights: two passes, in the given type.
template <class Real>
std::vector<float> normalise(const std::vector<float>& x, std::size_t length) {
  std::vector<float> y(x.size());
  for (std::size_t row = 0; row < x.size(); row += length) {
    Real sum = 0, squares = 0;
    for (std::size_t i = row; i < row + length; ++i) sum += x[i];
    const Real mean = sum / static_cast<Real>(length);
    for (std::size_t i = row; i < row + length; ++i) squares += (x[i] - mean) * (x[i] - mean);
    const Real scale = 1 / std::sqrt(squares / static_cast<Real>(length) + static_cast<Real>(1e-5f));
    for (std::size_t i = row; i < row + length; ++i) y[i] = static_cast<float>((x[i] - mean) * scale);
  }
  return y;
}

const char* const kLayernorm =
    "def forward(x: Tensor, EPS: float, L: int) -> Tensor:\n    return torch.layer_norm(x, [L], None, None, "
    "EPS)\n";

}  // namespace

TEST_CASE("parameters are bound by name, and the oracle is the reference in fp64") {
  const auto judge = judge_of(
      make_operator("def forward(EPS: float, L: int, x: Tensor) -> Tensor:\n    return x * L + EPS\n"));
  const Draw draw = draw_of(*judge);
  const auto x = input(draw);
  REQUIRE(draw.outputs.size() == 1);
  CHECK(draw.outputs[0].shape == std::vector<std::int64_t>{8, 300});
  const auto response = draw.outputs[0].observe_response();
  REQUIRE(response);
  REQUIRE(response->size() == x.size());
  for (std::size_t i = 0; i < x.size(); i += 100) {
    CHECK(draw.outputs[0].oracle[i] == static_cast<double>(x[i]) * 300 + static_cast<double>(1e-5f));
    CHECK(draw.outputs[0].torch.at(i) == Approx(x[i] * 300 + 1e-5f));
    CHECK((*response)[i] == Approx(std::abs(x[i]) * 300 * 0x1p-24));
  }
}

TEST_CASE("honest fp32 and fp64 answers pass, on plain and on cancelling data") {
  const auto data = GENERATE(as<std::string>{}, R"({ "kind": "normal" })", R"({ "kind": "mixture" })",
                             R"({ "kind": "normal", "mean": 1000, "std": 0.1 })",
                             R"({ "kind": "impulse", "value": 100, "count": 7 })");
  const auto judge = judge_of(make_operator(kLayernorm, R"(["ROWS", "L"])", "f32",
                                            R"("x": { "dtype": "f32", "shape": ["ROWS", "L"] })", data));
  const Draw draw = draw_of(*judge);
  CAPTURE(data);
  CHECK(compared(draw, normalise<float>(input(draw), 300)) == "");
  CHECK(compared(draw, normalise<double>(input(draw), 300)) == "");
}

TEST_CASE("sum of squares is seen to cancel at a large mean") {
  const auto judge = judge_of(make_operator(kLayernorm, R"(["ROWS", "L"])", "f32",
                                            R"("x": { "dtype": "f32", "shape": ["ROWS", "L"] })",
                                            R"({ "kind": "normal", "mean": 1000, "std": 0.1 })"));
  const Draw draw = draw_of(*judge);
  const auto x = input(draw);
  std::vector<float> y(x.size());
  for (std::size_t row = 0; row < x.size(); row += 300) {
    float sum = 0, squares = 0;
    for (std::size_t i = row; i < row + 300; ++i) sum += x[i], squares += x[i] * x[i];
    const float mean = sum / 300, variance = std::max(0.f, squares / 300 - mean * mean);
    for (std::size_t i = row; i < row + 300; ++i) y[i] = (x[i] - mean) / std::sqrt(variance + 1e-5f);
  }
  CHECK(compared(draw, y) != "");
}

TEST_CASE("one wrong element of a normalised tensor is seen at 1e-4") {
  const auto judge = judge_of(make_operator(kLayernorm));
  const Draw draw = draw_of(*judge);
  auto y = normalise<double>(input(draw), 300);
  for (const std::size_t at : {std::size_t{0}, std::size_t{1234}, y.size() - 1}) {
    const float before = y[at];
    y[at] += 1e-4f;
    CHECK(compared(draw, y) != "");
    y[at] = before;
  }
  CHECK(compared(draw, y) == "");
}

TEST_CASE("a sum of one output element is judged by more than one observation") {
  const auto judge =
      judge_of(make_operator("def forward(x: Tensor) -> Tensor:\n    return x.sum().reshape([1])\n", "[1]"));
  for (std::uint64_t number = 0; number < 50; ++number) {
    const auto draw =
        judge->draw(judge->op().workloads[0].axes, judge->op().distributions[0], kJudgeSeed, number);
    REQUIRE(draw);
    const auto x = input(*draw);
    float lanes[32] = {}, sum = 0;  // as a warp sums
    for (std::size_t i = 0; i < x.size(); ++i) lanes[i % 32] += x[i];
    for (const float lane : lanes) sum += lane;
    CAPTURE(number);
    CHECK(compared(*draw, {sum}) == "");
    CHECK(compared(*draw, {sum + 0.01f}) != "");
  }
}

TEST_CASE("integer outputs are PyTorch's own") {
  const auto judge = judge_of(make_operator(
      "def forward(x: Tensor) -> Tensor:\n    return torch.argmax(x, 1)\n", R"(["ROWS"])", "i64"));
  const Draw draw = draw_of(*judge);
  const auto x = input(draw);
  const auto first = std::max_element(x.begin(), x.begin() + 300) - x.begin();
  CHECK(draw.outputs[0].torch.at(0) == static_cast<double>(first));
}

TEST_CASE("references that do not compile or fit are explained") {
  CHECK_THAT(
      creation_error(make_operator("def forward(x: Tensor) -> Tensor:\n    return torch.no_such_op(x)\n")),
      ContainsSubstring("operator 'probe': reference: ") && ContainsSubstring("no_such_op"));
  const auto run_error = [](const Operator& op) {
    const auto judge = judge_of(op);
    const auto draw = judge->draw(op.workloads[0].axes, op.distributions[0], kJudgeSeed, 0);
    return draw ? std::string() : draw.error().message;
  };
  CHECK_THAT(run_error(make_operator("def forward(x: Tensor) -> Tensor:\n    return x.sum(1)\n")),
             ContainsSubstring("output 'y' is declared with shape [8, 300], but the reference gives [8]"));
  CHECK_THAT(run_error(make_operator("def forward(x: Tensor) -> Tensor:\n    return x > 0\n")),
             ContainsSubstring("output 'y' is declared as f32, but the reference gives Bool"));
  CHECK_THAT(run_error(make_operator("def forward(x: Tensor) -> Tensor:\n    return x.view([7, 7])\n")),
             ContainsSubstring("operator 'probe': reference, draw 'normal': ") && ContainsSubstring("7"));
}

TEST_CASE("eager is timed") {
  const auto judge = judge_of(make_operator(kLayernorm));
  const auto time = judge->time_us("eager", draw_of(*judge));
  REQUIRE(time);
  CHECK(*time > 0);
}

TEST_CASE("sound operators are admitted, degenerate ones refused with the reason") {
  CHECK(refusal_of(make_operator(kLayernorm)) == "");
  const auto body = [](const std::string& expression) {
    return make_operator("def forward(x: Tensor) -> Tensor:\n    return " + expression + "\n");
  };
  CHECK_THAT(refusal_of(body("torch.zeros_like(x)")), ContainsSubstring("all zeros passes for an answer"));
  CHECK_THAT(refusal_of(body("torch.ones_like(x)")), ContainsSubstring("all ones passes for an answer"));
  CHECK_THAT(refusal_of(body("torch.softmax(x, 1).mean(1, True).expand_as(x)")),
             ContainsSubstring("its own mean everywhere passes"));
  CHECK_THAT(refusal_of(body("x + 0")), ContainsSubstring("a copy of input 'x' passes"));
  CHECK_THAT(refusal_of(body("torch.arange(300).to(x.dtype).expand_as(x) + 0 * x")),
             ContainsSubstring("the answer to another seed passes"));
  const std::string two =
      R"("x": { "dtype": "f32", "shape": ["ROWS", "L"] }, "w": { "dtype": "f32", "shape": ["L"] })";
  CHECK_THAT(refusal_of(make_operator(
                 "def forward(x: Tensor, w: Tensor) -> Tensor:\n    return torch.exp(x) + 1e-5 * w\n",
                 R"(["ROWS", "L"])", "f32", two)),
             ContainsSubstring("input 'w' hardly matters"));
}

}  // namespace kevolve
