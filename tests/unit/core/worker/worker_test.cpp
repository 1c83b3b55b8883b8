#include <sstream>

#include "core/worker/worker.hpp"
#include "tests/catch.hpp"
#include "tests/unit/core/worker/fake_device.hpp"
#include "tests/unit/core/worker/requests.hpp"

namespace kevolve {
using namespace worker;
namespace {

using Catch::Matchers::ContainsSubstring;

/// The replies to these lines, the hello first.
std::vector<WorkerReply> replies_to(const std::string& lines) {
  Evaluator evaluator(DevicePlaces{});
  evaluator.adopt_device(std::make_unique<FakeDevice>(
      "cpu", std::map<std::string, FakeKernel>{{"k", [](FakeRun& run) {
                                                  for (std::size_t i = 0; i < run.count(2); ++i)
                                                    run.floats(2)[i] = run.floats(0)[i] * run.floats(1)[i];
                                                }}}));
  std::istringstream in(lines);
  std::ostringstream out;
  const auto served = Worker(evaluator, in, out, 2).serve({"cpu"});
  if (!served) FAIL(served.error().message);
  std::vector<WorkerReply> replies;
  std::istringstream written(out.str());
  for (std::string line; std::getline(written, line);) {
    auto reply = reply_from_line(line);
    if (!reply) FAIL(reply.error().message);
    replies.push_back(std::move(*reply));
  }
  return replies;
}

std::string line_for(const std::string& id, Gate last_gate) {
  EvaluateRequest request = request_for(candidate("k"), last_gate);
  request.id = id;
  return to_line(WorkerRequest(request)) + "\n";
}

}  // namespace

TEST_CASE("a worker says hello, answers each line once, survives bad ones and ends with its input") {
  AdmitRequest admit{"a", product_operator(), "small"};
  const auto replies =
      replies_to(line_for("1", Gate::correctness) + "not json\n\n" + R"({"type": "evaluate", "id": "2"})" +
                 "\n" + line_for("3", Gate::policy) + to_line(WorkerRequest(admit)) + "\n");
  REQUIRE(replies.size() == 6);
  CHECK(std::get<Hello>(replies[0]).devices.at(0).name == "cpu");
  const auto& first = std::get<EvaluationReply>(replies[1]);
  CHECK(first.id == "1");
  CHECK(first.evaluation.verdict.passed());
  CHECK(first.evaluation.verdict.gate == Gate::correctness);
  CHECK(std::get<ErrorReply>(replies[2]).id.empty());
  const auto& incomplete = std::get<ErrorReply>(replies[3]);
  CHECK(incomplete.id == "2");
  CHECK_THAT(incomplete.message, ContainsSubstring("operator"));
  CHECK(std::get<EvaluationReply>(replies[4]).id == "3");
  const auto& admission = std::get<AdmissionReply>(replies[5]);
  CHECK(admission.admitted);
  CHECK(admission.reason.empty());
}

TEST_CASE("a worker without any device fails and says why") {
  Evaluator evaluator(DevicePlaces{});
  std::istringstream in;
  std::ostringstream out;
  const auto served = Worker(evaluator, in, out, 2).serve({"tpu"});
  REQUIRE_FALSE(served);
  CHECK_THAT(served.error().message, ContainsSubstring("no device could be opened:\ndevice 'tpu': unknown"));
  CHECK(out.str().empty());
}

}  // namespace kevolve
