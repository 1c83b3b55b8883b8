#include "archive/process_identity.hpp"

#include <sys/wait.h>
#include <unistd.h>

#include "tests/catch.hpp"

using namespace kevolve;
using namespace kevolve::archive;

TEST_CASE("a process is alive until it ends, and its number alone is not its identity") {
  const std::string own = process_identity();
  CHECK(process_is_alive(own));
  CHECK_FALSE(process_is_alive(own + "0"));
  CHECK_FALSE(process_is_alive("another-boot" + own.substr(own.find('/'))));
  CHECK_FALSE(process_is_alive(""));
  CHECK_FALSE(process_is_alive("x/y/z"));

  int ends[2];
  REQUIRE(::pipe(ends) == 0);
  const pid_t child = ::fork();
  if (child == 0) {
    const std::string identity = process_identity();
    const auto written = ::write(ends[1], identity.data(), identity.size());
    ::pause();
    ::_exit(written < 0);
  }
  char buffer[200];
  const auto bytes = ::read(ends[0], buffer, sizeof buffer);
  REQUIRE(bytes > 0);
  const std::string other(buffer, static_cast<std::size_t>(bytes));
  CHECK(other != own);
  CHECK(process_is_alive(other));
  ::kill(child, SIGKILL);
  siginfo_t info{};
  REQUIRE(::waitid(P_PID, static_cast<id_t>(child), &info, WEXITED | WNOWAIT) == 0);
  CHECK_FALSE(process_is_alive(other));  // it has ended, though nobody has asked how
  ::waitpid(child, nullptr, 0);
  CHECK_FALSE(process_is_alive(other));
  ::close(ends[0]);
  ::close(ends[1]);
}
