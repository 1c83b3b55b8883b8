#include "daemon/engine/workers/ending_group.hpp"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <string>

#include "tests/catch.hpp"

namespace kevolve {
using namespace engine;
namespace {

using std::chrono::milliseconds;
constexpr std::chrono::seconds kLong{30};

/// A shell that leads a group of its own, and what it says.
class Shell {
 public:
  explicit Shell(const std::string& script) {
    std::array<int, 2> ends{};
    REQUIRE(::pipe2(ends.data(), O_CLOEXEC) == 0);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, ends[1], 1);
    posix_spawnattr_t attributes;
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP);
    std::array<std::string, 3> words = {"sh", "-c", script};
    std::array<char*, 4> argv = {words[0].data(), words[1].data(), words[2].data(), nullptr};
    REQUIRE(::posix_spawnp(&pid, "sh", &actions, &attributes, argv.data(), environ) == 0);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    ::close(ends[1]);
    output_ = ends[0];
  }
  ~Shell() { ::close(output_); }
  Shell(const Shell&) = delete;
  Shell& operator=(const Shell&) = delete;

  [[nodiscard]] std::string line() const {
    std::string text;
    for (char c = 0; ::read(output_, &c, 1) == 1 && c != '\n';) text += c;
    return text;
  }

  pid_t pid = -1;

 private:
  int output_ = -1;
};

TEST_CASE("a group that puts things in order before it ends has the time to", "[daemon]") {
  const Shell shell("trap 'sleep 0.2; echo in order; exit' TERM; echo ready; while :; do sleep 0.01; done");
  REQUIRE(shell.line() == "ready");
  { const EndingGroup group(shell.pid, EndingGroup::Leader::runs, kLong); }
  CHECK(shell.line() == "in order");
  CHECK(::kill(shell.pid, 0) != 0);  // reaped
}

TEST_CASE("a group that does not end by itself is killed", "[daemon]") {
  const Shell shell("trap '' TERM; echo ready; while :; do sleep 0.01; done");
  REQUIRE(shell.line() == "ready");
  { const EndingGroup group(shell.pid, EndingGroup::Leader::runs, milliseconds(100)); }
  CHECK(shell.line().empty());  // the end of its output: nobody has it open
  CHECK(::kill(shell.pid, 0) != 0);
}

TEST_CASE("what an ended leader has left has the time, too", "[daemon]") {
  const Shell shell(
      "(trap 'sleep 0.2; echo in order; exit' TERM; echo ready; while :; do sleep 0.01; done) & sleep 0.1; "
      "exit");
  REQUIRE(shell.line() == "ready");
  REQUIRE(::waitpid(shell.pid, nullptr, 0) == shell.pid);
  { const EndingGroup group(shell.pid, EndingGroup::Leader::was_reaped, kLong); }
  CHECK(shell.line() == "in order");
}

TEST_CASE("a loop goes on while a group ends, and ends with it", "[daemon]") {
  const Shell shell("trap 'sleep 0.2; exit' TERM; echo ready; while :; do sleep 0.01; done");
  REQUIRE(shell.line() == "ready");
  boost::asio::io_context io(1);
  boost::asio::co_spawn(
      io, see_off(io, std::make_unique<EndingGroup>(shell.pid, EndingGroup::Leader::runs, kLong)),
      boost::asio::detached);
  CHECK(io.run() > 5);  // it looked again and again
  CHECK(::kill(shell.pid, 0) != 0);
}

TEST_CASE("a loop that is given up waits for its groups", "[daemon]") {
  const Shell shell("trap 'sleep 0.2; echo in order; exit' TERM; echo ready; while :; do sleep 0.01; done");
  REQUIRE(shell.line() == "ready");
  {
    boost::asio::io_context io(1);
    boost::asio::co_spawn(
        io, see_off(io, std::make_unique<EndingGroup>(shell.pid, EndingGroup::Leader::runs, kLong)),
        boost::asio::detached);
    io.poll();
  }
  CHECK(shell.line() == "in order");
}

}  // namespace
}  // namespace kevolve
