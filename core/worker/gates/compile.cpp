#include "core/worker/gates/compile.hpp"

#include <fmt/format.h>

#include "core/worker/gates/policy.hpp"

namespace kevolve::worker {
namespace {

constexpr std::chrono::seconds kCompileDeadline{60};

Result<Verdict> run_compile(Trial& trial) {
  auto stopped = compile(*trial.device, *trial.candidate);
  if (!stopped) return failure(stopped.error());
  if (*stopped) return std::move(**stopped);
  trial.record.compile = trial.candidate->binary.report;
  return Verdict{Outcome::passed, Gate::compile, ""};
}

}  // namespace

GateCheck compile_gate() {
  return {Gate::compile, Phase::ahead, run_compile};
}

Result<std::optional<Verdict>> compile(devices::Device& device, CompiledSubject& subject) {
  auto compiled = device.compile(subject.subject.source, subject.plan, kCompileDeadline);
  if (!compiled) return failure(compiled.error());
  if (!*compiled) return std::optional(std::move(compiled->error()));
  subject.binary = std::move(**compiled);
  return std::optional<Verdict>();
}

Result<tl::expected<CompiledSubject, Verdict>> compiled_at(devices::Device& device, const Operator& op,
                                                           const Bindings& axes,
                                                           const CompiledSubject& subject) {
  auto moved = planned_at(device, op, axes, subject);
  if (!moved || moved->plan.macros == subject.plan.macros) return moved;
  auto stopped = compile(device, *moved);
  if (!stopped) return failure(stopped.error());
  if (*stopped) return tl::expected<CompiledSubject, Verdict>(tl::make_unexpected(std::move(**stopped)));
  return moved;
}

tl::unexpected<Error> rival_failed(const std::string& name, const std::string& evidence) {
  return failure(fmt::format("the kernel to compare with, '{}', failed: {}", name, evidence));
}

Result<CompiledSubject> compiled_rival(devices::Device& device, const Operator& op, const Bindings& axes,
                                       const Subject& subject) {
  auto rival = planned(device, op, axes, subject);
  if (!rival) return rival_failed(subject.name, rival.error().evidence);
  const auto stopped = compile(device, *rival);
  if (!stopped) return failure(stopped.error());
  if (*stopped) return rival_failed(subject.name, (*stopped)->evidence);
  return std::move(*rival);
}

}  // namespace kevolve::worker
