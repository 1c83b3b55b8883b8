#include "core/devices/runner_process.hpp"

#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

namespace kevolve::devices {
namespace {

using Clock = std::chrono::steady_clock;
using channel::ReplyKind;
using channel::RequestKind;

constexpr std::chrono::seconds kStartDeadline{30};
constexpr std::size_t kMostEvidence = 4096;
constexpr int kKilled = 128 + 9, kForbiddenCall = 128 + 31, kCpuTime = 128 + 24;

/// The runner's text for people: printable, and not longer than evidence may be.
std::string printable(std::string text) {
  text.resize(std::min(text.size(), kMostEvidence));
  std::replace_if(
      text.begin(), text.end(), [](char c) { return (c < ' ' && c != '\n') || c == 127; }, '?');
  return text;
}

std::string exit_text(std::optional<int> code) {
  if (!code) return "does not end";
  if (*code > 128 && *code < 128 + 65)
    return "was ended by signal " + std::to_string(*code - 128) + " (" + ::strsignal(*code - 128) + ")";
  return "ended with exit code " + std::to_string(*code);
}

}  // namespace

Result<std::unique_ptr<RunnerProcess>> RunnerProcess::spawn(const RunnerCommand& command) {
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0)
    return failure(std::string("cannot make a socket pair: ") + std::strerror(errno));
  process::UniqueFd ours(ends[0]), theirs(ends[1]);
  const auto argv = process::sandboxed(command.argv, command.sandbox);
  if (!argv) return failure(argv.error());
  auto child = process::Child::spawn(
      *argv, {.descriptors = {{theirs.get(), channel::kRunnerSocket}, {STDERR_FILENO, STDERR_FILENO}}});
  if (!child) return failure(child.error().in("cannot start a runner"));
  return std::unique_ptr<RunnerProcess>(new RunnerProcess(std::move(*child), std::move(ours), command));
}

Result<void> RunnerProcess::load(const LaunchPlan& plan, const RunnerLoad& what) {
  const auto refuse = [](const Error& error) { return failure(error.in("cannot start a runner")); };
  if (plan.buffers.size() > channel::kMostBuffers)
    return refuse({"a launch plan may have at most " + std::to_string(channel::kMostBuffers) + " buffers"});
  if (what.document.size() > channel::kMostPacketBytes / 2) return refuse({"the launch plan is too long"});
  if (auto ready = await_greeting(); !ready) return ready;
  plan_ = plan;
  if (!channel::send(socket_.get(), channel::Request{.kind = RequestKind::start}, what.document, what.files))
    return refuse(gone("at its start"));
  return await_start();
}

Result<void> RunnerProcess::await_greeting() {
  if (!greeting_due_) return {};
  greeting_due_ = false;
  return await_start();
}

/// Waits for the answer by which a runner says that it is ready, or why it never will be.
Result<void> RunnerProcess::await_start() {
  const auto refuse = [](const Error& error) { return failure(error.in("cannot start a runner")); };
  switch (await(Clock::now() + kStartDeadline)) {
    case Waited::too_late:
      bury();
      return refuse({"no answer within 30 s"});
    case Waited::ended:
      return refuse(gone("at its start"));
    case Waited::replied:
      break;
  }
  if (reply_.header.kind != ReplyKind::done) return refuse({printable(reply_.body)});
  return {};
}

Result<int> RunnerProcess::bind(const std::vector<std::shared_ptr<SharedBuffer>>& buffers) {
  if (dead_) return failure("this runner has ended; start a fresh one");
  if (buffers.size() != plan_.buffers.size())
    return failure("bind: " + std::to_string(buffers.size()) + " buffers given, the plan has " +
                   std::to_string(plan_.buffers.size()));
  std::string places;
  std::vector<int> descriptors;
  for (std::size_t i = 0; i < buffers.size(); ++i) {
    const PlannedBuffer& planned = plan_.buffers[i];
    const SharedBuffer* buffer = buffers[i].get();
    if (buffer->size_bytes() != static_cast<std::size_t>(planned.size_bytes()))
      return failure("bind: buffer '" + planned.name + "' has " + std::to_string(buffer->size_bytes()) +
                     " bytes, the plan says " + std::to_string(planned.size_bytes()));
    const channel::BufferPlace place{buffer->mapping_bytes(), buffer->data_offset(), buffer->size_bytes()};
    places.append(reinterpret_cast<const char*>(&place), sizeof place);
    descriptors.push_back(buffer->descriptor(planned.role != BufferRole::input));
  }
  if (!channel::send(socket_.get(), channel::Request{.kind = RequestKind::bind}, places, descriptors))
    return failure(gone("while buffers were bound"));
  const Waited waited = await(Clock::now() + kStartDeadline);
  if (waited == Waited::ended) return failure(gone("while buffers were bound"));
  if (waited == Waited::too_late || reply_.header.kind != ReplyKind::done) {
    bury();
    return failure("the runner could not map the buffers: " +
                   (waited == Waited::too_late ? "no answer within 30 s" : printable(reply_.body)));
  }
  return sets_++;
}

Result<RunReport> RunnerProcess::run(int set, const RunOptions& options) {
  if (dead_) return failure("this runner has ended; start a fresh one");
  if (set < 0 || set >= sets_)
    return failure("run: no set of buffers " + std::to_string(set) + "; bind() gave " +
                   std::to_string(sets_));
  const channel::Request request{
      .kind = RequestKind::run,
      .set = static_cast<std::uint32_t>(set),
      .prepare = options.prepare ? 1U : 0U,
      .timed = options.timed ? 1U : 0U,
      .order = static_cast<std::uint32_t>(options.order),
      .order_seed = options.order_seed,
      .rehearsal = options.rehearsal ? static_cast<std::uint32_t>(*options.rehearsal) : channel::kNoSet};
  const auto begin = Clock::now();
  if (!channel::send(socket_.get(), request)) return failure(gone("between two runs"));
  const Waited waited = await(begin + options.deadline);
  const std::chrono::duration<double, std::micro> wall = Clock::now() - begin;
  if (waited == Waited::ended) return ended_during_run();
  if (waited == Waited::too_late) {
    bury();
    return RunReport{{Outcome::timeout, Gate::correctness,
                      "The kernels had not finished after " + std::to_string(options.deadline.count()) +
                          " ms and were stopped: an endless loop, or far too much work."},
                     wall.count()};
  }
  if (reply_.header.kind == ReplyKind::done) return finished(wall.count());
  bury();
  if (reply_.header.kind == ReplyKind::broken) return failure("runner: " + printable(reply_.body));
  return RunReport{stopped(), wall.count()};
}

Result<Json> RunnerProcess::ask(RequestKind kind, int set, std::string_view what) {
  if (dead_) return failure("this runner has ended; start a fresh one");
  const channel::Request request{.kind = kind, .set = static_cast<std::uint32_t>(set)};
  if (!channel::send(socket_.get(), request)) return failure(gone("before " + std::string(what)));
  const Waited waited = await(Clock::now() + kStartDeadline);
  if (waited == Waited::ended) return failure(gone("during " + std::string(what)));
  if (waited == Waited::too_late || reply_.header.kind != ReplyKind::done) {
    bury();
    return failure(waited == Waited::too_late ? std::string(what) + ": nothing within 30 s"
                                              : printable(reply_.body));
  }
  return parse_json(reply_.body, what);
}

Result<std::map<std::string, double>> RunnerProcess::profile(int set) {
  const auto json = ask(RequestKind::profile, set, "the reading of counters");
  if (!json) return failure(json.error());
  std::map<std::string, double> counters;
  for (const auto& [name, value] : json->items()) {
    if (value.is_number()) counters[name] = value.get<double>();
  }
  return counters;
}

Result<std::optional<Witness>> RunnerProcess::witness(int set) {
  if (!device_clock_) return std::optional<Witness>();
  const auto json = ask(RequestKind::witness, set, "tracing of the launches");
  if (!json) return failure(json.error());
  return Witness{.launches = json->value("launches", 0.0),
                 .busy_us = json->value("busy_us", 0.0),
                 .span_us = json->value("span_us", 0.0)};
}

Result<RunReport> RunnerProcess::finished(double wall_us) {
  const RunReport report{{Outcome::passed, Gate::correctness, ""},
                         device_clock_ ? reply_.header.device_us : wall_us,
                         device_clock_ ? reply_.header.sm_mhz : 0};
  if (report.wall_us > 0 && report.wall_us <= wall_us) return report;
  bury();
  return failure("the runner said that the kernels took " + std::to_string(report.wall_us) + " us, but " +
                 std::to_string(wall_us) + " us passed");
}

RunnerProcess::Waited RunnerProcess::await(Clock::time_point end) {
  while (true) {
    pollfd entry{socket_.get(), POLLIN, 0};
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(end - Clock::now()).count();
    if (left <= 0) return Waited::too_late;
    const int ready = ::poll(&entry, 1, static_cast<int>(std::min<long>(left, 1 << 30)));
    if (ready < 0 && errno != EINTR) return Waited::ended;
    if (ready > 0) return channel::receive(socket_.get(), reply_) ? Waited::replied : Waited::ended;
  }
}

/// A runner may only claim what can happen in a runner.
Verdict RunnerProcess::stopped() const {
  constexpr std::array allowed{Outcome::launch_error, Outcome::illegal_access, Outcome::crash,
                               Outcome::deadlock, Outcome::out_of_memory};
  const auto outcome = static_cast<Outcome>(reply_.header.outcome);
  const bool known = std::find(allowed.begin(), allowed.end(), outcome) != allowed.end();
  return {known ? outcome : Outcome::crash, Gate::correctness, printable(reply_.body)};
}

Result<RunReport> RunnerProcess::ended_during_run() {
  const auto code = child_.wait(std::chrono::seconds(2));
  bury();
  // Nothing that a candidate does leads to SIGKILL: the deadline's is sent above, memory limits make calls
  // fail.
  if (code == kKilled)
    return failure(
        "the runner was killed from outside (signal 9): by hand, or by the kernel for want of memory; start "
        "a fresh one");
  if (code == kForbiddenCall)
    return RunReport{{Outcome::crash, Gate::correctness,
                      "The candidate made a system call, which is forbidden; the runner was ended for it."},
                     0};
  if (code == kCpuTime)
    return RunReport{{Outcome::timeout, Gate::correctness, "The runner used up its processor time."}, 0};
  return RunReport{
      {Outcome::crash, Gate::correctness, "The runner " + exit_text(code) + " while the kernels ran."}, 0};
}

Error RunnerProcess::gone(std::string_view when) {
  const auto code = child_.wait(std::chrono::seconds(2));
  bury();
  return {"the runner process " + exit_text(code) + " " + std::string(when) + "; start a fresh one"};
}

void RunnerProcess::bury() {
  dead_ = true;
  child_.kill_group();
  socket_.reset();
}

}  // namespace kevolve::devices
