#include <arpa/inet.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <fstream>

#include "core/process/command.hpp"
#include "core/process/unique_fd.hpp"
#include "tests/catch.hpp"

namespace kevolve {
using namespace process;
namespace {

CommandResult inside(const std::string& script, const SandboxPolicy& policy = {}) {
  const auto argv = sandboxed({"bash", "-c", script}, policy);
  REQUIRE(argv);
  const auto result = run_command(*argv, "", {});
  REQUIRE(result);
  return *result;
}

/// A folder under the user's own files, removed at the end.
struct Folder {
  std::filesystem::path path;
  Folder() {
    char name[] = "/var/tmp/kevolve_sandbox_XXXXXX";
    path = ::mkdtemp(name);
  }
  ~Folder() { std::filesystem::remove_all(path); }
};

TEST_CASE("the sandbox can be made here") {
  INFO((sandbox_available() ? std::string() : sandbox_available().error().message));
  REQUIRE(sandbox_available());
}

TEST_CASE("exit codes and signals come out of the sandbox") {
  CHECK(inside("exit 5").exit_code == 5);
  CHECK(inside("kill -SEGV $$").exit_code == 128 + 11);
}

TEST_CASE("system programs run inside, and see no users' files") {
  CHECK(inside("echo '#include <cmath>' | g++ -x c++ -fsyntax-only - && echo fine").out == "fine\n");
  CHECK(inside("cat /etc/passwd").exit_code != 0);
  CHECK(inside("ls /etc").out == "alternatives\nld.so.cache\n");
  CHECK(inside("ls -d /home /root /var /mnt 2>/dev/null").out.empty());
}

TEST_CASE("only named folders are visible, and only writable ones can be written") {
  const Folder shown, hidden, open;
  std::ofstream(shown.path / "file") << "text";
  std::ofstream(hidden.path / "file") << "secret";
  const SandboxPolicy policy{.read_only = {shown.path}, .writable = {open.path}};
  CHECK(inside("cat " + (shown.path / "file").string(), policy).out == "text");
  CHECK(inside("cat " + (hidden.path / "file").string(), policy).exit_code != 0);
  CHECK(inside("echo x > " + (shown.path / "new").string(), policy).exit_code != 0);
  CHECK(inside("echo x > " + (open.path / "new").string(), policy).exit_code == 0);
  CHECK(std::filesystem::exists(open.path / "new"));
}

TEST_CASE("the file system is read-only but for a limited /tmp") {
  for (const char* path : {"/x", "/usr/x", "/etc/x", "/dev/shm/x", "/dev/x"})
    CHECK(inside(std::string("echo x > ") + path).exit_code != 0);
  CHECK(inside("echo x > /tmp/x && cat /tmp/x").out == "x\n");
  CHECK(inside("head -c 400000000 /dev/zero > /tmp/big").exit_code != 0);
}

TEST_CASE("there is no network") {
  UniqueFd server(::socket(AF_INET, SOCK_STREAM, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  REQUIRE(::bind(server.get(), reinterpret_cast<sockaddr*>(&address), size) == 0);
  REQUIRE(::listen(server.get(), 4) == 0);
  REQUIRE(::getsockname(server.get(), reinterpret_cast<sockaddr*>(&address), &size) == 0);
  const std::string connect = "exec 3<>/dev/tcp/127.0.0.1/" + std::to_string(ntohs(address.sin_port));
  const auto outside = run_command({"bash", "-c", connect}, "", {});
  REQUIRE(outside);
  CHECK(outside->exit_code == 0);
  CHECK(inside(connect).exit_code != 0);
}

TEST_CASE("processes outside cannot be seen") {
  CHECK(inside("kill -0 " + std::to_string(::getpid())).exit_code != 0);
}

TEST_CASE("the environment does not come along") {
  ::setenv("KEVOLVE_TEST_SECRET", "secret", 1);
  CHECK(inside("env").out.find("secret") == std::string::npos);
  ::unsetenv("KEVOLVE_TEST_SECRET");
}

TEST_CASE("KEVOLVE_SANDBOX=off leaves the command as it is") {
  const std::vector<std::string> argv{"true"};
  ::setenv("KEVOLVE_SANDBOX", "off", 1);
  const auto off = sandboxed(argv, {});
  ::setenv("KEVOLVE_SANDBOX", "on", 1);
  const auto on = sandboxed(argv, {});
  ::unsetenv("KEVOLVE_SANDBOX");
  REQUIRE(off);
  CHECK(*off == argv);
  REQUIRE(on);
  CHECK(on->front() == "bwrap");
}

}  // namespace
}  // namespace kevolve
