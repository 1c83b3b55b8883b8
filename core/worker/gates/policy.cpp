#include "core/worker/gates/policy.hpp"

#include <fmt/format.h>

#include "core/gates/policy.hpp"

namespace kevolve::worker {
namespace {

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

Verdict violation(const Error& error) {
  return {Outcome::policy_violation, Gate::policy, error.message};
}

Result<Verdict> run_policy(Trial& trial) {
  auto candidate = planned(*trial.device, *trial.op, trial.workload->axes,
                           {std::string(subjects::kCandidate), trial.request.source, trial.request.tunables});
  if (!candidate) return std::move(candidate.error());
  trial.candidate = std::move(*candidate);
  return Verdict{Outcome::passed, Gate::policy, ""};
}

}  // namespace

GateCheck policy_gate() {
  return {Gate::policy, Phase::ahead, run_policy};
}

tl::expected<CompiledSubject, Verdict> planned(devices::Device& device, const Operator& op,
                                               const Bindings& axes, const Subject& subject) {
  auto header = parse_candidate(subject.source, op, subject.name);
  if (!header) return tl::make_unexpected(violation(header.error()));
  if (auto forbidden = gates::check_policy(subject.source)) return tl::make_unexpected(std::move(*forbidden));
  auto all = planned_at(device, op, axes, {subject, std::move(*header), {}, {}});
  if (!all) return all;
  if (auto verdict = too_large(all->plan, device.limits())) return tl::make_unexpected(std::move(*verdict));
  return all;
}

tl::expected<CompiledSubject, Verdict> planned_at(devices::Device& device, const Operator& op,
                                                  const Bindings& axes, const CompiledSubject& subject) {
  const auto tunables = complete_tunables(subject.header, subject.subject.tunables);
  if (!tunables) return tl::make_unexpected(violation(tunables.error()));
  auto plan = resolve(subject.header, op, axes, *tunables, device.limits());
  if (!plan) return tl::make_unexpected(std::move(plan.error()));
  CompiledSubject out = subject;
  out.plan = std::move(*plan);
  return out;
}

}  // namespace kevolve::worker
