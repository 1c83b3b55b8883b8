// kevolve-cuda-runner GPU KERNELS CUPTI: runs one compiled candidate on a GPU over the judge's buffers.
//
// Started by the judge in a sandbox, with a socket as descriptor 3 (core/devices/channel.hpp), perhaps long
// before there is a candidate: making a context takes a quarter of a second. A candidate has no code on the
// host, so all that runs in this process is ours; but its context is the candidate's, and no expected answer
// ever enters it.

#include <unistd.h>

#include <cstdio>
#include <optional>

#include "core/devices/cuda/runner/session.hpp"
#include "core/devices/runner_main.hpp"
#include "core/text/json.hpp"

namespace kevolve::cuda::runner {
namespace {

using namespace devices::runner;

struct Start {
  LaunchPlan plan;
  Manifest manifest;
  std::vector<std::string> cubins;
};

Result<Start> receive_start() {
  Requested packet;
  if (!channel::receive(channel::kRunnerSocket, packet) || packet.header.kind != RequestKind::start)
    return failure("expected what to load on descriptor 3; this program is started by kevolve-worker");
  TRY(const Json json, parse_json(packet.body, "start request"));
  Start start;
  TRY(start.plan, launch_plan_from_json(json.at("plan")));
  TRY(start.manifest, manifest_from_json(json.at("manifest")));
  for (std::size_t i = 0; i < packet.descriptors.size() && i < start.manifest.cubins.size(); ++i) {
    std::string bytes(static_cast<std::size_t>(start.manifest.cubins[i].size_bytes), '\0');
    if (::pread(packet.descriptors[i].get(), bytes.data(), bytes.size(), 0) !=
        static_cast<ssize_t>(bytes.size()))
      return failure("a cubin is shorter than its manifest says");
    start.cubins.push_back(std::move(bytes));
  }
  return start;
}

/// False when a run did not pass: the context may be broken.
Result<bool> answer_request(Session& session, const channel::Request& request, const char* cupti) {
  if (request.kind == RequestKind::profile) {
    TRY(const auto counters, session.profile(request.set, cupti));
    answer(ReplyKind::done, Json(counters).dump());
    return true;
  }
  if (request.kind == RequestKind::witness) {
    TRY(const auto seen, session.witness(request.set, cupti));
    answer(ReplyKind::done,
           Json{{"launches", seen.launches}, {"busy_us", seen.busy_us}, {"span_us", seen.span_us}}.dump());
    return true;
  }
  TRY(const auto ending, session.run(request));
  const bool passed = ending.outcome == Outcome::passed;
  answer(passed ? ReplyKind::done : ReplyKind::stopped, ending.evidence, ending.outcome, ending.device_us,
         ending.sm_mhz);
  return passed;
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
  return serve(session,
               [&](const channel::Request& request) { return answer_request(session, request, cupti); });
}

}  // namespace
}  // namespace kevolve::cuda::runner

int main(int argc, char** argv) {
  if (argc != 4) {
    std::fputs("usage: kevolve-cuda-runner GPU-UUID KERNELS CUPTI (started by kevolve-worker)\n", stderr);
    return 2;
  }
  const int code = kevolve::cuda::runner::run(argv[1], argv[2], argv[3]);
  std::_Exit(code);  // no destructors: the context may be broken, and the driver cleans up after a process
}
