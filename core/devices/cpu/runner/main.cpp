// kevolve-runner THREADS LIBRARY: loads one compiled candidate and runs it over the judge's buffers.
//
// Started by the judge in a sandbox, with a socket as descriptor 3 (core/devices/channel.hpp). It knows
// no expected answer, measures no time and gives no judgement beyond how a run ended. Threads, stacks and
// handlers are made first, then rights are given up, and only then does foreign code enter the process.

#include <cstdio>
#include <cstdlib>

#include "core/devices/cpu/runner/confinement.hpp"
#include "core/devices/cpu/runner/faults.hpp"
#include "core/devices/cpu/runner/session.hpp"
#include "core/devices/runner_main.hpp"
#include "core/text/json.hpp"

namespace kevolve::cpu::runner {
namespace {

using namespace devices::runner;

Result<LaunchPlan> receive_plan() {
  Requested packet;
  if (!channel::receive(channel::kRunnerSocket, packet) || packet.header.kind != RequestKind::start)
    return failure("expected a launch plan on descriptor 3; this program is started by kevolve-worker");
  TRY(const Json json, parse_json(packet.body, "launch plan"));
  return launch_plan_from_json(json);
}

Result<void> load_confined(Session& session, int threads, const char* library) {
  report_faults(channel::kRunnerSocket);
  TRY_DO(apply_limits(threads));
  TRY_DO(forbid_most_system_calls());
  TRY_DO(session.load(library));
  return forbid_loading();
}

/// False when the run did not pass: its threads and memory may be in any state.
Result<bool> run_once(Session& session, const channel::Request& request) {
  constexpr std::size_t kLongestEvidence = 4096;
  TRY(const auto ending, session.run(request));
  const bool passed = ending.outcome == Outcome::passed;
  answer(passed ? ReplyKind::done : ReplyKind::stopped,
         passed ? std::string_view() : std::string_view(ending.evidence).substr(0, kLongestEvidence),
         ending.outcome);
  return passed;
}

int run(int threads, const char* library) {
  auto plan = receive_plan();
  if (!plan) return broken(plan.error());
  simt::Executor executor(threads);
  Session session(std::move(*plan), executor);
  if (auto loaded = load_confined(session, threads, library); !loaded) return broken(loaded.error());
  answer(ReplyKind::done);
  return serve(session, [&](const channel::Request& request) { return run_once(session, request); });
}

}  // namespace
}  // namespace kevolve::cpu::runner

int main(int argc, char** argv) {
  const int threads = argc == 3 ? std::atoi(argv[1]) : 0;
  if (threads < 1) {
    std::fputs("usage: kevolve-runner THREADS LIBRARY (started by kevolve-worker)\n", stderr);
    return 2;
  }
  const int code = kevolve::cpu::runner::run(threads, argv[2]);
  std::_Exit(code);  // no destructors: threads and mappings may be in any state
}
