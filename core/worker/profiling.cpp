#include "core/worker/profiling.hpp"

#include "core/worker/session.hpp"

namespace kevolve {
namespace {

constexpr std::chrono::seconds kDeadline{30};

Result<std::map<std::string, double>> count(Device& device, const Operator& op,
                                            const CompiledSubject& subject, const Draw& draw) {
  auto session = Session::start(device, op, subject, kDeadline, true);
  if (!session) return failure(session.error());
  if (auto added = session->add_set(Placement::flush_right); !added) return failure(added.error());
  session->write_inputs(0, draw);
  const auto report = session->run({.set = 0}, draw);  // `prepare` as well, and the poison
  if (!report) return failure(report.error());
  if (!report->verdict.passed()) return failure(report->verdict.evidence);
  return session->profile(0);
}

}  // namespace

Profile profile_candidate(Device& device, const Operator& op, const CompiledSubject& subject,
                          const Draw& draw, KernelFacts facts) {
  const auto counters = count(device, op, subject, draw);
  if (!counters) return no_profile(counters.error().message);
  KernelFacts all = facts_of(subject.plan, subject.binary.report.resources);
  all.median_us = facts.median_us;
  all.least_bytes = facts.least_bytes;
  all.num_sms = facts.num_sms;
  return profile_of(metrics_of(*counters), all);
}

}  // namespace kevolve
