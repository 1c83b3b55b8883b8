#include "daemon/engine/workers/worker_process.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/wait.h>
#include <unistd.h>

#include <boost/asio/buffer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <cerrno>
#include <cstring>
#include <utility>

#include "core/process/child.hpp"
#include "core/process/pipe.hpp"

namespace kevolve::engine {
namespace asio = boost::asio;
namespace {

/// A reply holds at most one evaluation with its samples and log.
constexpr std::size_t kLongestLine = 64u << 20;
/// A child's output ends a moment before the kernel tells how the child ended.
constexpr std::chrono::milliseconds kMoment{20};

/// How a child ended: " (exit code 3)".
std::string ending_in_words(int status) {
  if (WIFSIGNALED(status)) return fmt::format(" (signal {})", WTERMSIG(status));
  return fmt::format(" (exit code {})", WEXITSTATUS(status));
}

Result<process::UniqueFd> open_log(const std::filesystem::path& log) {
  process::UniqueFd file(::open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644));
  if (!file.valid())
    return failure(fmt::format("cannot open its log {}: {}", log.string(), std::strerror(errno)));
  return file;
}

/// The child's standard input and output are the given ends; it leads a process group, so Ctrl-C reaches only
/// kevolve, which then ends its workers in order.
Result<pid_t> spawn(const WorkerCommand& command, const process::UniqueFd& input,
                    const process::UniqueFd& output) {
  process::UniqueFd log;
  if (!command.log.empty()) {
    TRY(log, open_log(command.log));
  }
  process::ChildSettings settings;
  settings.descriptors = {{input.get(), 0}, {output.get(), 1}, {log.valid() ? log.get() : STDERR_FILENO, 2}};
  settings.environment = process::own_environment();
  settings.core_dumps = true;
  TRY(process::Child child, process::Child::spawn(command.argv, settings));
  return child.release();
}

}  // namespace

std::string in_words(const WorkerCommand& command) {
  return fmt::format("{}", fmt::join(command.argv, " "));
}

WorkerCommand numbered(WorkerCommand command, int number) {
  constexpr std::string_view kPlace = "{worker}";
  for (std::string& word : command.argv) {
    for (std::size_t at = word.find(kPlace); at != std::string::npos; at = word.find(kPlace, at))
      word.replace(at, kPlace.size(), std::to_string(number));
  }
  return command;
}

Result<std::shared_ptr<WorkerProcess>> WorkerProcess::start(asio::io_context& io,
                                                            const WorkerCommand& command, Handlers handlers) {
  TRY(process::Pipe to_child, process::make_pipe());
  TRY(process::Pipe from_child, process::make_pipe());
  const Result<pid_t> child = spawn(command, to_child.read_end, from_child.write_end);
  if (!child)
    return failure(child.error().in(fmt::format("cannot start the worker '{}'", in_words(command))));
  auto process = std::make_shared<WorkerProcess>(io, *child, to_child.write_end.release(),
                                                 from_child.read_end.release(), std::move(handlers));
  asio::co_spawn(io, read_lines(process), asio::detached);
  return process;
}

WorkerProcess::WorkerProcess(asio::io_context& io, pid_t child, int to_child, int from_child,
                             Handlers handlers)
    : io_(io), child_(child), stdin_(io, to_child), stdout_(io, from_child), handlers_(std::move(handlers)) {}

WorkerProcess::~WorkerProcess() {
  if (child_ > 0) EndingGroup(child_, EndingGroup::Leader::runs);  // the loop may be gone: waits
}

/// The launcher and what it started: all of the child's group.
void WorkerProcess::see_off_group(EndingGroup::Leader state) {
  if (child_ <= 0) return;
  auto group = std::make_unique<EndingGroup>(std::exchange(child_, -1), state);
  asio::co_spawn(io_, see_off(io_, std::move(group)), asio::detached);
}

void WorkerProcess::end() {
  if (std::exchange(ended_, true)) return;
  handlers_ = {};
  boost::system::error_code ignored;
  stdin_.close(ignored);
  stdout_.close(ignored);
  see_off_group(EndingGroup::Leader::runs);
}

void WorkerProcess::send(const std::string& line) {
  outgoing_.push_back(line + "\n");
  if (writing_) return;
  writing_ = true;
  asio::co_spawn(io_, write_lines(shared_from_this()), asio::detached);
}

asio::awaitable<void> WorkerProcess::write_lines(std::shared_ptr<WorkerProcess> self) {
  boost::system::error_code error;
  while (!self->ended_ && !error && !self->outgoing_.empty()) {
    const std::string line = std::move(self->outgoing_.front());
    self->outgoing_.pop_front();
    co_await asio::async_write(self->stdin_, asio::buffer(line),
                               asio::redirect_error(asio::use_awaitable, error));
  }  // the reader sees the death
  self->writing_ = false;
}

asio::awaitable<void> WorkerProcess::read_lines(std::shared_ptr<WorkerProcess> self) {
  std::string buffer;
  boost::system::error_code error;
  while (!self->ended_) {
    const std::size_t size =
        co_await asio::async_read_until(self->stdout_, asio::dynamic_buffer(buffer, kLongestLine), '\n',
                                        asio::redirect_error(asio::use_awaitable, error));
    if (self->ended_) co_return;
    if (error) break;
    const std::string line = buffer.substr(0, size - 1);
    buffer.erase(0, size);
    const auto handler = self->handlers_.line;  // end() may clear it meanwhile
    handler(line);
  }
  if (self->ended_) co_return;
  asio::steady_timer moment(self->io_, kMoment);
  co_await moment.async_wait(asio::redirect_error(asio::use_awaitable, error));
  if (!self->ended_) self->output_ended();
}

void WorkerProcess::output_ended() {
  int status = 0;
  const bool reaped = ::waitpid(child_, &status, WNOHANG) > 0;
  if (reaped) see_off_group(EndingGroup::Leader::was_reaped);
  const bool killed = reaped && WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
  const auto handler = std::exchange(handlers_.ended, nullptr);
  handler("the worker ended unexpectedly" + (reaped ? ending_in_words(status) : std::string()), killed);
}

}  // namespace kevolve::engine
