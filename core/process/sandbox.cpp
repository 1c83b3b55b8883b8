// The bubblewrap half of command.hpp.

#include <unistd.h>

#include <cstdlib>
#include <string_view>
#include <system_error>

#include "core/process/command.hpp"

namespace kevolve::process {
namespace {

namespace fs = std::filesystem;

constexpr const char* kTmpBytes = "268435456";
constexpr std::string_view kNoSandbox =
    "; or set KEVOLVE_SANDBOX=off to run foreign code without isolation, on a machine that holds nothing "
    "worth protecting";

/// /lib and its like are links into /usr on merged systems and folders elsewhere: shown as they are here.
void add_system_folders(std::vector<std::string>& argv) {
  argv.insert(argv.end(), {"--ro-bind", "/usr", "/usr"});
  for (const char* folder : {"/lib", "/lib32", "/lib64", "/libx32", "/bin", "/sbin"}) {
    std::error_code error;
    if (fs::is_symlink(folder, error)) {
      argv.insert(argv.end(), {"--symlink", fs::read_symlink(folder, error).string(), folder});
    } else if (fs::is_directory(folder, error)) {
      argv.insert(argv.end(), {"--ro-bind", folder, folder});
    }
  }
  for (const char* path : {"/etc/alternatives", "/etc/ld.so.cache"})
    argv.insert(argv.end(), {"--ro-bind-try", path, path});
}

std::vector<std::string> wrapped(const std::vector<std::string>& argv, const SandboxPolicy& policy) {
  std::vector<std::string> result{"bwrap"};
  if (policy.administer && ::geteuid() == 0) {
    result.insert(result.end(), {"--unshare-ipc", "--unshare-pid", "--unshare-net", "--unshare-uts",
                                 "--cap-drop", "ALL", "--cap-add", "CAP_SYS_ADMIN"});
  } else {
    result.insert(result.end(), {"--unshare-all", "--cap-drop", "ALL"});
  }
  result.insert(result.end(), {"--die-with-parent", "--new-session", "--hostname", "sandbox", "--clearenv",
                               "--setenv", "PATH", "/usr/local/bin:/usr/bin:/bin", "--setenv", "HOME",
                               "/nonexistent", "--setenv", "LC_ALL", "C"});
  add_system_folders(result);
  // /dev is made read-only again because its /dev/shm has no size limit.
  result.insert(result.end(), {"--proc", "/proc", "--dev", "/dev"});
  for (const fs::path& path : policy.devices)
    result.insert(result.end(), {"--dev-bind-try", path.string(), path.string()});
  result.insert(result.end(), {"--remount-ro", "/dev", "--size", kTmpBytes, "--tmpfs", "/tmp"});
  for (const fs::path& path : policy.read_only)
    result.insert(result.end(), {"--ro-bind", path.string(), path.string()});
  for (const fs::path& path : policy.writable)
    result.insert(result.end(), {"--bind", path.string(), path.string()});
  result.insert(result.end(), {"--remount-ro", "/", "--chdir", "/tmp", "--"});
  result.insert(result.end(), argv.begin(), argv.end());
  return result;
}

Result<void> probe() {
  // The answer is kept for as long as the program runs: one of a probe that was killed from outside would be
  // wrong.
  constexpr int kKilled = 128 + 9, kProbes = 3;
  const CommandLimits limits{.deadline = std::chrono::seconds(20), .output_bytes = 4096};
  auto result = run_command(wrapped({"true"}, {}), "", limits);
  for (int i = 1; i < kProbes && result && result->exit_code == kKilled && !result->timed_out; ++i)
    result = run_command(wrapped({"true"}, {}), "", limits);
  if (!result)
    return failure("no sandbox: " + result.error().message + ": apt-get install bubblewrap" +
                   std::string(kNoSandbox));
  if (result->exit_code == 0 && !result->timed_out) return {};
  const std::string said =
      result->timed_out ? "no answer within 20 s" : result->err.substr(0, result->err.find('\n'));
  return failure(
      "no sandbox: bubblewrap cannot make namespaces here (" + said +
      "). Allow unprivileged user namespaces (sysctl kernel.apparmor_restrict_unprivileged_userns=0 on "
      "Ubuntu, kernel.unprivileged_userns_clone=1 on older kernels; in a container "
      "--security-opt seccomp=unconfined --security-opt systempaths=unconfined)" +
      std::string(kNoSandbox));
}

}  // namespace

const Result<void>& sandbox_available() {
  static const Result<void> result = probe();
  return result;
}

Result<std::vector<std::string>> sandboxed(const std::vector<std::string>& argv,
                                           const SandboxPolicy& policy) {
  const char* setting = std::getenv("KEVOLVE_SANDBOX");
  if (setting != nullptr && std::string_view(setting) == "off") return argv;
  TRY_DO(sandbox_available());
  return wrapped(argv, policy);
}

}  // namespace kevolve::process
