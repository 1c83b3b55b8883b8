#include "core/worker/fan_out/fan_out.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstring>
#include <utility>

#include "core/process/log.hpp"
#include "core/worker/fan_out/dealing.hpp"
#include "core/worker/fan_out/one_hello.hpp"

namespace kevolve::fan_out {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

/// For a child to end when it has nothing more to do.
constexpr milliseconds kLeavePatience{20'000};
/// A pipe that poll() calls writable takes this much without blocking.
constexpr std::size_t kPipeBytes = PIPE_BUF;

std::string in_words(int exit_code) {
  if (exit_code > 128) return fmt::format("it ended unexpectedly (signal {})", exit_code - 128);
  return fmt::format("it ended unexpectedly (exit code {})", exit_code);
}

std::string id_of(const WorkerReply& reply) {
  return std::visit(
      [](const auto& r) -> std::string {
        if constexpr (requires { r.id; }) return r.id;
        return {};
      },
      reply);
}

class FanOut {
 public:
  FanOut(const FanOutSettings& settings, int in, int out)
      : settings_(settings), in_(in), out_(out), dealing_(settings.children.size()) {
    for (const ChildPlan& plan : settings.children)
      slots_.emplace_back(plan, process::BackOff(settings.first_back_off, settings.longest_back_off));
  }

  Result<void> serve();

 private:
  struct Slot {
    Slot(const ChildPlan& p, process::BackOff b) : plan(p), back_off(b) {}
    const ChildPlan& plan;
    enum class State { waiting, starting, ready, gone } state = State::waiting;
    std::optional<ChildWorker> worker;
    Hello hello;
    Clock::time_point since = Clock::now();  ///< it is to be started, was started, or gave a sign of life
    process::BackOff back_off;               ///< until it starts again
    std::uint64_t answered = 0;              ///< since its start
    std::string why;                         ///< of its last end
  };
  using State = Slot::State;

  void start(Slot& slot);
  void lose(Slot& slot, const std::string& why, bool refused = false);
  Result<void> say_hello();
  void deal();
  void leave();
  Result<void> wait();
  Result<void> write_replies();
  void read_requests();
  void take_request(std::string line);
  void hear(Slot& slot);
  void take_reply(Slot& slot, const std::string& line);
  void greet(Slot& slot, Hello hello);
  void keep_time(Slot& slot);
  [[nodiscard]] std::optional<Clock::time_point> due(const Slot& slot) const;
  [[nodiscard]] Result<void> any_hope() const;
  [[nodiscard]] std::size_t index(const Slot& slot) const {
    return static_cast<std::size_t>(&slot - slots_.data());
  }
  [[nodiscard]] bool all(State state) const {
    return std::all_of(slots_.begin(), slots_.end(), [&](const Slot& slot) { return slot.state == state; });
  }

  const FanOutSettings& settings_;
  const int in_, out_;
  std::vector<Slot> slots_;
  Dealing dealing_;
  Incoming requests_;
  Outgoing replies_;
  bool can_read_ = false, can_write_ = false, input_ended_ = false, leaving_ = false;
  std::optional<NamedHello> first_;  ///< what all must agree with
  Clock::time_point first_at_{};
  bool said_hello_ = false;
};

Result<void> FanOut::serve() {
  while (true) {
    for (Slot& slot : slots_) keep_time(slot);
    if (auto hope = any_hope(); !hope) return hope;
    if (auto said = say_hello(); !said) return said;
    deal();
    leave();
    if (leaving_ && replies_.empty() && all(State::gone)) return {};
    if (auto waited = wait(); !waited) return waited;
    if (auto written = write_replies(); !written) return written;
    read_requests();
    for (Slot& slot : slots_) hear(slot);
  }
}

void FanOut::start(Slot& slot) {
  slot.state = State::starting;
  slot.since = Clock::now();
  slot.answered = 0;
  auto worker = ChildWorker::start(slot.plan);
  if (!worker) return lose(slot, worker.error().message);
  slot.worker.emplace(std::move(*worker));
}

void FanOut::lose(Slot& slot, const std::string& why, bool refused) {
  slot.worker.reset();
  if (leaving_) {
    slot.state = State::gone;
    return;
  }
  slot.state = State::waiting;
  slot.back_off.ended(slot.answered > 0);
  slot.why = why;
  const milliseconds back_off = refused ? slot.back_off.longest() : slot.back_off.wait();
  slot.since = Clock::now() + back_off;
  process::log_line(
      "process_lost",
      {{"process", slot.plan.mark}, {"reason", why}, {"again_in_ms", std::to_string(back_off.count())}});
  if (const auto given_up = dealing_.lost(index(slot), fmt::format("{}: {}", slot.plan.mark, why)))
    replies_.add(to_line(WorkerReply(*given_up)));
}

/// As soon as each child has said its own or has failed once.
Result<void> FanOut::say_hello() {
  if (said_hello_) return {};
  std::vector<NamedHello> hellos;
  for (const Slot& slot : slots_) {
    if (slot.state == State::ready) hellos.push_back({slot.plan.mark, slot.hello});
    if (slot.state != State::ready && slot.back_off.failures() == 0) return {};
  }
  if (hellos.empty()) return {};
  TRY(const Hello one, one_hello(hellos));
  first_ = hellos.front();
  said_hello_ = true;
  replies_.add(to_line(WorkerReply(one)));
  process::log_line("processes_ready", {{"number", std::to_string(hellos.size())}});
  for (Slot& slot : slots_)
    if (slot.state == State::ready) dealing_.begin(index(slot));
  return {};
}

/// An error when nothing will ever be answered any more.
Result<void> FanOut::any_hope() const {
  const int most = said_hello_ ? settings_.most_failures : 1;
  std::string reasons;
  for (const Slot& slot : slots_) {
    if (slot.state != State::waiting || slot.back_off.failures() < most) return {};
    reasons += fmt::format("\n{}: {}", slot.plan.mark, slot.why);
  }
  return failure((said_hello_ ? "no worker process works any more:" : "no worker process started:") +
                 reasons);
}

void FanOut::deal() {
  while (auto turn = dealing_.next()) {
    Slot& slot = slots_[turn->child];
    if (dealing_.unanswered(turn->child) == 1) slot.since = Clock::now();
    slot.worker->send(turn->line);
  }
}

/// The end, when all is answered and nothing more can come.
void FanOut::leave() {
  if (leaving_ || !said_hello_ || !input_ended_ || !dealing_.idle()) return;
  leaving_ = true;
  for (Slot& slot : slots_) {
    if (slot.state == State::ready) {
      slot.worker->end_input();
      slot.since = Clock::now();
    } else {
      lose(slot, "");
    }
  }
}

Result<void> FanOut::wait() {
  std::vector<pollfd> polls{{out_, static_cast<short>(replies_.empty() ? 0 : POLLOUT), 0}};
  const bool reading = said_hello_ && !input_ended_;
  if (reading) polls.push_back({in_, POLLIN, 0});
  std::optional<Clock::time_point> first;
  for (const Slot& slot : slots_) {
    if (slot.worker) slot.worker->add_to(polls);
    if (const auto at = due(slot); at && (!first || *at < *first)) first = at;
  }
  int timeout = -1;
  if (first) {
    const auto left = std::chrono::ceil<milliseconds>(*first - Clock::now()).count();
    timeout = static_cast<int>(std::clamp<long>(left, 0, INT_MAX));
  }
  if (::poll(polls.data(), polls.size(), timeout) < 0 && errno != EINTR)
    return failure(std::string("cannot wait for worker processes: ") + std::strerror(errno));
  if ((polls[0].revents & (POLLERR | POLLHUP | POLLNVAL)) != 0)
    return failure("stdout: nobody reads the replies any more");
  can_write_ = (polls[0].revents & POLLOUT) != 0;
  can_read_ = reading && polls[1].revents != 0;
  return {};
}

Result<void> FanOut::write_replies() {
  if (can_write_ && !replies_.empty() && !replies_.write_to(out_, kPipeBytes))
    return failure("stdout: the replies could not be written; somebody must read them");
  return {};
}

void FanOut::read_requests() {
  if (!can_read_) return;
  std::vector<std::string> lines;
  if (requests_.read_from(in_, lines) == Incoming::Found::end) {
    input_ended_ = true;
    lines.push_back(requests_.rest());
  }
  for (std::string& line : lines) take_request(std::move(line));
}

void FanOut::take_request(std::string line) {
  if (line.find_first_not_of(" \t\r") == std::string::npos) return;
  const Result<WorkerRequest> request = request_from_line(line);
  if (!request) {
    process::log_line("bad_request", {{"reason", request.error().message}});
    replies_.add(to_line(WorkerReply(ErrorReply{id_in(line), request.error().message})));
    return;
  }
  milliseconds patience = settings_.reply_patience;
  if (const auto* evaluate = std::get_if<EvaluateRequest>(&*request))
    patience += milliseconds(static_cast<std::int64_t>(1000 * evaluate->timing.max_seconds));
  std::string id = std::visit([](const auto& r) { return r.id; }, *request);
  dealing_.add(std::move(id), std::move(line), patience);
}

void FanOut::hear(Slot& slot) {
  if (!slot.worker) return;
  const ChildWorker::News news = slot.worker->serve();
  for (const std::string& line : news.lines) {
    if (slot.worker) take_reply(slot, line);  // it may have been lost over an earlier one
  }
  if (slot.worker && news.exit_code) lose(slot, in_words(*news.exit_code));
}

void FanOut::take_reply(Slot& slot, const std::string& line) {
  Result<WorkerReply> reply = reply_from_line(line);
  if (!reply) return lose(slot, "it said something that is not its protocol: " + reply.error().message);
  if (auto* hello = std::get_if<Hello>(&*reply)) return greet(slot, std::move(*hello));
  if (!dealing_.answered(index(slot), id_of(*reply))) {
    process::log_line("stray_reply", {{"process", slot.plan.mark}, {"id", id_of(*reply)}});
    return;
  }
  slot.since = Clock::now();
  ++slot.answered;
  replies_.add(line);
}

void FanOut::greet(Slot& slot, Hello hello) {
  if (slot.state != State::starting) return lose(slot, "it said hello twice");
  if (first_) {
    if (const auto agreed = agree(*first_, {slot.plan.mark, hello}); !agreed)
      return lose(slot, agreed.error().message, true);
  }
  if (first_at_ == Clock::time_point{}) first_at_ = Clock::now();
  slot.hello = std::move(hello);
  slot.state = State::ready;
  slot.since = Clock::now();
  if (said_hello_) dealing_.begin(index(slot));
}

/// When something is to be done about it, if nothing comes from it.
std::optional<Clock::time_point> FanOut::due(const Slot& slot) const {
  if (slot.state == State::waiting && !said_hello_ && slot.back_off.failures() > 0)
    return std::nullopt;  // once at first
  if (slot.state == State::waiting) return slot.since;
  if (slot.state == State::starting && first_at_ != Clock::time_point{})
    return std::max(slot.since, first_at_) + settings_.start_patience;
  if (slot.state != State::ready) return std::nullopt;
  if (leaving_) return slot.since + kLeavePatience;
  if (dealing_.unanswered(index(slot)) > 0) return slot.since + dealing_.patience(index(slot));
  return std::nullopt;
}

void FanOut::keep_time(Slot& slot) {
  const auto at = due(slot);
  if (!at || Clock::now() < *at) return;
  if (slot.state == State::waiting) return start(slot);
  const auto silent = std::chrono::duration_cast<std::chrono::seconds>(Clock::now() - slot.since);
  lose(slot, fmt::format("it gave no sign of life for {} s", silent.count()));
}

}  // namespace

Result<void> serve(const FanOutSettings& settings, int in, int out) {
  return FanOut(settings, in, out).serve();
}

}  // namespace kevolve::fan_out
