#include "core/process/child.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <string_view>

namespace kevolve::process {
namespace {

constexpr const char* kDefaultPath = "/usr/local/bin:/usr/bin:/bin";

std::string search_path() {
  const char* path = std::getenv("PATH");
  return path != nullptr && *path != '\0' ? path : kDefaultPath;
}

Result<std::string> find_program(const std::string& name) {
  if (name.find('/') != std::string::npos) return name;
  const std::string path = search_path();
  for (std::size_t begin = 0; begin <= path.size();) {
    const std::size_t end = std::min(path.find(':', begin), path.size());
    const std::string candidate = path.substr(begin, end - begin) + "/" + name;
    if (::access(candidate.c_str(), X_OK) == 0 && !std::filesystem::is_directory(candidate)) return candidate;
    begin = end + 1;
  }
  return failure("program '" + name + "' was not found on PATH (" + path + "); install it, or correct PATH");
}

/// All that the child needs between vfork and exec, prepared before: there it may only make system calls.
struct Launchpad {
  std::string program;
  std::vector<std::string> environment;
  std::vector<char*> argv, envp;
  std::vector<std::pair<int, int>> descriptors;
  int null_descriptor = -1;
  std::size_t memory_bytes = 0, file_bytes = 0;
  pid_t dies_with = -1;  ///< the parent, or nobody
  bool core_dumps = false;
  sigset_t old_signals{};
};

std::vector<char*> pointers(std::vector<std::string>& strings) {
  std::vector<char*> result;
  for (std::string& s : strings) result.push_back(s.data());
  result.push_back(nullptr);
  return result;
}

void limit(__rlimit_resource resource, std::size_t bytes) {
  if (bytes == 0) return;
  const rlimit value{bytes, bytes};
  ::setrlimit(resource, &value);
}

/// Runs in the vforked child: shares our memory, so it changes no object and only makes system calls.
[[noreturn]] void become(const Launchpad& pad) {
  ::setpgid(0, 0);
  if (pad.dies_with >= 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::getppid() != pad.dies_with) ::_exit(127);  // it had ended before we asked
  }
  for (int signal = 1; signal < NSIG; ++signal) {
    struct sigaction old {};
    if (::sigaction(signal, nullptr, &old) == 0 && old.sa_handler != SIG_DFL) ::signal(signal, SIG_DFL);
  }
  int highest = 2;
  for (int fd : {0, 1, 2}) ::dup2(pad.null_descriptor, fd);
  for (const auto& [ours, theirs] : pad.descriptors) {
    ::dup2(ours, theirs);
    highest = std::max(highest, theirs);
  }
  for (int fd = 3; fd <= highest; ++fd) {
    if (std::none_of(pad.descriptors.begin(), pad.descriptors.end(),
                     [&](const auto& d) { return d.second == fd; }))
      ::close(fd);
  }
  ::close_range(static_cast<unsigned>(highest) + 1, ~0U, 0);
  limit(RLIMIT_AS, pad.memory_bytes);
  limit(RLIMIT_FSIZE, pad.file_bytes);
  const rlimit no_core{0, 0};
  if (!pad.core_dumps) ::setrlimit(RLIMIT_CORE, &no_core);
  ::sigprocmask(SIG_SETMASK, &pad.old_signals, nullptr);
  ::execve(pad.program.c_str(), pad.argv.data(), pad.envp.data());
  ::_exit(127);
}

}  // namespace

std::vector<std::string> own_environment() {
  std::vector<std::string> words;
  for (char** word = environ; *word != nullptr; ++word) words.emplace_back(*word);
  return words;
}

Result<Child> Child::spawn(const std::vector<std::string>& argv, const ChildSettings& settings) {
  Launchpad pad;
  TRY(pad.program, find_program(argv.at(0)));
  if (::access(pad.program.c_str(), X_OK) != 0)
    return failure("cannot run '" + pad.program + "': " + std::strerror(errno));

  std::vector<std::string> arguments = argv;
  pad.argv = pointers(arguments);
  pad.environment = settings.environment;
  if (pad.environment.empty()) pad.environment = {"PATH=" + search_path(), "HOME=/nonexistent", "LC_ALL=C"};
  pad.envp = pointers(pad.environment);
  pad.memory_bytes = settings.memory_bytes;
  pad.file_bytes = settings.file_bytes;
  pad.core_dumps = settings.core_dumps;
  if (settings.dies_with_us) pad.dies_with = ::getpid();

  // Copies above every number the child is given, so that no dup2 overwrites one that is still to be copied.
  int above = 3;
  for (const auto& d : settings.descriptors) above = std::max(above, d.second + 1);
  UniqueFd null(::open("/dev/null", O_RDWR | O_CLOEXEC));
  UniqueFd null_copy(::fcntl(null.get(), F_DUPFD_CLOEXEC, above));
  pad.null_descriptor = null_copy.get();
  std::vector<UniqueFd> copies;
  for (const auto& [ours, theirs] : settings.descriptors) {
    copies.emplace_back(::fcntl(ours, F_DUPFD_CLOEXEC, above));
    if (!copies.back().valid())
      return failure("cannot pass descriptor " + std::to_string(ours) + " to '" + pad.program +
                     "': " + std::strerror(errno));
    pad.descriptors.emplace_back(copies.back().get(), theirs);
  }

  // vfork: fork would copy the page tables of a process that may hold gigabytes of tensors. Signals are
  // blocked so that no handler of ours runs in the child while it shares our memory.
  sigset_t all;
  sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &pad.old_signals);
  const pid_t pid = ::vfork();
  if (pid == 0) become(pad);
  const int error = errno;
  ::pthread_sigmask(SIG_SETMASK, &pad.old_signals, nullptr);
  if (pid < 0) return failure("cannot start '" + pad.program + "': " + std::strerror(error));

  UniqueFd pidfd(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
  if (!pidfd.valid()) {
    const std::string reason = std::strerror(errno);
    ::kill(-pid, SIGKILL);
    ::waitpid(pid, nullptr, 0);
    return failure("cannot watch '" + pad.program + "' (pidfd_open, Linux 5.3 or later): " + reason);
  }
  return Child(pid, std::move(pidfd));
}

Child::Child(Child&& other) noexcept
    : pid_(std::exchange(other.pid_, -1)), pidfd_(std::move(other.pidfd_)), exit_code_(other.exit_code_) {}

Child& Child::operator=(Child&& other) noexcept {
  if (this != &other) {
    end();
    pid_ = std::exchange(other.pid_, -1);
    pidfd_ = std::move(other.pidfd_);
    exit_code_ = other.exit_code_;
  }
  return *this;
}

Child::~Child() {
  end();
}

void Child::end() {
  if (pid_ < 0) return;
  kill_group();
  wait(std::chrono::milliseconds::max());
  pid_ = -1;
}

void Child::kill_group() {
  if (pid_ >= 0 && !exit_code_) ::kill(-pid_, SIGKILL);
}

std::optional<int> Child::wait(std::chrono::milliseconds patience) {
  if (exit_code_) return exit_code_;
  const bool forever = patience == std::chrono::milliseconds::max();
  const auto end = std::chrono::steady_clock::now() + (forever ? std::chrono::hours(1) : patience);
  while (true) {
    pollfd poll_entry{pidfd_.get(), POLLIN, 0};
    const auto left =
        std::chrono::ceil<std::chrono::milliseconds>(end - std::chrono::steady_clock::now()).count();
    const int ready =
        ::poll(&poll_entry, 1, forever ? -1 : static_cast<int>(std::clamp<long>(left, 0, 1 << 30)));
    if (ready > 0) break;
    if (ready == 0) return std::nullopt;
    if (errno != EINTR) return std::nullopt;
  }
  ::kill(-pid_, SIGKILL);  // what the leader left behind; before it is reaped, its number cannot be another's
  int status = 0;
  while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
  }
  exit_code_ = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
  return exit_code_;
}

}  // namespace kevolve::process
