#include "core/worker/subject.hpp"

#include <fmt/format.h>

#include "core/gates/policy.hpp"
#include "core/model/stopwatch.hpp"

namespace kevolve {
namespace {

constexpr std::chrono::seconds kCompileDeadline{60};

/// Only the tunables that the header names, each with one of its values, the defaults for those not given.
Result<Bindings> complete_tunables(const CandidateHeader& header, const Bindings& given) {
  Bindings complete = default_tunables(header);
  for (const auto& [name, value] : given) {
    const auto known = header.tunables.find(name);
    if (known == header.tunables.end()) {
      return failure(fmt::format("tunable '{}' is set but the header declares no such tunable", name));
    }
    complete[name] = value;
  }
  return complete;
}

/// The judge holds several sets of a plan's buffers, and the draws and answers beside them.
constexpr std::int64_t kShareOfMemory = 4;

std::optional<Verdict> too_large(const LaunchPlan& plan, const DeviceLimits& limits) {
  double bytes = 0;
  for (const PlannedBuffer& buffer : plan.buffers) bytes += static_cast<double>(buffer.size_bytes());
  if (limits.memory_bytes == 0 || bytes <= static_cast<double>(limits.memory_bytes / kShareOfMemory))
    return std::nullopt;
  return Verdict{
      Outcome::out_of_memory, Gate::policy,
      fmt::format("The plan's buffers need {:.3g} GB, and a plan may take a quarter of the device's {:.3g} "
                  "GB. Use less scratch.",
                  1e-9 * bytes, 1e-9 * static_cast<double>(limits.memory_bytes))};
}

Result<Preparation> compile(Device& device, CompiledSubject subject) {
  Preparation out;
  const Stopwatch watch;
  auto compiled = device.compile(subject.subject.source, subject.plan, kCompileDeadline);
  if (!compiled) return failure(compiled.error());
  out.gate_ms["compile"] = watch.milliseconds();  // inspection included
  if (!*compiled) {
    out.verdict = compiled->error();
    return out;
  }
  subject.binary = std::move(**compiled);
  out.verdict = {Outcome::passed, Gate::inspect, ""};
  out.compiled = std::move(subject);
  return out;
}

}  // namespace

Result<Preparation> prepare_subject(Device& device, const Operator& op, const Bindings& axes,
                                    const Subject& subject, Gate last_gate) {
  Preparation out;
  const Stopwatch watch;
  const auto stop = [&](Verdict verdict) {
    out.verdict = std::move(verdict);
    out.gate_ms["policy"] = watch.milliseconds();
    return out;
  };
  auto header = parse_candidate(subject.source, op, subject.name);
  if (!header) return stop({Outcome::policy_violation, Gate::policy, header.error().message});
  if (auto violation = check_policy(subject.source)) return stop(std::move(*violation));
  const auto tunables = complete_tunables(*header, subject.tunables);
  if (!tunables) return stop({Outcome::policy_violation, Gate::policy, tunables.error().message});
  auto plan = resolve(*header, op, axes, *tunables, device.limits());
  if (!plan) return stop(std::move(plan.error()));
  if (auto verdict = too_large(*plan, device.limits())) return stop(std::move(*verdict));
  if (last_gate == Gate::policy) return stop({Outcome::passed, Gate::policy, ""});

  const double policy_ms = watch.milliseconds();
  auto compiled = compile(device, {subject, std::move(*header), std::move(*plan), {}});
  if (!compiled) return compiled;
  compiled->gate_ms["policy"] = policy_ms;
  if (compiled->verdict.passed() && last_gate == Gate::compile) compiled->verdict.gate = Gate::compile;
  return compiled;
}

Result<Preparation> prepare_at(Device& device, const Operator& op, const Bindings& axes,
                               const CompiledSubject& subject) {
  Preparation out;
  const auto tunables = complete_tunables(subject.header, subject.subject.tunables);
  if (!tunables) return failure(tunables.error());
  auto plan = resolve(subject.header, op, axes, *tunables, device.limits());
  if (!plan) {
    out.verdict = plan.error();
    return out;
  }
  CompiledSubject moved = subject;
  moved.plan = std::move(*plan);
  if (moved.plan.macros != subject.plan.macros) return compile(device, std::move(moved));
  out.verdict = {Outcome::passed, Gate::inspect, ""};
  out.compiled = std::move(moved);
  return out;
}

}  // namespace kevolve
