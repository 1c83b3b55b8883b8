#include "core/process/child.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>

#include <cerrno>
#include <thread>

#include "core/process/command.hpp"
#include "tests/catch.hpp"

namespace kevolve {
using namespace process;
namespace {

using std::chrono::milliseconds;

std::string read_all(int fd) {
  std::string text;
  char chunk[256];
  for (ssize_t n; (n = ::read(fd, chunk, sizeof chunk)) > 0;) text.append(chunk, static_cast<std::size_t>(n));
  return text;
}

TEST_CASE("named descriptors arrive under the numbers asked for, even when the numbers cross") {
  int first[2], second[2];
  REQUIRE(::pipe2(first, O_CLOEXEC) == 0);
  REQUIRE(::pipe2(second, O_CLOEXEC) == 0);
  UniqueFd first_in(first[0]), first_out(first[1]), second_in(second[0]), second_out(second[1]);
  auto child = Child::spawn({"sh", "-c", "echo one >&3; echo two >&4"},
                            {.descriptors = {{first_out.get(), 3}, {second_out.get(), 4}}});
  REQUIRE(child);
  first_out.reset();
  second_out.reset();
  CHECK(read_all(first_in.get()) == "one\n");
  CHECK(read_all(second_in.get()) == "two\n");
  CHECK(child->wait(milliseconds(10'000)) == 0);
}

TEST_CASE("descriptors reach a child inside the sandbox") {
  if (!sandbox_available()) return;
  int ends[2];
  REQUIRE(::pipe2(ends, O_CLOEXEC) == 0);
  UniqueFd in(ends[0]), out(ends[1]);
  const auto argv = sandboxed({"sh", "-c", "echo inside >&3"}, {});
  REQUIRE(argv);
  auto child = Child::spawn(*argv, {.descriptors = {{out.get(), 3}}});
  REQUIRE(child);
  out.reset();
  CHECK(read_all(in.get()) == "inside\n");
  CHECK(child->wait(milliseconds(10'000)) == 0);
}

TEST_CASE("a child has the environment that it is given, or the scrubbed one") {
  int ends[2];
  REQUIRE(::pipe2(ends, O_CLOEXEC) == 0);
  UniqueFd in(ends[0]), out(ends[1]);
  auto child =
      Child::spawn({"/usr/bin/env"}, {.descriptors = {{out.get(), 1}}, .environment = {"A=1", "B=two"}});
  REQUIRE(child);
  out.reset();
  CHECK(read_all(in.get()) == "A=1\nB=two\n");
}

TEST_CASE("a child that dies with us ends with the thread that spawned it") {
  Result<Child> child = failure("not spawned"), other = failure("not spawned");
  std::thread([&] {
    child = Child::spawn({"sleep", "600"}, {.descriptors = {}, .environment = {}, .dies_with_us = true});
    other = Child::spawn({"sleep", "600"}, {});
  }).join();
  REQUIRE(child);
  REQUIRE(other);
  CHECK(child->wait(milliseconds(10'000)) == 128 + SIGKILL);
  CHECK_FALSE(other->wait(milliseconds(0)).has_value());
}

TEST_CASE("wait gives up after its patience, and destruction ends the child") {
  int pid = 0;
  {
    auto child = Child::spawn({"sleep", "600"}, {});
    REQUIRE(child);
    pid = child->pid();
    CHECK_FALSE(child->wait(milliseconds(20)).has_value());
    CHECK(::kill(pid, 0) == 0);
  }
  CHECK(::kill(pid, 0) == -1);
  CHECK(errno == ESRCH);
}

TEST_CASE("a child that was given up runs on when its object is gone") {
  auto spawned = Child::spawn({"sleep", "60"}, {});
  REQUIRE(spawned);
  int pid = -1;
  {
    Child child = std::move(*spawned);
    pid = child.release();
  }
  CHECK(::kill(pid, 0) == 0);
  ::kill(-pid, SIGKILL);
  CHECK(::waitpid(pid, nullptr, 0) == pid);
}

TEST_CASE("a child may be given the whole environment of this process") {
  ::setenv("KEVOLVE_CHILD_TEST", "yes", 1);
  int ends[2];
  REQUIRE(::pipe2(ends, O_CLOEXEC) == 0);
  UniqueFd in(ends[0]), out(ends[1]);
  auto child = Child::spawn({"sh", "-c", "echo $KEVOLVE_CHILD_TEST >&3"},
                            {.descriptors = {{out.get(), 3}}, .environment = own_environment()});
  ::unsetenv("KEVOLVE_CHILD_TEST");
  REQUIRE(child);
  out.reset();
  CHECK(read_all(in.get()) == "yes\n");
}

}  // namespace
}  // namespace kevolve
