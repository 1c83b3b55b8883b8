// kevolve-runner THREADS LIBRARY: loads one compiled candidate and runs it over the judge's buffers.
//
// Started by the judge in a sandbox, with a socket as descriptor 3 (core/devices/channel.hpp). It knows
// no expected answer, measures no time and gives no judgement beyond how a run ended. Threads, stacks and
// handlers are made first, then rights are given up, and only then does foreign code enter the process.

#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "core/devices/channel.hpp"
#include "core/devices/cpu/runner/confinement.hpp"
#include "core/devices/cpu/runner/faults.hpp"
#include "core/devices/cpu/runner/session.hpp"
#include "core/model/json.hpp"

namespace kevolve::runner {
namespace {

using channel::ReplyKind;
using channel::RequestKind;
using Requested = channel::Packet<channel::Request>;

void answer(ReplyKind kind, std::string_view text = {}, Outcome outcome = Outcome::passed) {
  channel::send(channel::kRunnerSocket, channel::Reply{kind, static_cast<std::uint32_t>(outcome)},
                text.substr(0, 4096));
}

int broken(const Error& error) {
  answer(ReplyKind::broken, error.message);
  return 1;
}

Result<LaunchPlan> receive_plan() {
  Requested packet;
  if (!channel::receive(channel::kRunnerSocket, packet) || packet.header.kind != RequestKind::start)
    return failure("expected a launch plan on descriptor 3; this program is started by kevolve-worker");
  const auto json = parse_json(packet.body, "launch plan");
  if (!json) return failure(json.error());
  return launch_plan_from_json(*json);
}

Result<void> bind(Session& session, const Requested& packet) {
  std::vector<channel::BufferPlace> places(packet.body.size() / sizeof(channel::BufferPlace));
  if (!places.empty())
    std::memcpy(places.data(), packet.body.data(), places.size() * sizeof(channel::BufferPlace));
  return session.bind(places, packet.descriptors);
}

Result<void> load_confined(Session& session, int threads, const char* library) {
  report_faults(channel::kRunnerSocket);
  if (auto done = apply_limits(threads); !done) return done;
  if (auto done = forbid_most_system_calls(); !done) return done;
  if (auto done = session.load(library); !done) return done;
  return forbid_loading();
}

/// Until the judge hangs up or a run does not pass.
int serve(Session& session) {
  Requested packet;
  while (channel::receive(channel::kRunnerSocket, packet)) {
    if (packet.header.kind == RequestKind::bind) {
      if (auto bound = bind(session, packet); !bound) return broken(bound.error());
      packet.descriptors.clear();
      answer(ReplyKind::done);
      continue;
    }
    const auto ending = session.run(packet.header);
    if (!ending) return broken(ending.error());
    if (ending->outcome != Outcome::passed) {
      answer(ReplyKind::stopped, ending->evidence, ending->outcome);
      return 0;
    }
    answer(ReplyKind::done);
  }
  return 0;
}

int run(int threads, const char* library) {
  auto plan = receive_plan();
  if (!plan) return broken(plan.error());
  simt::Executor executor(threads);
  Session session(std::move(*plan), executor);
  if (auto loaded = load_confined(session, threads, library); !loaded) return broken(loaded.error());
  answer(ReplyKind::done);
  return serve(session);
}

}  // namespace
}  // namespace kevolve::runner

int main(int argc, char** argv) {
  const int threads = argc == 3 ? std::atoi(argv[1]) : 0;
  if (threads < 1) {
    std::fputs("usage: kevolve-runner THREADS LIBRARY (started by kevolve-worker)\n", stderr);
    return 2;
  }
  const int code = kevolve::runner::run(threads, argv[2]);
  std::_Exit(code);  // no destructors: threads and mappings may be in any state
}
