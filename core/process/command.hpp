#pragma once
// Child processes and their sandbox.
//
// run_command() runs one command to its end, with a deadline and limits on its output. sandboxed() wraps an
// argv in bubblewrap: no network, no files but those named, own pid and ipc namespaces; the child dies with
// its parent. Thread-safe.

#include <chrono>
#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

#include "core/text/result.hpp"

namespace kevolve::process {

struct SandboxPolicy {
  std::vector<std::filesystem::path>
      read_only{};  ///< besides the system's libraries and compilers (/usr, /lib*, /etc/alternatives)
  std::vector<std::filesystem::path> writable{};
  /// Keeps root's CAP_SYS_ADMIN, and with it the user namespace of the machine: only for our own code, which
  /// needs it for hardware counters. Without effect for other users.
  bool administer = false;
  std::vector<std::filesystem::path> devices{};  ///< device files of /dev, such as /dev/nvidia0
};

/// True when bubblewrap is installed and may make namespaces here; otherwise the reason and the remedy.
/// Probed once.
const Result<void>& sandbox_available();

/// argv that runs `argv` inside the sandbox. Without a usable bubblewrap an error, unless KEVOLVE_SANDBOX=off
/// is set: then argv unchanged, which `kevolve doctor` and every worker's log point out.
Result<std::vector<std::string>> sandboxed(const std::vector<std::string>& argv, const SandboxPolicy& policy);

struct CommandLimits {
  std::chrono::milliseconds deadline{30'000};  ///< then SIGKILL to the whole process group
  std::size_t memory_bytes = 0;                ///< RLIMIT_AS; 0: unlimited
  std::size_t output_bytes = 1 << 20;          ///< kept of stdout and of stderr each; the rest is dropped
  std::size_t file_bytes = 0;                  ///< RLIMIT_FSIZE; 0: unlimited
};

struct CommandResult {
  int exit_code = 0;  ///< 128 + signal when a signal ended it, as shells say
  bool timed_out = false;
  std::string out, err;
};

/// Runs argv[0] (looked up on PATH) with `input` on stdin and a scrubbed environment (PATH,
/// HOME=/nonexistent, LC_ALL=C, and nothing else). An Error only when the command could not be started.
Result<CommandResult> run_command(const std::vector<std::string>& argv, const std::string& input,
                                  const CommandLimits& limits);

}  // namespace kevolve::process
