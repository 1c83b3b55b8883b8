// PyTorch's baselines beside kernels: which are timed, which are left out, and what can be the yardstick.

#include "core/worker/evaluator.hpp"

#include "core/gates/statistics.hpp"
#include "tests/catch.hpp"
#include "tests/unit/core/worker/fake_device.hpp"
#include "tests/unit/core/worker/requests.hpp"

namespace kevolve {
using namespace gates;
using namespace worker;
namespace {

using Catch::Matchers::ContainsSubstring;
using Names = std::vector<std::string>;

EvaluateRequest request_with(const Names& baselines, const std::string& yardstick = "") {
  EvaluateRequest request = request_for(candidate("k"));
  request.operator_document["baselines"] = {
      {"swapped", "def forward(x: Tensor, w: Tensor) -> Tensor:\n    return w * x\n"},
      {"wrong", "def forward(x: Tensor, w: Tensor) -> Tensor:\n    return w + x\n"}};
  request.baselines = baselines;
  request.yardstick = yardstick;
  return request;
}

Result<Evaluation> evaluate(const EvaluateRequest& request) {
  const FakeKernel multiply = [](FakeRun& run) {
    for (std::size_t i = 0; i < run.count(2); ++i) run.floats(2)[i] = run.floats(0)[i] * run.floats(1)[i];
  };
  Evaluator evaluator(DevicePlaces{});
  evaluator.adopt_device(
      std::make_unique<FakeDevice>(request.device, std::map<std::string, FakeKernel>{{"k", multiply}}));
  auto prepared = evaluator.prepare(request);
  if (!prepared) return failure(prepared.error());
  return evaluator.finish(std::move(*prepared));
}

Names timed_subjects(const Evaluation& evaluation) {
  Names names;
  for (const Measurement& m : evaluation.measurements) names.push_back(m.subject);
  return names;
}

}  // namespace

TEST_CASE("every baseline that is there is measured as often as the candidate") {
  const auto evaluation = evaluate(request_with({"eager", "swapped"}));
  if (!evaluation) FAIL(evaluation.error().message);
  CHECK(timed_subjects(*evaluation) == Names{"candidate", "eager", "swapped"});
  for (const Measurement& m : evaluation->measurements)
    CHECK(m.samples_us.size() == evaluation->measurements[0].samples_us.size());
}

TEST_CASE("a baseline's measurement says what PyTorch used for attention, if it called it") {
  EvaluateRequest request = request_with({"eager", "attending"});
  // Of one key alone, attention gives its value.
  request.operator_document["baselines"]["attending"] =
      "def forward(x: Tensor, w: Tensor) -> Tensor:\n"
      "    y = (x * w).reshape(1, 1, -1, 1)\n"
      "    return torch.scaled_dot_product_attention(y[:, :, :1], y[:, :, :1], y.reshape(1, 1, 1, -1))"
      ".reshape_as(x)\n";
  const auto evaluation = evaluate(request);
  if (!evaluation) FAIL(evaluation.error().message);
  REQUIRE(timed_subjects(*evaluation) == Names{"candidate", "eager", "attending"});
  CHECK(evaluation->measurement("attending")->backend == "math");
  CHECK(evaluation->measurement("eager")->backend.empty());
  CHECK(evaluation->measurement("candidate")->backend.empty());
}

TEST_CASE("a baseline that is missing, wrong or unknown is left out") {
  const auto evaluation = evaluate(request_with({"compile", "wrong", "sdpa", "eager"}));
  if (!evaluation) FAIL(evaluation.error().message);
  CHECK(evaluation->verdict.passed());
  CHECK(timed_subjects(*evaluation) == Names{"candidate", "eager"});
  CHECK(evaluation->speedup > 0);
}

TEST_CASE("any baseline can be the yardstick") {
  const auto evaluation = evaluate(request_with({"eager", "swapped"}, "swapped"));
  if (!evaluation) FAIL(evaluation.error().message);
  const Measurement* own = evaluation->measurement("candidate");
  const Measurement* other = evaluation->measurement("swapped");
  REQUIRE(own != nullptr);
  REQUIRE(other != nullptr);
  CHECK(evaluation->speedup == Approx(paired_ratio(other->samples_us, own->samples_us, 1).median));
}

TEST_CASE("a yardstick that cannot be timed is an error") {
  const auto error_of = [](const std::string& yardstick) {
    const auto evaluation = evaluate(request_with({"eager", "compile", "wrong"}, yardstick));
    return evaluation ? "" : evaluation.error().message;
  };
  CHECK_THAT(error_of("compile"), ContainsSubstring("the yardstick: no folder of compiled packages"));
  CHECK_THAT(error_of("wrong"), ContainsSubstring("the yardstick: operator 'product': baseline 'wrong'"));
  CHECK(error_of("naive") == "yardstick 'naive': neither a kernel of compare_with nor one of the baselines");
}

}  // namespace kevolve
