// kevolve-cuda-runner GPU KERNELS CUPTI: runs one compiled candidate on a GPU over the judge's buffers.
//
// Started by the judge in a sandbox, with a socket as descriptor 3 (core/devices/channel.hpp), perhaps long
// before there is a candidate: making a context takes a quarter of a second. A candidate has no code on the
// host, so all that runs in this process is ours; but its context is the candidate's, and no expected answer
// ever enters it.

#include <unistd.h>

#include <cstdio>
#include <cstring>
#include <optional>

#include "core/devices/channel.hpp"
#include "core/devices/cuda/runner/session.hpp"
#include "core/model/json.hpp"

namespace kevolve::runner {
namespace {

using channel::ReplyKind;
using channel::RequestKind;
using Requested = channel::Packet<channel::Request>;

void answer(ReplyKind kind, std::string_view text = {}, Outcome outcome = Outcome::passed,
            double device_us = 0, double sm_mhz = 0) {
  channel::send(channel::kRunnerSocket,
                channel::Reply{kind, static_cast<std::uint32_t>(outcome), device_us, sm_mhz}, text);
}

int broken(const Error& error) {
  answer(ReplyKind::broken, error.message);
  return 1;
}

struct Start {
  LaunchPlan plan;
  Manifest manifest;
  std::vector<std::string> cubins;
};

Result<Start> receive_start() {
  Requested packet;
  if (!channel::receive(channel::kRunnerSocket, packet) || packet.header.kind != RequestKind::start)
    return failure("expected what to load on descriptor 3; this program is started by kevolve-worker");
  const auto json = parse_json(packet.body, "start request");
  if (!json) return failure(json.error());
  auto plan = launch_plan_from_json(json->at("plan"));
  if (!plan) return failure(plan.error());
  auto manifest = manifest_from_json(json->at("manifest"));
  if (!manifest) return failure(manifest.error());
  Start start{std::move(*plan), std::move(*manifest), {}};
  for (std::size_t i = 0; i < packet.descriptors.size() && i < start.manifest.cubins.size(); ++i) {
    std::string bytes(static_cast<std::size_t>(start.manifest.cubins[i].size_bytes), '\0');
    if (::pread(packet.descriptors[i].get(), bytes.data(), bytes.size(), 0) !=
        static_cast<ssize_t>(bytes.size()))
      return failure("a cubin is shorter than its manifest says");
    start.cubins.push_back(std::move(bytes));
  }
  return start;
}

Result<void> bind(Session& session, const Requested& packet) {
  std::vector<channel::BufferPlace> places(packet.body.size() / sizeof(channel::BufferPlace));
  if (!places.empty())
    std::memcpy(places.data(), packet.body.data(), places.size() * sizeof(channel::BufferPlace));
  return session.bind(places, packet.descriptors);
}

/// Until the judge hangs up or a run does not pass.
int serve(Session& session, const char* cupti) {
  Requested packet;
  while (channel::receive(channel::kRunnerSocket, packet)) {
    if (packet.header.kind == RequestKind::bind) {
      if (auto bound = bind(session, packet); !bound) return broken(bound.error());
      packet.descriptors.clear();
      answer(ReplyKind::done);
      continue;
    }
    if (packet.header.kind == RequestKind::profile) {
      const auto counters = session.profile(packet.header.set, cupti);
      if (!counters) return broken(counters.error());
      answer(ReplyKind::done, Json(*counters).dump());
      continue;
    }
    if (packet.header.kind == RequestKind::witness) {
      const auto seen = session.witness(packet.header.set, cupti);
      if (!seen) return broken(seen.error());
      answer(
          ReplyKind::done,
          Json{{"launches", seen->launches}, {"busy_us", seen->busy_us}, {"span_us", seen->span_us}}.dump());
      continue;
    }
    const auto ending = session.run(packet.header);
    if (!ending) return broken(ending.error());
    answer(ending->outcome == Outcome::passed ? ReplyKind::done : ReplyKind::stopped, ending->evidence,
           ending->outcome, ending->device_us, ending->sm_mhz);
    if (ending->outcome != Outcome::passed) return 0;
  }
  return 0;
}

int run(const char* gpu, const char* own_kernels, const char* cupti) {
  auto context = Context::open(gpu, own_kernels, Context::Stream::own);
  if (!context) return broken(context.error());
  answer(ReplyKind::done);  // the greeting: ready to load
  auto start = receive_start();
  if (!start) return broken(start.error());
  auto program = Program::load(context->driver(), start->manifest, start->cubins);
  if (!program) return broken(program.error());
  Session session(*context, std::move(*program), std::move(start->plan));
  answer(ReplyKind::done);
  return serve(session, cupti);
}

}  // namespace
}  // namespace kevolve::runner

int main(int argc, char** argv) {
  if (argc != 4) {
    std::fputs("usage: kevolve-cuda-runner GPU-UUID KERNELS CUPTI (started by kevolve-worker)\n", stderr);
    return 2;
  }
  const int code = kevolve::runner::run(argv[1], argv[2], argv[3]);
  std::_Exit(code);  // no destructors: the context may be broken, and the driver cleans up after a process
}
