#pragma once
// What the main programs of all runners share: answers to the judge, and the loop that serves it. A runner
// has one conversation, over descriptor 3 (core/devices/channel.hpp), in one thread.

#include <cstring>
#include <string_view>
#include <vector>

#include "core/devices/channel.hpp"
#include "core/model/verdict.hpp"
#include "core/text/result.hpp"

namespace kevolve::devices::runner {

using channel::ReplyKind;
using channel::RequestKind;
using Requested = channel::Packet<channel::Request>;

inline void answer(ReplyKind kind, std::string_view text = {}, Outcome outcome = Outcome::passed,
                   double device_us = 0, double sm_mhz = 0) {
  channel::send(channel::kRunnerSocket,
                channel::Reply{kind, static_cast<std::uint32_t>(outcome), device_us, sm_mhz}, text);
}

/// The runner's exit code.
inline int broken(const Error& error) {
  constexpr std::size_t kLongest = 4096;
  answer(ReplyKind::broken, std::string_view(error.message).substr(0, kLongest));
  return 1;
}

template <class Session>
Result<void> bind(Session& session, const Requested& packet) {
  std::vector<channel::BufferPlace> places(packet.body.size() / sizeof(channel::BufferPlace));
  if (!places.empty())
    std::memcpy(places.data(), packet.body.data(), places.size() * sizeof(channel::BufferPlace));
  return session.bind(places, packet.descriptors);
}

/// Serves the judge until it hangs up or `go_on` returns false, which answers all requests but those that
/// bind buffers. Returns the exit code; an error ends the runner.
template <class Session, class Handler>
int serve(Session& session, Handler go_on) {
  Requested packet;
  while (channel::receive(channel::kRunnerSocket, packet)) {
    if (packet.header.kind == RequestKind::bind) {
      if (auto bound = bind(session, packet); !bound) return broken(bound.error());
      packet.descriptors.clear();
      answer(ReplyKind::done);
      continue;
    }
    const Result<bool> more = go_on(packet.header);
    if (!more) return broken(more.error());
    if (!*more) return 0;
  }
  return 0;
}

}  // namespace kevolve::devices::runner
