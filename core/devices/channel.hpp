#pragma once
// Channel: the packets between the judge and a runner over one SOCK_SEQPACKET socket, and what they mean.
//
// The judge asks, the runner answers; one request at a time. Descriptors travel beside a packet. What a
// runner sends is foreign text: it may claim anything about itself and nothing else. Borrows the socket.

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "core/model/verdict.hpp"
#include "core/process/unique_fd.hpp"

namespace kevolve::channel {

inline constexpr int kRunnerSocket = 3;  ///< its number in the runner
inline constexpr std::size_t kMostBuffers = 64;
inline constexpr std::size_t kMostPacketBytes = 128 * 1024;

enum class RequestKind : std::uint32_t {
  start,  ///< what to load, as JSON, follows the header; files it names are descriptors beside the packet
  bind,   ///< one BufferPlace for each buffer follows, one descriptor each beside the packet
  run,
  profile,  ///< like run, with hardware counters: the answer's text is what they say, as JSON
  witness,  ///< like some runs, traced by a second clock: the answer's text is what it saw, as JSON
};

inline constexpr std::uint32_t kNoSet = 0xFFFFFFFF;

struct Request {
  RequestKind kind = RequestKind::run;
  std::uint32_t set = 0;
  std::uint32_t prepare = 0;
  std::uint32_t timed = 0;
  std::uint32_t order = 0;  ///< ThreadOrder
  std::uint64_t order_seed = 0;
  std::uint32_t rehearsal = kNoSet;  ///< the set on which the plan is launched first
};

struct BufferPlace {
  std::uint64_t mapping_bytes = 0, data_offset = 0, size_bytes = 0;
};

enum class ReplyKind : std::uint32_t {
  done,
  stopped,  ///< the candidate failed: outcome and evidence
  broken,   ///< the runner itself cannot go on: the text is an Error's
};

struct Reply {
  ReplyKind kind = ReplyKind::done;
  std::uint32_t outcome = 0;  ///< Outcome, with `stopped`
  double device_us = 0;       ///< by the device's own clock; 0: it has none
  double sm_mhz = 0;          ///< the SMs' clock around a timed run; 0: not known
};

/// A header and what follows it.
template <class Header>
struct Packet {
  Header header;
  std::string body;
  std::vector<process::UniqueFd> descriptors;
};

/// False when the other side is gone or the packet is too large.
bool send(int socket, std::span<const std::byte> header, std::string_view body,
          std::span<const int> descriptors);

/// Blocks. False at the other side's end, or when the packet is shorter than `header`.
bool receive(int socket, std::span<std::byte> header, std::string& body,
             std::vector<process::UniqueFd>& descriptors);

template <class Header>
bool send(int socket, const Header& header, std::string_view body = {},
          std::span<const int> descriptors = {}) {
  return send(socket, std::as_bytes(std::span(&header, 1)), body, descriptors);
}

template <class Header>
bool receive(int socket, Packet<Header>& packet) {
  return receive(socket, std::as_writable_bytes(std::span(&packet.header, 1)), packet.body,
                 packet.descriptors);
}

}  // namespace kevolve::channel
