#pragma once
// Child: one running child process, leader of its own process group.
//
// Whoever spawned it owns it. Destruction kills the whole group and reaps it, so no child outlives its owner.
// A sandboxed child also dies with the thread that spawned it, since bubblewrap's --die-with-parent is per
// thread: that thread must live as long as the child. Not thread-safe; different objects are independent.

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/process/unique_fd.hpp"
#include "core/text/result.hpp"

namespace kevolve::process {

/// "NAME=value" of each variable of this process: for a child that is to have them, too.
std::vector<std::string> own_environment();

struct ChildSettings {
  /// {ours, the child's number}. The child has no others, but /dev/null for those of 0, 1 and 2 that are not
  /// named.
  std::vector<std::pair<int, int>> descriptors;
  std::size_t memory_bytes = 0;  ///< RLIMIT_AS; 0: unlimited
  std::size_t file_bytes = 0;    ///< RLIMIT_FSIZE; 0: unlimited
  /// "NAME=value", the whole of it; empty: the scrubbed one of run_command().
  std::vector<std::string> environment = {};
  /// The child gets SIGKILL when the thread that spawned it ends, however that ends; its own children do not.
  bool dies_with_us = false;
  bool core_dumps = false;  ///< may leave one when it crashes, if this process may
};

class Child {
 public:
  /// Starts argv[0] (looked up on PATH unless it holds a slash).
  static Result<Child> spawn(const std::vector<std::string>& argv, const ChildSettings& settings);

  Child(Child&& other) noexcept;
  Child& operator=(Child&& other) noexcept;
  ~Child();

  [[nodiscard]] int pid() const { return pid_; }
  /// Becomes readable when the child ends.
  [[nodiscard]] int exit_descriptor() const { return pidfd_.get(); }

  /// Exit code, 128 + signal when a signal ended it; nullopt when it still runs after `patience`.
  std::optional<int> wait(std::chrono::milliseconds patience);
  /// SIGKILL to the whole group; the exit code follows from wait().
  void kill_group();
  /// Gives the child up to a caller who ends its group in another way, and waits for it.
  [[nodiscard]] int release() {
    pidfd_.reset();
    return std::exchange(pid_, -1);
  }

 private:
  Child(int pid, UniqueFd pidfd) : pid_(pid), pidfd_(std::move(pidfd)) {}
  void end();

  int pid_ = -1;
  UniqueFd pidfd_;
  std::optional<int> exit_code_;
};

}  // namespace kevolve::process
