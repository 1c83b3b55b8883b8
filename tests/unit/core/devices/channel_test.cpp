#include "core/devices/channel.hpp"

#include <sys/socket.h>
#include <unistd.h>

#include <array>

#include "tests/catch.hpp"

namespace kevolve::channel {
using namespace process;
namespace {

struct Pair {
  UniqueFd left, right;
  Pair() {
    int ends[2];
    REQUIRE(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) == 0);
    left.reset(ends[0]);
    right.reset(ends[1]);
  }
};

TEST_CASE("header, body and descriptors arrive together") {
  Pair pair;
  int ends[2];
  REQUIRE(::pipe(ends) == 0);
  UniqueFd in(ends[0]), out(ends[1]);
  const std::array descriptors{out.get()};
  REQUIRE(send(pair.left.get(), Request{.kind = RequestKind::bind, .set = 7}, "body", descriptors));
  Packet<Request> packet;
  REQUIRE(receive(pair.right.get(), packet));
  CHECK(packet.header.kind == RequestKind::bind);
  CHECK(packet.header.set == 7);
  CHECK(packet.body == "body");
  REQUIRE(packet.descriptors.size() == 1);
  CHECK(::write(packet.descriptors[0].get(), "x", 1) == 1);
  char c = 0;
  CHECK(::read(in.get(), &c, 1) == 1);
  CHECK(c == 'x');
}

TEST_CASE("a packet shorter than its header, and the other side's end, are no packets") {
  Pair pair;
  CHECK(::send(pair.left.get(), "abc", 3, 0) == 3);
  Packet<Request> packet;
  CHECK_FALSE(receive(pair.right.get(), packet));
  pair.left.reset();
  CHECK_FALSE(receive(pair.right.get(), packet));
  CHECK_FALSE(send(pair.right.get(), Reply{}));
}

TEST_CASE("a packet beyond the limit is not sent") {
  Pair pair;
  CHECK(send(pair.left.get(), Reply{}, std::string(100 * 1024, 'x')));
  CHECK_FALSE(send(pair.left.get(), Reply{}, std::string(kMostPacketBytes, 'x')));
}

}  // namespace
}  // namespace kevolve::channel
