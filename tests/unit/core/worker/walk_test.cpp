#include "core/worker/gates/gate_check.hpp"
#include "tests/catch.hpp"

namespace kevolve {
using namespace worker;
namespace {

/// Gates that note that they ran, and say what `verdicts` says of them.
struct FakeGates {
  std::vector<Gate> ran;
  std::map<Gate, Verdict> verdicts;
  bool broken = false;

  std::vector<GateCheck> checks() {
    std::vector<GateCheck> all;
    for (const GateCheck& real : gate_checks()) {
      const Gate gate = real.gate;
      all.push_back({gate, real.phase,
                     [this, gate](Trial&) -> Result<Verdict> {
                       ran.push_back(gate);
                       if (broken) return failure("no bwrap");
                       const auto said = verdicts.find(gate);
                       return said == verdicts.end() ? Verdict{Outcome::passed, gate, ""} : said->second;
                     },
                     real.has_time});
    }
    return all;
  }
};

Trial trial_until(Gate last) {
  Trial trial;
  trial.request.last_gate = last;
  return trial;
}

}  // namespace

TEST_CASE("the gates of a worker are those of the list, in its order, those that need no court first") {
  REQUIRE(gate_checks().size() == kGates.size());
  for (std::size_t i = 0; i < kGates.size(); ++i) CHECK(gate_checks()[i].gate == kGates[i].gate);
  for (std::size_t i = 1; i < kGates.size(); ++i) CHECK(gate_checks()[i - 1].phase <= gate_checks()[i].phase);
}

TEST_CASE("a walk stops at the first gate that a candidate fails") {
  FakeGates gates;
  gates.verdicts[Gate::compile] = {Outcome::compile_error, Gate::compile, "no"};
  Trial trial = trial_until(Gate::timing);
  REQUIRE(walk(gates.checks(), Phase::ahead, trial));
  REQUIRE(walk(gates.checks(), Phase::alone, trial));
  CHECK(gates.ran == std::vector{Gate::policy, Gate::compile});
  CHECK(trial.ended());
  CHECK(trial.record.verdict.outcome == Outcome::compile_error);
  CHECK(trial.record.gate_ms.size() == 2);
  CHECK(trial.record.gate_ms.contains("compile"));
}

TEST_CASE("a gate may tell what belongs to a later one, which stops the walk all the same") {
  FakeGates gates;
  gates.verdicts[Gate::compile] = {Outcome::inspect_violation, Gate::inspect, "a writable global"};
  Trial trial = trial_until(Gate::compile);
  REQUIRE(walk(gates.checks(), Phase::ahead, trial));
  CHECK(trial.ended());
  CHECK(trial.record.verdict.gate == Gate::inspect);
}

TEST_CASE("a walk ends after the last gate that was asked for") {
  for (const GateName& last : kGates) {
    FakeGates gates;
    Trial trial = trial_until(last.gate);
    CHECK_FALSE(trial.ended());
    REQUIRE(walk(gates.checks(), Phase::ahead, trial));
    REQUIRE(walk(gates.checks(), Phase::alone, trial));
    CAPTURE(last.name);
    CHECK(gates.ran.back() == last.gate);
    CHECK(gates.ran.size() == static_cast<std::size_t>(last.gate) + 1);
    CHECK(trial.ended());
    CHECK(trial.record.verdict.passed());
    CHECK(trial.record.verdict.gate == last.gate);
    CHECK(is_verified(trial.record.verdict) == (last.gate >= kVerifyingGate));
  }
}

TEST_CASE("one phase leaves the gates of the other to a later walk") {
  FakeGates gates;
  Trial trial = trial_until(Gate::profile);
  REQUIRE(walk(gates.checks(), Phase::ahead, trial));
  CHECK(gates.ran == std::vector{Gate::policy, Gate::compile, Gate::inspect});
  CHECK_FALSE(trial.ended());
  CHECK_FALSE(trial.record.gate_ms.contains("inspect"));  // its time is in compile's
  REQUIRE(walk(gates.checks(), Phase::ahead, trial));
  CHECK(gates.ran.size() == 3);
  REQUIRE(walk(gates.checks(), Phase::alone, trial));
  CHECK(gates.ran.size() == kGates.size());
}

TEST_CASE("an operational failure is not a verdict") {
  FakeGates gates;
  gates.broken = true;
  Trial trial = trial_until(Gate::timing);
  const auto walked = walk(gates.checks(), Phase::ahead, trial);
  REQUIRE_FALSE(walked);
  CHECK(walked.error().message == "no bwrap");
  CHECK(trial.record.verdict.passed());
  CHECK(trial.record.gate_ms.empty());
}

}  // namespace kevolve
