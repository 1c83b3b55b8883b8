#include "core/process/command.hpp"

#include <thread>

#include "tests/catch.hpp"

namespace kevolve {
using namespace process;
namespace {

using std::chrono::milliseconds;

CommandResult shell(const std::string& script, const CommandLimits& limits = {},
                    const std::string& input = "") {
  const auto result = run_command({"sh", "-c", script}, input, limits);
  REQUIRE(result);
  return *result;
}

TEST_CASE("run_command returns output, error output and exit code") {
  const auto result = shell("echo out; echo err >&2; exit 7");
  CHECK(result.out == "out\n");
  CHECK(result.err == "err\n");
  CHECK(result.exit_code == 7);
  CHECK_FALSE(result.timed_out);
}

TEST_CASE("run_command feeds input larger than a pipe while it reads the output") {
  const std::string input(3 << 20, 'x');
  const auto result = shell("cat", {.output_bytes = 4 << 20}, input);
  CHECK(result.out == input);
}

TEST_CASE("a command that does not read its input is no trouble") {
  CHECK(shell("exit 3", {}, std::string(1 << 20, 'x')).exit_code == 3);
}

TEST_CASE("a signal is reported as 128 + signal") {
  CHECK(shell("kill -SEGV $$").exit_code == 128 + 11);
}

TEST_CASE("the deadline kills the whole process group") {
  const auto result = shell("sleep 600 & echo $!; sleep 600", {.deadline = milliseconds(300)});
  CHECK(result.timed_out);
  CHECK(result.exit_code == 128 + 9);
  REQUIRE_FALSE(result.out.empty());
  const std::string status = "/proc/" + std::to_string(std::stoi(result.out)) + "/status";
  // The kernel delivers the kill when it next schedules the process: on a busy machine, not at once.
  const auto alive = [&] {
    return !shell("grep -s State " + status + " | grep -v -e zombie -e dead").out.empty();
  };
  const auto patience = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  while (alive() && std::chrono::steady_clock::now() < patience)
    std::this_thread::sleep_for(milliseconds(10));
  CHECK_FALSE(alive());
}

TEST_CASE("a grandchild that keeps the pipe open does not keep the command running") {
  const auto result = shell("sleep 600 & echo done", {.deadline = milliseconds(60'000)});
  CHECK_FALSE(result.timed_out);
  CHECK(result.out == "done\n");
}

TEST_CASE("output beyond the cap is dropped, not refused") {
  const auto result = shell("head -c 300000 /dev/zero; echo end >&2", {.output_bytes = 1000});
  CHECK(result.out.size() == 1000);
  CHECK(result.err == "end\n");
  CHECK(result.exit_code == 0);
}

TEST_CASE("file and memory limits hold in the child") {
  const auto file =
      shell("head -c 100000 /dev/zero > /tmp/kevolve_limit_$$; s=$?; rm -f /tmp/kevolve_limit_$$; exit $s",
            {.file_bytes = 4096});
  CHECK(file.exit_code != 0);
  CHECK(shell("ulimit -v", {.memory_bytes = std::size_t{1} << 30}).out == "1048576\n");
}

TEST_CASE("the environment is scrubbed and our descriptors stay here") {
  const auto result = shell(
      "env | grep -v -e ^PWD= -e ^_= -e ^SHLVL= | cut -d= -f1 | sort | tr '\\n' ' '; ls /proc/self/fd | wc "
      "-l");
  CHECK(result.out == "HOME LC_ALL PATH 4\n");  // 0, 1, 2 and the folder that ls reads
}

TEST_CASE("a program that does not exist is an error that names it") {
  const auto result = run_command({"kevolve-no-such-program"}, "", {});
  REQUIRE_FALSE(result);
  CHECK(result.error().message.find("'kevolve-no-such-program' was not found on PATH") != std::string::npos);
}

}  // namespace
}  // namespace kevolve
