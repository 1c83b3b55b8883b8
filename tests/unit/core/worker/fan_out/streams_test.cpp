#include "core/worker/fan_out/streams.hpp"

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include "core/process/unique_fd.hpp"
#include "tests/catch.hpp"

namespace kevolve {
using namespace fan_out;
using namespace process;
namespace {

struct TestPipe {
  TestPipe() {
    int ends[2];
    REQUIRE(::pipe2(ends, O_CLOEXEC | O_NONBLOCK) == 0);
    read_end.reset(ends[0]);
    write_end.reset(ends[1]);
  }
  UniqueFd read_end, write_end;
};

TEST_CASE("lines come whole, however they are cut on their way") {
  TestPipe pipe;
  Incoming incoming;
  std::vector<std::string> lines;
  CHECK(incoming.read_from(pipe.read_end.get(), lines) == Incoming::Found::nothing);
  for (const char* piece : {"fi", "rst\nsec", "ond\n\nthird"}) {
    REQUIRE(::write(pipe.write_end.get(), piece, std::string(piece).size()) > 0);
    CHECK(incoming.read_from(pipe.read_end.get(), lines) == Incoming::Found::some);
  }
  CHECK(lines == std::vector<std::string>{"first", "second", ""});
  pipe.write_end.reset();
  CHECK(incoming.read_from(pipe.read_end.get(), lines) == Incoming::Found::end);
  CHECK(lines.size() == 3);
  CHECK(incoming.rest() == "third");
}

TEST_CASE("what a pipe does not take at once is written later, byte for byte") {
  TestPipe pipe;
  Outgoing outgoing;
  std::string expected;
  for (int i = 0; i < 3000; ++i) {
    const std::string line(static_cast<std::size_t>(i), static_cast<char>('a' + i % 26));
    outgoing.add(line);
    expected += line + '\n';
  }
  Incoming incoming;
  std::vector<std::string> lines;
  while (!outgoing.empty()) {
    REQUIRE(outgoing.write_to(pipe.write_end.get(), 1 << 16));
    while (incoming.read_from(pipe.read_end.get(), lines) == Incoming::Found::some) {
    }
  }
  std::string got;
  for (const std::string& line : lines) got += line + '\n';
  CHECK(got == expected);
}

TEST_CASE("writing says when nobody reads") {
  ::signal(SIGPIPE, SIG_IGN);
  TestPipe pipe;
  pipe.read_end.reset();
  Outgoing outgoing;
  outgoing.add("line");
  CHECK_FALSE(outgoing.write_to(pipe.write_end.get(), 4096));
}

}  // namespace
}  // namespace kevolve
