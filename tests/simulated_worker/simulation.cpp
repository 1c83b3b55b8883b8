#include "tests/simulated_worker/simulation.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

#include "core/model/candidate.hpp"
#include "core/text/sha256.hpp"

namespace kevolve::testing {
namespace {

constexpr double kNaiveUs = 1000, kEagerUs = 700, kCompileUs = 550, kFloorUs = 20;

/// A number in [0, 1) that follows from the hash; `use` makes several of one.
double lot(std::string_view hash, std::string_view use) {
  const std::string digest = sha256_hex(std::string(hash) + "/" + std::string(use));
  std::uint64_t bits = 0;
  std::from_chars(digest.data(), digest.data() + 13, bits, 16);  // 52 bits
  return static_cast<double>(bits) / static_cast<double>(1ULL << 52U);
}

struct Fate {
  double share;  ///< of all candidates
  Gate gate;
  Outcome outcome;
  std::string_view evidence;
};
constexpr std::array<Fate, 9> kFates = {{
    {0.05, Gate::policy, Outcome::policy_violation,
     "The source names 'asm volatile', which no candidate may."},
    {0.08, Gate::compile, Outcome::compile_error, "line 12: error: identifier 'lane' is undefined"},
    {0.02, Gate::compile, Outcome::compile_timeout, "The compiler was stopped after 30 s."},
    {0.02, Gate::inspect, Outcome::inspect_violation, "The binary holds the writable global 'counter'."},
    {0.08, Gate::correctness, Outcome::wrong_result, "3 of 4096 elements differ; the first is y[17]."},
    {0.03, Gate::correctness, Outcome::illegal_access, "Block 2 read 4 bytes past the end of x."},
    {0.03, Gate::correctness, Outcome::race, "Two orders of threads gave different results at y[0]."},
    {0.02, Gate::correctness, Outcome::deadlock, "32 threads of block 0 wait at a barrier for ever."},
    {0.01, Gate::timing, Outcome::inconclusive, "The witnesses of the timing disagree."},
}};

Measurement measured(const std::string& subject, double us, const std::string& hash, int samples) {
  Measurement measurement{subject, "cold", {}, us, us * 0.998, us * 1.002};
  for (int i = 0; i < samples; ++i) {
    const double wobble = lot(hash, fmt::format("sample {} {}", subject, i)) - 0.5;
    measurement.samples_us.push_back(us * (1 + 0.002 * wobble));
  }
  return measurement;
}

double yardstick_us(const Evaluation& evaluation, const EvaluateRequest& request) {
  std::string name = request.yardstick;
  if (name.empty() && !request.compare_with.empty()) name = request.compare_with.front().name;
  if (name.empty() && !request.baselines.empty()) name = request.baselines.front();
  const Measurement* measurement = evaluation.measurement(name);
  return measurement == nullptr ? 0 : measurement->median_us;
}

void add_times(Evaluation& evaluation, const EvaluateRequest& request, const std::string& hash) {
  const int samples = std::max(request.timing.min_samples, 1);
  const double own = simulated_us(hash, request.tunables);
  evaluation.measurements.push_back(measured("candidate", own, hash, samples));
  for (const Subject& subject : request.compare_with) {
    const std::string other = candidate_hash(subject.source, subject.tunables);
    evaluation.measurements.push_back(
        measured(subject.name, simulated_us(other, subject.tunables), hash, samples));
  }
  for (const std::string& baseline : request.baselines) {
    const double us = baseline == "compile" ? kCompileUs : kEagerUs;
    evaluation.measurements.push_back(measured(baseline, us, hash, samples));
  }
  evaluation.speedup = yardstick_us(evaluation, request) / own;
  evaluation.speedup_low = evaluation.speedup * 0.998;
  evaluation.floor_us = kFloorUs;
}

}  // namespace

double simulated_us(std::string_view hash, const Bindings& tunables) {
  if (tunables.empty()) return kNaiveUs;
  return kNaiveUs * std::exp(std::log(0.2) + lot(hash, "time") * std::log(1.5 / 0.2));
}

Verdict simulated_verdict(std::string_view hash, const Bindings& tunables, Gate last_gate) {
  double left = lot(hash, "verdict");
  if (!tunables.empty()) {
    for (const Fate& fate : kFates) {
      if (left < fate.share && fate.gate <= last_gate)
        return {fate.outcome, fate.gate, std::string(fate.evidence)};
      left -= fate.share;
      if (left < 0) break;
    }
  }
  return {Outcome::passed, last_gate, ""};
}

DeviceInfo simulated_device(const std::string& name, const std::string& model) {
  DeviceInfo device;
  device.name = name;
  device.model = model;
  device.architecture = "simulated";
  device.toolchain = "none";
  device.torch = "none";
  device.num_sms = 4;
  device.memory_bytes_per_us = 100'000;
  return device;
}

Evaluation simulate(const EvaluateRequest& request, const DeviceInfo& device) {
  const std::string hash = candidate_hash(request.source, request.tunables);
  Evaluation evaluation;
  evaluation.device = device;
  evaluation.seed = hash.substr(0, 16);
  evaluation.verdict = simulated_verdict(hash, request.tunables, request.last_gate);
  for (Gate gate = Gate::policy; gate <= evaluation.verdict.gate;
       gate = static_cast<Gate>(static_cast<int>(gate) + 1))
    evaluation.gate_ms[std::string(name(gate))] = 1;
  const bool passed = evaluation.verdict.passed();
  if (evaluation.verdict.gate > Gate::compile || (passed && request.last_gate >= Gate::compile))
    evaluation.compile = CompileReport{sha256_hex("binary " + hash), 4096, false, "", {}};
  if (!passed || request.last_gate < Gate::correctness) return evaluation;
  evaluation.precision = PrecisionClass::strict_fp32;
  evaluation.accuracy = Accuracy{1e-7, 1e-7, 2e-7, 2e-7, "normal"};
  if (request.last_gate >= Gate::timing) add_times(evaluation, request, hash);
  if (request.last_gate == Gate::profile)
    evaluation.profile =
        Profile{Regime::latency_bound, {}, {"Nothing is known of a simulated device."}, "simulated"};
  return evaluation;
}

}  // namespace kevolve::testing
