#include "core/devices/channel.hpp"

#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstring>

namespace kevolve::channel {
namespace {

constexpr std::size_t kControlBytes = CMSG_SPACE(sizeof(int) * kMostBuffers);

void take_descriptors(msghdr& message, std::vector<process::UniqueFd>& descriptors) {
  for (cmsghdr* c = CMSG_FIRSTHDR(&message); c != nullptr; c = CMSG_NXTHDR(&message, c)) {
    if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS) continue;
    std::vector<int> numbers((c->cmsg_len - CMSG_LEN(0)) / sizeof(int));
    std::memcpy(numbers.data(), CMSG_DATA(c), numbers.size() * sizeof(int));
    for (const int fd : numbers) descriptors.emplace_back(fd);
  }
}

}  // namespace

bool send(int socket, std::span<const std::byte> header, std::string_view body,
          std::span<const int> descriptors) {
  if (header.size() + body.size() > kMostPacketBytes || descriptors.size() > kMostBuffers) return false;
  std::array<iovec, 2> parts{{{const_cast<std::byte*>(header.data()), header.size()},
                              {const_cast<char*>(body.data()), body.size()}}};
  alignas(cmsghdr) std::array<char, kControlBytes> control{};
  msghdr message{};
  message.msg_iov = parts.data();
  message.msg_iovlen = parts.size();
  if (!descriptors.empty()) {
    message.msg_control = control.data();
    message.msg_controllen = CMSG_SPACE(descriptors.size_bytes());
    cmsghdr* c = CMSG_FIRSTHDR(&message);
    c->cmsg_level = SOL_SOCKET;
    c->cmsg_type = SCM_RIGHTS;
    c->cmsg_len = CMSG_LEN(descriptors.size_bytes());
    std::memcpy(CMSG_DATA(c), descriptors.data(), descriptors.size_bytes());
  }
  ssize_t sent;
  do sent = ::sendmsg(socket, &message, MSG_NOSIGNAL);
  while (sent < 0 && errno == EINTR);
  return sent == static_cast<ssize_t>(header.size() + body.size());
}

bool receive(int socket, std::span<std::byte> header, std::string& body,
             std::vector<process::UniqueFd>& descriptors) {
  body.resize(kMostPacketBytes);
  std::array<iovec, 2> parts{{{header.data(), header.size()}, {body.data(), body.size()}}};
  alignas(cmsghdr) std::array<char, kControlBytes> control{};
  msghdr message{};
  message.msg_iov = parts.data();
  message.msg_iovlen = parts.size();
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  ssize_t got;
  do got = ::recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
  while (got < 0 && errno == EINTR);
  descriptors.clear();
  if (got >= 0) take_descriptors(message, descriptors);
  const bool whole = got >= static_cast<ssize_t>(header.size());
  body.resize(whole ? static_cast<std::size_t>(got) - header.size() : 0);
  return whole;
}

}  // namespace kevolve::channel
