#include "tests/simulated_worker/simulation.hpp"

#include <map>

#include "core/model/candidate.hpp"
#include "tests/catch.hpp"

namespace kevolve::testing {
namespace {

EvaluateRequest request_of(int block) {
  EvaluateRequest request;
  request.source = "the source";
  if (block > 0) request.tunables = {{"BLOCK", block}};
  request.compare_with = {{"naive", "the naive kernel", {}}};
  request.baselines.clear();
  request.yardstick = "naive";
  return request;
}

TEST_CASE("what is said of a candidate follows from the candidate alone") {
  const DeviceInfo device = simulated_device("cpu", "simulated");
  for (int block = 1; block < 50; ++block) {
    const Evaluation first = simulate(request_of(block), device), again = simulate(request_of(block), device);
    CHECK(to_json(first) == to_json(again));
    EvaluateRequest beside = request_of(block);
    beside.compare_with.push_back({"incumbent", "another", {{"BLOCK", 64}}});
    const Evaluation beside_another = simulate(beside, device);
    CHECK(beside_another.verdict.outcome == first.verdict.outcome);
    CHECK(beside_another.speedup == first.speedup);
    if (first.verdict.passed()) CHECK(first.speedup == 1000 / first.measurement("candidate")->median_us);
  }
}

TEST_CASE("most candidates pass, the others stop at every gate, and naive kernels always pass") {
  std::map<Gate, int> gates;
  int passed = 0;
  for (int block = 1; block <= 1000; ++block) {
    const Evaluation evaluation = simulate(request_of(block), simulated_device("cpu", "simulated"));
    if (evaluation.verdict.passed()) {
      ++passed;
    } else {
      ++gates[evaluation.verdict.gate];
      CHECK_FALSE(evaluation.verdict.evidence.empty());
      CHECK(evaluation.measurements.empty());
    }
  }
  CHECK(passed > 550);
  CHECK(passed < 750);
  CHECK(gates.size() == 5);
  CHECK(simulate(request_of(0), simulated_device("cpu", "simulated")).verdict.passed());
}

TEST_CASE("its replies are of the protocol") {
  for (int block = 0; block < 100; ++block) {
    EvaluateRequest request = request_of(block);
    request.baselines = {"eager", "compile"};
    request.last_gate = Gate::profile;
    const std::string line =
        to_line(WorkerReply(EvaluationReply{"1", simulate(request, simulated_device("cuda:0", "x"))}));
    const auto reply = reply_from_line(line);
    REQUIRE(reply);
    CHECK(std::get<EvaluationReply>(*reply).evaluation.device.name == "cuda:0");
  }
}

}  // namespace
}  // namespace kevolve::testing
