#include "core/worker/evaluator.hpp"

#include "tests/catch.hpp"
#include "tests/unit/core/worker/fake_device.hpp"
#include "tests/unit/core/worker/requests.hpp"

namespace kevolve {
using namespace devices;
using namespace worker;
namespace {

using Catch::Matchers::ContainsSubstring;

void multiply(FakeRun& run) {
  for (std::size_t i = 0; i < run.count(2); ++i) run.floats(2)[i] = run.floats(0)[i] * run.floats(1)[i];
}

Result<Evaluation> evaluate(const EvaluateRequest& request, std::map<std::string, FakeKernel> kernels,
                            const FakeWitness& witness = {},
                            std::map<std::string, std::int64_t> resources = {}) {
  kernels.emplace("good", multiply);
  Evaluator evaluator(DevicePlaces{});
  auto device = std::make_unique<FakeDevice>(request.device, std::move(kernels));
  if (witness) device->witness = witness;
  device->resources = std::move(resources);
  evaluator.adopt_device(std::move(device));
  auto prepared = evaluator.prepare(request);
  if (!prepared) return failure(prepared.error());
  return evaluator.finish(std::move(*prepared));
}

Evaluation judged(const EvaluateRequest& request, const FakeKernel& kernel = multiply) {
  auto evaluation = evaluate(request, {{"k", kernel}});
  if (!evaluation) FAIL(evaluation.error().message);
  return *evaluation;
}

/// The verdict on `kernel`, evaluated to the end.
Verdict verdict_on(const FakeKernel& kernel, const std::string& header = "",
                   const std::string& arguments = R"("x", "w", "y")") {
  return judged(request_for(candidate("k", header, arguments)), kernel).verdict;
}

}  // namespace

TEST_CASE("an honest kernel passes every gate and is measured") {
  EvaluateRequest request = request_for(candidate("k"));
  request.compare_with = {{"naive", candidate("good"), {}}};
  const auto evaluation = evaluate(request, {{"k", [](FakeRun& run) { multiply(run), run.wall_us = 50; }}});
  REQUIRE(evaluation);
  CAPTURE(evaluation->verdict.evidence);
  REQUIRE(evaluation->verdict.passed());
  CHECK(evaluation->verdict.gate == Gate::timing);
  CHECK(evaluation->precision == PrecisionClass::exact);
  REQUIRE(evaluation->measurements.size() == 3);
  CHECK(evaluation->measurements[0].subject == "candidate");
  CHECK(evaluation->measurements[0].median_us == 50);
  CHECK(evaluation->measurements[1].subject == "naive");
  CHECK(evaluation->measurements[2].subject == "eager");
  CHECK(evaluation->speedup == Approx(2));
  CHECK(evaluation->speedup_low == Approx(2));
  CHECK(evaluation->seed.size() == 32);
  for (const char* gate : {"policy", "compile", "correctness", "timing"})
    CHECK(evaluation->gate_ms.count(gate) == 1);
}

TEST_CASE("it stops after the last gate that was asked for") {
  const Gate last = GENERATE(Gate::policy, Gate::compile, Gate::inspect, Gate::correctness);
  const Evaluation evaluation = judged(request_for(candidate("k"), last));
  CHECK(evaluation.verdict.passed());
  CHECK(evaluation.verdict.gate == last);
  CHECK(evaluation.measurements.empty());
  CHECK(evaluation.compile.has_value() == (last != Gate::policy));
}

TEST_CASE("the gates before the run stop what they must") {
  const auto verdict = [](const std::string& source) { return judged(request_for(source)).verdict; };
  CHECK_THAT(verdict("__global__ void k() {}").evidence, ContainsSubstring("/*kevolve"));
  CHECK(verdict("__global__ void k() {}").outcome == Outcome::policy_violation);
  CHECK(verdict(candidate("k", "", R"("x", "y")") + "__global__ void k() { printf(\"\"); }").outcome ==
        Outcome::policy_violation);
  CHECK(verdict(candidate("k", R"("constraints": ["N % 7 == 0"],)")).outcome == Outcome::not_applicable);
  const Verdict compile = verdict(candidate("k") + "__device__ void does_not_compile() {}");
  CHECK(compile.outcome == Outcome::compile_error);
  CHECK(compile.gate == Gate::compile);
  EvaluateRequest unknown = request_for(candidate("k"));
  unknown.tunables = {{"BLOCK", 3}};
  CHECK_THAT(judged(unknown).verdict.evidence, ContainsSubstring("BLOCK"));
}

TEST_CASE("a compile-only device stops before correctness") {
  EvaluateRequest request = request_for(candidate("k"));
  request.device = "cuda:sm_90a";
  const Evaluation stopped = judged(request);
  CHECK(stopped.verdict.outcome == Outcome::unsupported);
  CHECK_THAT(stopped.verdict.evidence, ContainsSubstring("only compiles"));
  request.last_gate = Gate::inspect;
  CHECK(judged(request).verdict.passed());
}

TEST_CASE("wrong answers are stopped at correctness, each with its own outcome") {
  struct Case {
    const char* what;
    FakeKernel kernel;
    Outcome outcome;
    const char* evidence;
  };
  const std::vector<Case> cases{
      {"one element flipped", [](FakeRun& run) { multiply(run), run.floats(2)[0] *= 1.0001f; },
       Outcome::wrong_precision, "y[0] is "},
      {"doubled",
       [](FakeRun& run) {
         multiply(run);
         for (std::size_t i = 0; i < run.count(2); ++i) run.floats(2)[i] *= 2;
       },
       Outcome::wrong_result, "constant factor 2"},
      {"tail unwritten",
       [](FakeRun& run) {
         for (std::size_t i = 0; i + 4 < run.count(2); ++i)
           run.floats(2)[i] = run.floats(0)[i] * run.floats(1)[i];
       },
       Outcome::unwritten, "is unwritten"},
      {"nothing done", [](FakeRun&) {}, Outcome::unwritten, "Every element is unwritten"},
      {"depends on the order of threads",
       [](FakeRun& run) {
         multiply(run);
         if (run.options.order == ThreadOrder::reverse) run.floats(2)[5] = 7;
       },
       Outcome::race, "depends on the order of threads"},
      {"adds to what the output held",
       [](FakeRun& run) {
         const std::vector<float> held(run.floats(2), run.floats(2) + run.count(2));
         multiply(run);
         for (std::size_t i = 0; i < held.size(); ++i) run.floats(2)[i] += 1e-30f * held[i];
       },
       Outcome::wrong_result, "held before the run"},
      {"writes past the end", [](FakeRun& run) { multiply(run), run.floats(2)[run.count(2)] = 0; },
       Outcome::illegal_access, "just outside buffer 'y'"},
      {"changes an input", [](FakeRun& run) { multiply(run), run.floats(0)[1] = 0; }, Outcome::illegal_access,
       "Input 'x' was changed"},
      {"replays its first answer",
       [kept = std::make_shared<std::vector<float>>()](FakeRun& run) {
         multiply(run);
         if (kept->empty()) kept->assign(run.floats(2), run.floats(2) + run.count(2));
         std::copy_n(kept->begin(), std::min(kept->size(), run.count(2)), run.floats(2));
       },
       Outcome::wrong_result, "expected"},
      {"right at the workload's own size only",
       [](FakeRun& run) {
         multiply(run);
         if (run.count(2) != 1000) run.floats(2)[0] = 9;
       },
       Outcome::wrong_result, "At the hold-out N = 997: y[0] is 9"}};
  for (const Case& c : cases) {
    const Verdict verdict = verdict_on(c.kernel);
    CAPTURE(c.what, verdict.evidence);
    CHECK(name(verdict.outcome) == name(c.outcome));
    CHECK(verdict.gate == Gate::correctness);
    CHECK_THAT(verdict.evidence, ContainsSubstring(c.evidence));
  }
}

TEST_CASE("a kernel that is right until it is timed is stopped at timing") {
  // Correctness takes fewer than 9 runs of one runner, timing more; every runner counts anew.
  EvaluateRequest request = request_for(candidate("k"));
  request.baselines = {};
  request.timing = {.min_samples = 10, .max_samples = 12, .max_seconds = 60};
  const Verdict verdict = judged(request, [](FakeRun& run) {
                            multiply(run);
                            if (run.number >= 9) run.floats(2)[3] = 0.5f;
                          }).verdict;
  CHECK(verdict.outcome == Outcome::race);
  CHECK(verdict.gate == Gate::timing);
  CHECK_THAT(verdict.evidence, ContainsSubstring("y[3] is 0.5 in a timed run"));
}

TEST_CASE("rounding that differs from run to run is a race unless it is declared") {
  const auto rounding = [](FakeRun& run) {
    multiply(run);
    if (run.options.order != ThreadOrder::forward)
      for (std::size_t i = 0; i < run.count(2); ++i) run.floats(2)[i] *= 1 + 2e-7f;
  };
  CHECK(verdict_on(rounding).outcome == Outcome::race);
  CHECK(verdict_on(rounding, R"("deterministic": false,)").passed());
}

TEST_CASE("prepare sees constant inputs only, and its scratch reaches the launches") {
  const std::string header =
      R"("scratch": { "packed": { "dtype": "f32", "elements": "N" } },
         "prepare": [ { "kernel": "pack", "grid": [1], "block": [32], "args": ["w", "packed"] } ],)";
  const auto evaluation = [&](const FakeKernel& pack) {
    const FakeKernel launch = [](FakeRun& run) {
      for (std::size_t i = 0; i < run.count(2); ++i) run.floats(2)[i] = run.floats(0)[i] * run.floats(3)[i];
    };
    auto done = evaluate(request_for(candidate("k", header, R"("x", "packed", "y")")),
                         {{"k", launch}, {"pack", pack}});
    if (!done) FAIL(done.error().message);
    return *done;
  };
  const Evaluation honest = evaluation([](FakeRun& run) {
    std::memcpy(run.floats(3), run.floats(1), 4 * run.count(1));
    run.wall_us = 7;
  });
  CAPTURE(honest.verdict.evidence);
  CHECK(honest.verdict.passed());
  CHECK(honest.prepare_us == 7);
  const Evaluation peeking = evaluation([](FakeRun& run) {
    for (std::size_t i = 0; i < run.count(1); ++i)
      run.floats(3)[i] = run.floats(1)[i] + 0 * run.floats(0)[i] + (run.floats(0)[0] < -1e30f ? 1.f : 0.f);
  });
  CHECK_FALSE(peeking.verdict.passed());
}

TEST_CASE("a time below the physical limit is quarantined") {
  const Verdict verdict = verdict_on([](FakeRun& run) { multiply(run), run.wall_us = 1e-6; });
  CHECK(verdict.outcome == Outcome::quarantined);
  CHECK_THAT(verdict.evidence, ContainsSubstring("below half of the physical limit"));
}

TEST_CASE("a second clock is asked of contenders, and a time it contradicts is inconclusive") {
  EvaluateRequest request = request_for(candidate("k"));
  int asked = 0;
  const auto judged_by = [&](Result<std::optional<Witness>> witness) {
    auto evaluation = evaluate(request, {{"k", multiply}}, [&] {
      ++asked;
      return witness;
    });
    REQUIRE(evaluation);
    return *evaluation;
  };
  const Witness agrees{.launches = 1, .busy_us = 99, .span_us = 99};
  const Witness contradicts{.launches = 1, .busy_us = 200, .span_us = 200};
  CHECK_FALSE(judged_by(contradicts).witness);
  CHECK(asked == 0);
  request.fresh_draws = true;
  const Evaluation right = judged_by(agrees);
  CHECK(right.verdict.passed());
  CHECK(right.witness->busy_us == 99);
  const Evaluation wrong = judged_by(contradicts);
  CHECK(wrong.verdict.outcome == Outcome::inconclusive);
  CHECK(wrong.verdict.gate == Gate::timing);
  CHECK_THAT(wrong.verdict.evidence, ContainsSubstring("busy for 200 us"));
  const Evaluation without = judged_by(failure("no CUPTI"));
  CHECK(without.verdict.passed());
  CHECK(without.witness->unavailable == "no CUPTI");
}

TEST_CASE("narrow products on tensor cores stop at inspect where fp32 is asked for") {
  EvaluateRequest request = request_for(candidate("k"));
  const auto evaluation = evaluate(request, {{"k", multiply}}, {}, {{"tensor_cores.f16", 8}});
  REQUIRE(evaluation);
  CHECK(evaluation->verdict.outcome == Outcome::wrong_precision);
  CHECK(evaluation->verdict.gate == Gate::inspect);
  request.operator_document["precision"] = "compensated";
  const auto admitted = evaluate(request, {{"k", multiply}}, {}, {{"tensor_cores.f16", 8}});
  REQUIRE(admitted);
  CAPTURE(admitted->verdict.evidence);
  CHECK(admitted->verdict.passed());
  CHECK(admitted->precision == PrecisionClass::compensated);
}

TEST_CASE("the SMs' clock is kept beside each sample, where the device tells it") {
  const auto clocks = [](double mhz) {
    return judged(request_for(candidate("k")),
                  [&](FakeRun& run) { multiply(run), run.sm_mhz = run.options.timed ? mhz : 7; })
        .measurements[0];
  };
  const Measurement told = clocks(1980);
  CHECK(told.sm_mhz == std::vector<double>(told.samples_us.size(), 1980));
  CHECK(clocks(0).sm_mhz.empty());
}

TEST_CASE("a hopeless candidate is not sampled to the end") {
  EvaluateRequest request = request_for(candidate("k"));
  request.baselines = {};
  request.compare_with = {{"incumbent", candidate("good"), {}}};
  request.timing = {.min_samples = 10, .max_samples = 40, .max_seconds = 60};
  const auto evaluation = evaluate(request, {{"k", [](FakeRun& run) { multiply(run), run.wall_us = 500; }}});
  REQUIRE(evaluation);
  CHECK(evaluation->verdict.passed());
  CHECK(evaluation->measurements[0].samples_us.size() == 3);
  CHECK(evaluation->speedup == Approx(0.2));
}

TEST_CASE("a short kernel is rehearsed on the other draw before each sample") {
  int timed = 0, rehearsed = 0;
  const auto kernel = [&](double us) {
    return [&, us](FakeRun& run) {
      multiply(run), run.wall_us = us;
      if (!run.options.timed) CHECK_FALSE(run.options.rehearsal);
      if (!run.options.timed) return;
      ++timed;
      if (!run.options.rehearsal) return;
      ++rehearsed;
      CHECK(*run.options.rehearsal != run.set);
    };
  };
  EvaluateRequest request = request_for(candidate("k"));
  request.baselines = {};
  CHECK(judged(request, kernel(6)).verdict.passed());
  CHECK(timed >= 4);
  CHECK(rehearsed == timed);
  timed = rehearsed = 0;
  CHECK(judged(request, kernel(600)).verdict.passed());
  CHECK(timed >= 4);
  CHECK(rehearsed == 0);
}

TEST_CASE("a kernel far slower than a known rival is looked at less, unless it is a contender") {
  Evaluator evaluator(DevicePlaces{});
  int runs = 0;
  const FakeKernel slow = [&](FakeRun& run) { multiply(run), run.wall_us = 30'000, ++runs; };
  auto device = std::make_unique<FakeDevice>(
      "cpu", std::map<std::string, FakeKernel>{{"good", multiply}, {"slow", slow}});
  device->on_host = false;
  evaluator.adopt_device(std::move(device));
  EvaluateRequest request = request_for(candidate("slow"));
  request.operator_document["workloads"]["small"].erase("holdouts");
  request.baselines = {};
  request.compare_with = {{"incumbent", candidate("good"), {}}};
  const auto runs_of_one = [&] {
    runs = 0;
    auto prepared = evaluator.prepare(request);
    REQUIRE(prepared);
    const auto evaluation = evaluator.finish(std::move(*prepared));
    REQUIRE(evaluation);
    CHECK(evaluation->verdict.passed());
    return runs;
  };
  runs_of_one();  // PyTorch's own time alone is known so far, and differs from machine to machine
  // Five runs on the first draw become three; the two other distributions, a warm-up and a sample stay.
  CHECK(runs_of_one() == 3 + 2 + 1 + 1);
  request.fresh_draws = true;
  CHECK(runs_of_one() == 5 + 2 + 2 + 3);
}

TEST_CASE("a quiet device is waited for only where the candidate may win") {
  Evaluator evaluator(DevicePlaces{});
  double us = 0;
  const FakeKernel any = [&](FakeRun& run) { multiply(run), run.wall_us = us; };
  auto device = std::make_unique<FakeDevice>(
      "cpu", std::map<std::string, FakeKernel>{{"good", multiply}, {"any", any}});
  const auto settled = device->settled;
  evaluator.adopt_device(std::move(device));
  EvaluateRequest request = request_for(candidate("any"));
  request.baselines = {};
  request.compare_with = {{"incumbent", candidate("good"), {}}};
  const auto waits = [&](double candidate_us) {
    us = candidate_us;
    const int before = *settled;
    auto prepared = evaluator.prepare(request);
    REQUIRE(prepared);
    REQUIRE(evaluator.finish(std::move(*prepared)));
    return *settled - before;
  };
  CHECK(waits(500) == 1);  // the incumbent, 100 us, was never timed so far
  CHECK(waits(500) == 0);
  CHECK(waits(150) == 1);
  request.fresh_draws = true;
  CHECK(waits(500) == 1);
}

TEST_CASE("a comparison kernel that fails is an error, not the candidate's verdict") {
  EvaluateRequest request = request_for(candidate("k"));
  request.compare_with = {{"incumbent", candidate("bad"), {}}};
  const auto evaluation = evaluate(request, {{"k", multiply}, {"bad", [](FakeRun&) {}}});
  REQUIRE_FALSE(evaluation);
  CHECK_THAT(evaluation.error().message,
             ContainsSubstring("the kernel to compare with, 'incumbent', failed: "));
}

TEST_CASE("what is wrong with a request is said") {
  EvaluateRequest request = request_for(candidate("k"));
  request.workload = "large";
  const auto workload = evaluate(request, {});
  REQUIRE_FALSE(workload);
  CHECK(workload.error().message ==
        "workload 'large': operator 'product' has no such workload; it has small");
  Evaluator evaluator(DevicePlaces{});
  const auto device = evaluator.device("tpu");
  REQUIRE_FALSE(device);
  CHECK_THAT(device.error().message, ContainsSubstring("device 'tpu': unknown; expected 'cpu'"));
}

}  // namespace kevolve
