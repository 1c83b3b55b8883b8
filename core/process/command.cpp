#include "core/process/command.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "core/process/child.hpp"
#include "core/process/pipe.hpp"

namespace kevolve::process {
namespace {

using Clock = std::chrono::steady_clock;

/// Reads all there is now; keeps at most `cap` bytes. Closes `fd` at its end.
void drain(UniqueFd& fd, std::string& kept, std::size_t cap) {
  std::array<char, 65536> chunk;
  while (fd.valid()) {
    const ssize_t n = ::read(fd.get(), chunk.data(), chunk.size());
    if (n > 0) {
      kept.append(chunk.data(), std::min(static_cast<std::size_t>(n), cap - std::min(cap, kept.size())));
    } else if (n < 0 && errno == EINTR) {
      continue;
    } else if (n < 0 && errno == EAGAIN) {
      return;
    } else {
      fd.reset();
    }
  }
}

/// Writes what the pipe takes now; closes it when all is written, or when nobody reads.
void feed(UniqueFd& fd, const std::string& input, std::size_t& written) {
  while (fd.valid()) {
    if (written == input.size()) return fd.reset();
    const ssize_t n = ::write(fd.get(), input.data() + written, input.size() - written);
    if (n >= 0) {
      written += static_cast<std::size_t>(n);
    } else if (errno == EAGAIN) {
      return;
    } else if (errno != EINTR) {
      fd.reset();
    }
  }
}

/// Holds SIGPIPE back while a command runs: a write to a pipe that nobody reads raises it in the writing
/// thread.
class SigpipeGuard {
 public:
  SigpipeGuard() {
    sigemptyset(&sigpipe_);
    sigaddset(&sigpipe_, SIGPIPE);
    ::pthread_sigmask(SIG_BLOCK, &sigpipe_, &old_);
  }
  ~SigpipeGuard() {
    if (sigismember(&old_, SIGPIPE) == 0) {
      const timespec now{};
      while (::sigtimedwait(&sigpipe_, nullptr, &now) > 0) {
      }
    }
    ::pthread_sigmask(SIG_SETMASK, &old_, nullptr);
  }
  SigpipeGuard(const SigpipeGuard&) = delete;

 private:
  sigset_t sigpipe_{}, old_{};
};

}  // namespace

Result<CommandResult> run_command(const std::vector<std::string>& argv, const std::string& input,
                                  const CommandLimits& limits) {
  TRY(Pipe in, make_pipe());
  TRY(Pipe out, make_pipe());
  TRY(Pipe err, make_pipe());
  const auto end = Clock::now() + limits.deadline;
  ChildSettings settings;
  settings.descriptors = {{in.read_end.get(), 0}, {out.write_end.get(), 1}, {err.write_end.get(), 2}};
  settings.memory_bytes = limits.memory_bytes;
  settings.file_bytes = limits.file_bytes;
  TRY(Child child, Child::spawn(argv, settings));
  const SigpipeGuard guard;
  in.read_end.reset();
  out.write_end.reset();
  err.write_end.reset();
  for (const UniqueFd* fd : {&in.write_end, &out.read_end, &err.read_end}) make_nonblocking(*fd);

  CommandResult result;
  std::size_t written = 0;
  bool ended = false;
  while (!ended) {
    feed(in.write_end, input, written);
    std::array<pollfd, 4> waits{{{child.exit_descriptor(), POLLIN, 0},
                                 {out.read_end.get(), POLLIN, 0},
                                 {err.read_end.get(), POLLIN, 0},
                                 {in.write_end.get(), POLLOUT, 0}}};
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(end - Clock::now()).count();
    if (left <= 0) {
      result.timed_out = true;
      child.kill_group();
      break;
    }
    if (::poll(waits.data(), waits.size(), static_cast<int>(std::min<long>(left, 1 << 30))) < 0 &&
        errno != EINTR)
      return failure(std::string("cannot wait for '") + argv[0] + "': " + std::strerror(errno));
    ended = (waits[0].revents & POLLIN) != 0;
    drain(out.read_end, result.out, limits.output_bytes);
    drain(err.read_end, result.err, limits.output_bytes);
  }
  result.exit_code = child.wait(std::chrono::milliseconds::max()).value_or(-1);
  drain(out.read_end, result.out, limits.output_bytes);
  drain(err.read_end, result.err, limits.output_bytes);
  return result;
}

}  // namespace kevolve::process
