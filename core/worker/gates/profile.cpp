#include "core/worker/gates/profile.hpp"

#include "core/gates/profile.hpp"

namespace kevolve::worker {
namespace {

constexpr std::chrono::seconds kProfileDeadline{30};

Result<std::map<std::string, double>> count(const Trial& trial, const judge::Draw& draw) {
  TRY(Session session, Session::start(*trial.device, *trial.op, *trial.candidate, kProfileDeadline, true));
  TRY_DO(session.add_set(devices::Placement::flush_right));
  session.write_inputs(0, draw);
  TRY(const devices::RunReport report, session.run({.set = 0}, draw));  // `prepare` as well, and the poison
  if (!report.verdict.passed()) return failure(report.verdict.evidence);
  return session.profile(0);
}

gates::KernelFacts kernel_facts(const Trial& trial) {
  gates::KernelFacts facts = gates::facts_of(trial.candidate->plan, trial.candidate->binary.report.resources);
  facts.median_us = trial.record.measurements.front().median_us;
  facts.least_bytes = static_cast<double>(trial.op->bytes.evaluate(trial.workload->axes).value_or(0));
  facts.num_sms = trial.record.device.num_sms;
  return facts;
}

Result<Verdict> run_profile(Trial& trial) {
  Court& court = *trial.court;
  TRY(const auto draw,
      court.draws.get(court.judge, trial.workload->axes, timed_distribution(*trial.op), kFirstTimedDraw));
  const auto counters = count(trial, *draw);
  trial.record.profile = counters ? gates::profile_of(gates::metrics_of(*counters), kernel_facts(trial))
                                  : gates::no_profile(counters.error().message);
  return Verdict{Outcome::passed, Gate::profile, ""};
}

}  // namespace

GateCheck profile_gate() {
  return {Gate::profile, Phase::alone, run_profile};
}

}  // namespace kevolve::worker
